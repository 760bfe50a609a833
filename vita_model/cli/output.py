"""What every verb does alike: one answer on standard output, one line for an error, and an exit status."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from vita_data.errors import VitaError
from vita_model.config.presets import PRESETS
from vita_model.train.launch import rank, world_size

# What the base install leaves out.
TRAINING_PACKAGES = ("torch", "transformers", "deepspeed", "safetensors", "tensorboardX")
LOST = (
    "closed by peer",
    "reset by peer",
    "Broken pipe",
    "remote process exited",
    "NCCL",
)  # a rank that is gone
LATER = 3.0  # seconds before another rank complains; its launcher ends it by then if the first has
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


def complain(words: str) -> None:
    """One line on standard error; of another rank than the first it says which, since only that one may have it."""
    who = f" (rank {rank()})" if rank() else ""
    click.echo(f"vita-model{who}: {words}", err=True)


class Verbs(click.Group):
    """Commands of which many processes are started alike: what is wrong with the call is said by the first alone."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the command of the process's arguments, or of those that are given."""
        if not rank() or not kwargs.get("standalone_mode", True):
            return super().main(*args, **kwargs)
        try:
            sys.exit(super().main(*args, **{**kwargs, "standalone_mode": False}))
        except click.ClickException as error:
            _end(error.exit_code)


def _end(status: int) -> NoReturn:
    """Ends this process; among others at once, as an orderly end waits for threads that speak with lost ranks."""
    if world_size() == 1:
        sys.exit(status)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def reported(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose VitaError becomes one line and an exit status."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except VitaError as error:
            time.sleep(LATER if rank() else 0.0)
            complain(str(error))
            _end(error.status)
        except RuntimeError as error:
            if world_size() == 1 or not any(words in str(error) for words in LOST):
                raise
            reason = str(error).partition("\n")[0]
            complain(f"another rank has ended and says why itself ({reason}); then go on with --resume.")
            _end(1)
        except ModuleNotFoundError as error:
            if error.name not in TRAINING_PACKAGES:
                raise
            complain(f"{error.name} is not installed; install the toolkit as '.[train]'.")
            _end(2)

    return run


def show(value: dict[str, Any], as_json: bool, words: str) -> None:
    """Prints the one JSON object, or the words for people."""
    if not rank():
        click.echo(json.dumps(value, ensure_ascii=False) if as_json else words)
