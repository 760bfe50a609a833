"""A corpus of digits that are seen, heard and spoken, on which the whole recipe can be shown to teach."""
