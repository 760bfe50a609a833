"""Verbs that are loaded when they are asked for, so that `--help` stays quick."""

from __future__ import annotations

import importlib

import click


def verb_at(place: str) -> click.Command:
    """The command of a verb, from where it lies: `package.module:name`."""
    module, _, attribute = place.partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command
