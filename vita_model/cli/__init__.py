"""The `vita-model` verbs, one a file."""
