"""Released weights in and out: other people's names for our tensors, and their files."""
