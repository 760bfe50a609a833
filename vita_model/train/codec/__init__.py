"""The training of the codec: segments of clips, a codec and its discriminators in two engines."""
