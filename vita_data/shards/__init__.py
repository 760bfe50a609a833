"""WebDataset tars with an index beside them: written, read, proved."""
