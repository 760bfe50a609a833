"""`--option`: the named alternatives of cards, how they are chosen and how they are shown."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
WIDTH = 100
options_option: Callable[[F], F] = click.option(
    "--option",
    "chosen",
    multiple=True,
    metavar="NAME",
    help="A named alternative of the stage's or the mixture's card, such as public-script; may be repeated.",
)
licence_option: Callable[[F], F] = click.option(
    "--licence",
    type=click.Choice(["commercial"]),
    help="Take only sources whose card says `commercial: allowed`. Hold-out, duplicates and leaks are then found "
    "among these alone: a build of its own, in an --out of its own.",
)


def option_lines(rows: Iterable[tuple[str, str, str]]) -> str:
    """Options as (whose, name, reason), each in lines of its own; nothing where there are none."""
    told = list(rows)
    if not told:
        return ""
    first, second = (max(len(row[n]) for row in told) for n in (0, 1))
    lines = [
        textwrap.fill(
            reason,
            WIDTH,
            initial_indent=f"  {whose:{first}}  {name:{second}}  ",
            subsequent_indent=" " * (first + second + 6),
            break_on_hyphens=False,
        )
        for whose, name, reason in told
    ]
    return "\n".join(["options, each taken with --option NAME:", *lines])
