"""The first look at a corpus: what its card expects, what is there, and whether the two agree."""
