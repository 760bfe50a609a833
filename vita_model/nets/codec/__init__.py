"""The codec of TiCodec's kind: speech into tokens and back, and what trains it."""
