"""The model and its trainer: it reads finished stages, never sources; torch lives only here."""
