"""`vita-data init`: cards for a folder of one's own, and a mixture of them."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import click

from vita_data.cli.add import card_text, name_of, write_cards
from vita_data.cli.output import json_option, print_json

MIXTURE = """\
# Written by `vita-data init`: build it with  vita-data build --stage {stage} --mixture {path} --out {name}-build
mixture: {name}
title: {title}
# The geometry of the `tiny` preset, for a laptop; remove the next line for the paper's (448 px, 6,200 tokens).
geometry: {{tokenizer: qwen2.5-8k, tile_pixels: 112, tile_tokens: 16, max_tiles: 3, max_length: 2048}}
shard_megabytes: 64
# Full precision runs on any CPU, and a small model of random weights needs larger steps; remove for a real model.
training: {{global_batch: 4, precision: fp32, learning_rate: 1e-3, vision_learning_rate: 1e-3}}
sources:
{sources}
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--name", help="Name of the source; default: the folder's.")
@click.option(
    "--type", "kind", type=click.Choice(["caption", "qa"]), help="What the answers are; default: a guess."
)
@click.option("--force", is_flag=True, help="Write over cards that are there.")
@json_option
def init(folder: Path, name: str | None, kind: str | None, force: bool, as_json: bool) -> None:
    """Write source cards and a mixture into your FOLDER, ready for `build --mixture`.

    The adapters are guessed as `vita-data sources add` guesses them, which writes one card and no mixture.
    """
    from vita_data.sources.guess import guess

    base = name_of(name or folder.resolve().name)
    found = guess(folder)
    if kind is not None:
        type_ = {"caption": "Description", "qa": "QA"}[kind]
        found = [one if one.scenario == "Speech" else replace(one, type=type_) for one in found]
    names = [base] if len(found) == 1 else [f"{base}-{number}" for number in range(1, len(found) + 1)]
    mixture = folder / "mixture.yaml"
    cards = {
        folder / f"{card}.yaml": card_text(card, one, folder, folder, "init")
        for card, one in zip(names, found, strict=True)
    }
    unit = {"asr": "hours", "tts": "hours"}
    lines = [
        f"  - {{source: {card}, {unit.get(one.kind, 'questions')}: all}}"
        for card, one in zip(names, found, strict=True)
    ]
    stage = {"asr": "2.1", "tts": "3.1"}.get(found[0].kind, "1.3")
    title = json.dumps(f"{base}, as it is")
    cards[mixture] = MIXTURE.format(
        stage=stage, path=mixture, name=base, title=title, sources="\n".join(lines)
    )
    write_cards(cards, force)
    if as_json:
        print_json({"mixture": str(mixture), "sources": names, "cards": [str(path) for path in cards]})
        return
    for card, one in zip(names, found, strict=True):
        click.echo(f"{card}: {', '.join(one.annotations)} as {one.kind}, read by {one.adapter}")
    click.echo(
        f"next: vita-data build --stage {stage} --mixture {shlex.quote(str(mixture))} --out {base}-build"
    )
