"""`vita-data stages` and `vita-data sources`: the cards as tables."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import click

from vita_data.cli.output import json_option, print_json, table


@click.command()
@click.option("--manifests", type=click.Path(path_type=Path), help="Folder with cards of your own.")
@json_option
def stages(manifests: Path | None, as_json: bool) -> None:
    """The stages: what each takes, trains and starts from."""
    from vita_data.manifest.find import all_stages
    from vita_data.manifest.tables import stage_rows

    rows = stage_rows(all_stages(manifests))
    if as_json:
        print_json({"stages": rows})
        return
    heads = ["stage", "title", "shares", "trains", "loss", "needs", "learning_rate", "global_batch"]
    click.echo(table(heads, [[_plain(row[head]) for head in heads] for row in rows]))


@click.command()
@click.argument("name", required=False)
@click.option("--mixture", default="paper", show_default=True, help="Name of a mixture card, or a file.")
@click.option("--manifests", type=click.Path(path_type=Path), help="Folder with cards of your own.")
@json_option
def sources(name: str | None, mixture: str, manifests: Path | None, as_json: bool) -> None:
    """The sources of a mixture as a table, or all that the card of the source NAME says.

    The card says how to get a corpus, what is known to be wrong with it, and what stands in for it where
    it was never released.
    """
    from vita_data.manifest.find import load_mixture, load_source, load_sources
    from vita_data.manifest.tables import source_rows

    card = load_mixture(mixture, manifests)
    cards = load_sources(card, manifests) if name is None else {name: load_source(name, card.path, manifests)}
    rows = source_rows(cards.values(), card)
    if as_json:
        print_json({"sources": rows})
        return
    if name is not None:
        click.echo(_details(rows[0], cards[name].path))
        return
    heads = ["source", "row", "questions", "type", "language", "licence", "released", "adapter"]
    click.echo(table(heads, [[_plain(row[head]) for head in heads] for row in rows]))
    for row in rows:
        if row["substitute"]:
            click.echo(f"\n{row['source']} was never released; instead: {row['substitute']}")


def _details(row: dict[str, Any], path: Path) -> str:
    """A card as labelled paragraphs."""
    lines = [f"{row['source']}: {row['title']}  ({path})"]
    for label, value in row.items():
        if label in ("source", "title") or value in (None, [], ()):
            continue
        words = (
            "".join(f"\n- {item}" for item in value)
            if isinstance(value, (list, tuple))
            else str(_plain(value))
        )
        lines.append(textwrap.indent(f"{label}: {words}", "  "))
    return "\n".join(lines)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} {share:g}" for name, share in value.items())
    return ", ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else value
