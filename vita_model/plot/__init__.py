"""Curves of runs as one page or picture."""
