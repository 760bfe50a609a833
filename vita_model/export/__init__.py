"""What a run has learned, as a folder that others can use, with what it comes from."""
