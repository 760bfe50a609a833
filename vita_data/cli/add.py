"""`vita-data sources add`: a card for a folder, with its adapter guessed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vita_data.cli.output import for_terminal, json_option, print_json
from vita_data.errors import UsageError

if TYPE_CHECKING:
    from vita_data.sources.guess import Guess

CARD = """\
# Written by `vita-data {verb}` from a look at the files; every value is yours to change. It was guessed from:
{why}
source: {name}
title: {title}
row: {{scenario: {scenario}, type: {type}, name: {name}}}  # Description counts as caption, QA as qa
language: {language}
licence: unknown  # fill in: it goes into every sample
released: true
get: yours
root: {root}{root_note}
adapter: {adapter}
annotations: {annotations}
options: {options}
{more}tolerance: 0.01  # share of records that may be unreadable or have broken media
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--name", help="Name of the source; default: the folder's.")
@click.option("--out", type=click.Path(path_type=Path), help="The card; default: FOLDER/NAME.yaml.")
@click.option("--annotations", help="Glob of the annotation files below FOLDER; default: a guess.")
@click.option("--force", is_flag=True, help="Write over a card that is there.")
@json_option
def add(
    folder: Path, name: str | None, out: Path | None, annotations: str | None, force: bool, as_json: bool
) -> None:
    """Write a source card for FOLDER after guessing its adapter, and say what it was guessed from."""
    from vita_data.cli.cards import VERBS
    from vita_data.sources.guess import guess

    name = name_of(name or folder.resolve().name)
    if name in VERBS:
        raise UsageError(
            f"{name} is a command of `vita-data sources`; name the source otherwise with --name."
        )
    best, *others = guess(folder, annotations)
    card = out or folder / f"{name}.yaml"
    write_cards({card: card_text(name, best, folder, card.parent, "sources add")}, force)
    said = [f"{', '.join(other.annotations[:3])} as {other.adapter}" for other in others]
    if as_json:
        shown = {"adapter": best.adapter, "annotations": best.annotations, "options": best.options}
        print_json({"source": name, "card": str(card), **shown, "guessed_from": best.why, "others": said})
        return
    click.echo(f"{card}: {name} as {best.adapter}, guessed from")
    click.echo(for_terminal("\n".join(f"- {line}" for line in best.why)))
    for line in map(for_terminal, said):
        click.echo(f"left out: {line}; for a card of it give --annotations, --name and --out")
    click.echo(f"next: vita-data sources check {card}")


def name_of(text: str) -> str:
    """A text as the name of a source."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].rstrip("-") or "my-corpus"


def write_cards(cards: dict[Path, str], force: bool) -> None:
    """Writes cards; raises UsageError for those that are there already, unless forced."""
    there = [str(path) for path in cards if path.exists()]
    if there and not force:
        raise UsageError(f"{', '.join(there)} is there already; write over it with --force.")
    for path, text in cards.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path} cannot be written ({error.strerror}); choose another place.") from error


def card_text(name: str, found: Guess, folder: Path, beside: Path, verb: str) -> str:
    """The card of a guess, as it is written into the folder `beside`."""
    whole = (folder / found.root).resolve()
    root = os.path.relpath(whole, beside.resolve())
    more = f"media: {_flow(found.media)}\n" if found.media else ""
    more += "case: upper  # the transcripts are in capitals\n" if found.upper else ""
    return CARD.format(
        verb=verb,
        why="\n".join(f"# - {' '.join(line.split())}" for line in found.why),
        name=name,
        title=_flow(f"{name}, a folder of one's own"),
        scenario=found.scenario,
        type=found.type,
        language=found.language,
        root=_flow(root) if re.search(r"[^\w./-]", root) else root,
        root_note="  # relative to this card",
        adapter=found.adapter,
        annotations=_flow(found.annotations),
        options=_flow(found.options),
        more=more,
    )


def _flow(value: Any) -> str:
    """A value as YAML in one line, which JSON is."""
    return json.dumps(value, ensure_ascii=False)
