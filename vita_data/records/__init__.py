"""The vocabulary every part shares: keys, canonical JSON, and the schemas of what lies on disk."""
