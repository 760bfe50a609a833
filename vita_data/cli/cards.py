"""`vita-data stages` and `vita-data sources`: the cards as tables."""

from __future__ import annotations

from pathlib import Path

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
@click.option("--mixture", default="paper", show_default=True, help="Name of a mixture card, or a file.")
@click.option("--manifests", type=click.Path(path_type=Path), help="Folder with cards of your own.")
@json_option
def sources(mixture: str, manifests: Path | None, as_json: bool) -> None:
    """The sources of a mixture: row of Table 1, questions, licence, and what stands in for unreleased rows."""
    from vita_data.manifest.find import load_mixture, load_sources
    from vita_data.manifest.tables import source_rows

    card = load_mixture(mixture, manifests)
    rows = source_rows(load_sources(card, manifests).values(), card)
    if as_json:
        print_json({"sources": rows})
        return
    heads = ["source", "row", "questions", "type", "language", "licence", "released", "adapter"]
    click.echo(table(heads, [[_plain(row[head]) for head in heads] for row in rows]))
    for row in rows:
        if row["substitute"]:
            click.echo(f"\n{row['source']} was never released; instead: {row['substitute']}")


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} {share:g}" for name, share in value.items())
    return ", ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else value
