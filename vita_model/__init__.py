"""The model and its trainer: reads finished stages, never sources; torch is imported only below this package."""
