"""What a model is made of: the dimensions of each part, the geometry it was made for, and the named presets."""
