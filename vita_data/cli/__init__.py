"""The `vita-data` command."""
