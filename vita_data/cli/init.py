"""`vita-data init`: cards for a folder of one's own."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vita_data.cli.output import json_option, print_json
from vita_data.errors import UsageError

if TYPE_CHECKING:
    from vita_data.sources.discover import Found

SOURCE = """\
# Written by `vita-data init` from a look at the files; every value is yours to change.
source: {name}
title: {title}
row: {{scenario: {scenario}, type: {type}, name: {name}}}  # Description counts as caption, QA as qa
language: {language}
licence: unknown  # fill in: it goes into every sample
released: true
get: yours
root: .  # relative to this card
adapter: llava_json
annotations: {annotations}
options: {options}
tolerance: 0.01  # share of records that may be unreadable or have broken media
"""

MIXTURE = """\
# Written by `vita-data init`: build it with  vita-data build --stage 1.3 --mixture {path} --out {name}-build
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
    """Write a source card and a mixture beside your LLaVA-style FOLDER, ready for `build --mixture`."""
    from vita_data.sources.discover import discover

    base = _slug(name or folder.resolve().name)
    found = discover(folder)
    names = [base] if len(found) == 1 else [f"{base}-{number}" for number in range(1, len(found) + 1)]
    mixture = folder / "mixture.yaml"
    cards = {
        folder / f"{card}.yaml": _source(card, one, kind) for card, one in zip(names, found, strict=True)
    }
    lines = "\n".join(f"  - {{source: {card}, questions: all}}" for card in names)
    cards[mixture] = MIXTURE.format(
        path=mixture, name=base, title=json.dumps(f"{base}, as it is"), sources=lines
    )
    there = [str(path) for path in cards if path.exists()]
    if there and not force:
        raise UsageError(f"{', '.join(there)} is there already; write over it with --force.")
    for path, text in cards.items():
        path.write_text(text, encoding="utf-8")
    if as_json:
        print_json({"mixture": str(mixture), "sources": names, "cards": [str(path) for path in cards]})
        return
    for card, one in zip(names, found, strict=True):
        what = "pictures below " + one.media_root if one.pictures else "no pictures"
        click.echo(
            f"{card}: {', '.join(one.annotations)} as {kind or one.kind}, turns under {one.turns}, {what}"
        )
    click.echo(f"next: vita-data build --stage 1.3 --mixture {shlex.quote(str(mixture))} --out {base}-build")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].rstrip("-") or "my-corpus"


def _source(name: str, found: Found, kind: str | None) -> str:
    caption = (kind or found.kind) == "caption"
    options = {"turns": found.turns, "image_key": found.image_key, "media_root": found.media_root}
    return SOURCE.format(
        name=name,
        title=json.dumps(f"{name}, a folder of one's own"),
        scenario="General Image" if found.pictures else "Pure Text",
        type="Description" if caption else "QA",
        language=found.language,
        annotations=json.dumps(found.annotations, ensure_ascii=False),
        options=json.dumps(options, ensure_ascii=False),
    )
