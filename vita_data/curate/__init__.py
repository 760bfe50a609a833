"""Rules: plain functions from a record to a verdict."""
