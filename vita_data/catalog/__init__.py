"""Reading a source once: records verified, measured and kept as sorted tables."""
