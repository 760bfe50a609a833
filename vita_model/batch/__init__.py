"""From the packs of a finished stage to tensors: order, encoding, collation, prefetching."""
