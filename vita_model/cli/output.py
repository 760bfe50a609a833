"""What every verb does alike: one answer on standard output, one line for an error, and an exit status."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from vita_data.errors import VitaError
from vita_model.config.presets import PRESETS

TRAINING_PACKAGES = ("torch", "transformers", "deepspeed", "safetensors")  # what the base install leaves out
PRESET = click.Choice(list(PRESETS))
as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output."
)


@contextmanager
def plain_stdout() -> Iterator[None]:
    """Sends what libraries print on standard output to standard error: the answer stands there alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def first_rank() -> bool:
    """Whether this process is the one that speaks."""
    return os.environ.get("RANK", "0") == "0"


def reported(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose VitaError becomes one line and an exit status."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except VitaError as error:
            if first_rank():
                click.echo(f"vita-model: {error}", err=True)
            sys.exit(error.status)
        except ModuleNotFoundError as error:
            if error.name not in TRAINING_PACKAGES:
                raise
            click.echo(
                f"vita-model: {error.name} is not installed; install the toolkit as '.[train]'.", err=True
            )
            sys.exit(2)

    return run


def show(value: dict[str, Any], as_json: bool, words: str) -> None:
    """Prints the one JSON object, or the words for people."""
    if first_rank():
        click.echo(json.dumps(value, ensure_ascii=False) if as_json else words)
