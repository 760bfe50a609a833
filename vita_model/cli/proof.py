"""`vita-model proof`: evidence, on digits and two cores, that each stage does what the paper says it does."""

from __future__ import annotations

from pathlib import Path

import click

from vita_model.cli.output import as_json_option, complain, reported, show


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of all that is made.")
@click.option(
    "--speech",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A clone of the Free Spoken Digit Dataset; without it the voices of espeak-ng stand in.",
)
@click.option("--quick", is_flag=True, help="A small part of it, to see that all runs.")
@as_json_option
@reported
def proof(out: Path, speech: Path | None, quick: bool, as_json: bool) -> None:
    """Train all seven stages on digits that are seen, heard and spoken, and test what they have learned.

    Goes on where it stopped; what is done already is left alone. The page is OUT/proof.md.
    """
    from vita_model.proof.program import prove
    from vita_model.proof.report import PAGE

    found = prove(out, speech, quick, complain)
    rows = [row for row in found["rows"] if row["met"] is not None]
    told = "\n".join(
        f"{'met   ' if row['met'] else 'MISSED'} {row['name']}: {row['value']:.1%} ({row['goal']})"
        for row in rows
    )
    show(found, as_json, f"{told}\npage: {out / PAGE}")
