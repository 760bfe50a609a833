"""`vita-model export`: what a run has learned, as a folder for others."""

from __future__ import annotations

from pathlib import Path

import click

from vita_model.cli.output import as_json_option, plain_stdout, reported, show


@click.command()
@click.argument("place", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write; new.")
@click.option(
    "--layout",
    type=click.Choice(["vita"]),
    default="vita",
    show_default=True,
    help="Whose names and folders; those of the released VITA-1.5.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16"]),
    help="Number format; that of the training unless given.",
)
@click.option(
    "--like",
    type=click.Path(path_type=Path),
    help="Released folder whose other files, such as the tokenizer's, go along.",
)
@as_json_option
@reported
def export(
    place: Path, out: Path, layout: str, precision: str | None, like: Path | None, as_json: bool
) -> None:
    """Write a run, or one of its checkpoints, as released weights with a model card.

    README.md and lineage.json say which stages it was trained in and on which data, under which licences, how it
    scored, and the SHA-256 of every file. What LoRA has learned is merged. `train --init` goes on from the folder.
    """
    with plain_stdout():
        from vita_model.export.program import export as write

        found = write(place, out, precision, like)
    size = sum(each["bytes"] for each in found["files"].values())
    words = f"{out}: stage {found['stage']}, {len(found['files'])} files, {size:,} bytes"
    show(found, as_json, words)
