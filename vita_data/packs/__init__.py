"""Which samples share a training sequence."""
