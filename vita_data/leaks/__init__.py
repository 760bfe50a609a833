"""Leaks: finding what training data share with a benchmark, in text and in sound."""
