"""Chat template, tokenizer, tiling and every length formula, without torch."""
