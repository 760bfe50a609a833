"""`vita-data plan`: what a stage asks for, before a media byte is read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vita_data import files
from vita_data.cli.options import licence_option, option_lines, options_option
from vita_data.cli.output import json_option, print_json, size, table

if TYPE_CHECKING:
    from vita_data.manifest.mixture import MixtureCard
    from vita_data.manifest.source import SourceCard
    from vita_data.manifest.stage import StageCard


@click.command()
@click.option("--stage", required=True, help="Any stage, 1.1 to 3.2.")
@click.option("--mixture", default="paper", show_default=True, help="Name of a mixture card, or a file.")
@click.option(
    "--out", default="vita-build", show_default=True, help="A build whose catalogs give exact figures."
)
@click.option("--manifests", type=click.Path(path_type=Path), help="Folder with cards of your own.")
@click.option("--pure-text/--no-pure-text", default=None, help="Take the pure-text rows, or leave them out.")
@options_option
@licence_option
@json_option
def plan(
    stage: str,
    mixture: str,
    out: str,
    manifests: Path | None,
    pure_text: bool | None,
    chosen: tuple[str, ...],
    licence: str | None,
    as_json: bool,
) -> None:
    """Show what a stage asks of each source and in total.

    Figures rest on the source cards' estimates (basis card) or, for sources that a build in OUT has
    catalogued, on what was counted (basis catalog). `-` is what nobody knows yet, and `*` marks what is not
    certain before the questions are spoken.
    """
    from vita_data.manifest.differences import differences
    from vita_data.manifest.find import load_mixture, load_sources, load_stage
    from vita_data.manifest.licence import left_out_words, licensed
    from vita_data.manifest.options import with_options
    from vita_data.manifest.plan import plan_from_cards
    from vita_data.manifest.stage import split_stage

    card = load_mixture(mixture, manifests)
    differs = differences(split_stage(stage)[0], card, chosen, manifests)
    stage_card = load_stage(split_stage(stage)[0], card.path, manifests)
    stage_card, card = with_options(stage_card, card, chosen)
    sources = load_sources(card, manifests)
    card, left_out = licensed(stage_card, card, sources, licence, pure_text)
    sources = {line.source: sources[line.source] for line in card.sources}
    counted = _counted(out, card, sources, stage_card.hears)
    made = _made(out, stage_card, card)
    facts = plan_from_cards(stage_card, card, sources, pure_text, counted, made)
    if as_json:
        options = {
            kind: {name: option.reason for name, option in there.options.items()}
            for kind, there in (("stage", stage_card), ("mixture", card))
        }
        limits = {"licence": licence, "left_out": [each.source for each in left_out]}
        said = {"options": {"chosen": sorted(set(chosen)), **options}}
        print_json({**facts, **limits, **said, "differs": [each.to_json() for each in differs]})
        return
    heads = ["source", "unit", "basis", "asked", "samples", "questions", "tokens", "bytes", "hours"]
    if stage_card.spoken_share:
        heads.insert(heads.index("questions") + 1, "spoken")
    rows = [*facts["sources"], {"source": "total", **facts["total"]}]
    click.echo(table(heads, [[_cell(row, head) for head in heads] for row in rows]))
    if licence is not None:
        click.echo(f"\n{textwrap.fill(left_out_words(licence, left_out), 100, break_on_hyphens=False)}")
    if told := option_lines(_options(stage_card, card, chosen)):
        click.echo(f"\n{told}")
    if differs:
        click.echo("\n".join(["\ndiffers from the card:", *(f"  {each.words}" for each in differs)]))


def _options(
    stage: StageCard, mixture: MixtureCard, chosen: tuple[str, ...]
) -> Iterator[tuple[str, str, str]]:
    for whose, card in (("stage", stage), ("mixture", mixture)):
        for name, option in card.options.items():
            yield whose, name + " (taken)" * (name in chosen), option.reason


def _counted(
    out: str, card: MixtureCard, sources: dict[str, SourceCard], hears: bool
) -> dict[str, dict[str, Any]]:
    """What a build in OUT has counted; where there is none, nothing that reads tables is loaded."""
    if not files.matching(out, "catalog/*/source.json"):
        return {}
    from vita_data.select.counted import counted_sources

    return counted_sources(out, card, sources, hears)


def _made(out: str, stage: StageCard, mixture: MixtureCard) -> dict[str, int]:
    """The tokens of each source in this stage of OUT, when it is built with its spoken questions."""
    from vita_data.shards.seal import FACTS, trusted

    facts = trusted(files.join(out, "stages", stage.stage), FACTS) if stage.spoken_share else None
    if facts is None or facts["mixture"] != mixture.mixture:
        return {}
    kinds = ("text_tokens", "visual_tokens", "audio_tokens")
    return {line["source"]: sum(line["written"][kind] for kind in kinds) for line in facts["sources"]}


def _cell(row: dict[str, Any], head: str) -> object:
    value = row.get(head, "")
    if head in row.get("estimated", ()) and value is not None:
        return f"{value:,}*"
    return size(value) if head == "bytes" and value is not None else value
