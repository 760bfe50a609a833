"""`vita-data digits`: the corpus on which the recipe is shown to teach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vita_data.cli.output import json_option, print_json


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--speech",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A clone of the Free Spoken Digit Dataset; without it the voices of espeak-ng stand in.",
)
@click.option("--leave-out", multiple=True, help="A speaker to test with only; may be repeated.")
@click.option("--speech-only", is_flag=True, help="Only what is heard and written down.")
@click.option("--scale", type=click.FloatRange(0.01, 1.0), default=1.0, help="A part of all amounts.")
@json_option
def digits(folder: Path, as_json: bool, **options: Any) -> None:
    """Write handwritten and spoken digits, and questions about them, into FOLDER: one half trains, one tests."""
    from vita_data.digits.corpus import Amounts
    from vita_data.digits.make import Request, make_digits

    request = Request(
        speech=options["speech"],
        left_out=options["leave_out"],
        amounts=Amounts().scaled(options["scale"]),
        speech_only=options["speech_only"],
    )
    facts = make_digits(folder, request, lambda words: click.echo(words, err=True))
    if as_json:
        print_json({"folder": str(folder), **facts})
        return
    unseen = f"; {', '.join(facts['left_out'])} only to test with" if facts["left_out"] else ""
    click.echo(f"{folder}: spoken by {', '.join(facts['known'])}{unseen}")
