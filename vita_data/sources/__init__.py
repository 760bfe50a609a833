"""Adapters: one native format each, read as records."""
