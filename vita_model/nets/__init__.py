"""The parts of the model as torch modules, one file each, and the whole that joins them."""
