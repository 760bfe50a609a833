"""From manifests to trained stages in one command: what is to be done, in which order, and what is done already."""
