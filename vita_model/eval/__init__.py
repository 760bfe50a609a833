"""What a model has learned, in numbers: its answers and transcripts against what was wanted, with intervals."""
