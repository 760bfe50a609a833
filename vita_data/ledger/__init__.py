"""Whose work a stage is made of, under which licences: a page for people and a file for programs."""
