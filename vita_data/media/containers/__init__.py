"""Archives as files that hold media: what is in them, and at which byte, without unpacking."""
