"""The rules of curation, grouped by what they look at."""
