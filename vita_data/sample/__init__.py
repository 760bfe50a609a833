"""A corpus in native layouts that the project makes by itself."""
