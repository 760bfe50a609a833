"""`vita-data prove`: recount a stage from its bytes."""

from __future__ import annotations

import sys

import click

from vita_data.cli.output import json_option, print_json, table


@click.command()
@click.argument("folder")
@json_option
def prove(folder: str, as_json: bool) -> None:
    """Recount the stage in FOLDER (OUT/stages/S) from its tar bytes, and fail when one byte is off."""
    from vita_data.report.formats import counted, counted_in, unit_of
    from vita_data.shards.prove import prove as recount

    def tell(done: int, total: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[2Kshard {done + 1} of {total}", nl=False, err=True)

    said = recount(folder, tell)
    if sys.stderr.isatty():
        click.echo("\r\x1b[2K", nl=False, err=True)
    if as_json:
        print_json(said)
    else:
        heads = ["source", "unit", "asked", "planned", "written"] + (["spoken"] if said["spoken"] else [])
        click.echo(table(heads, [[line[head] for head in heads] for line in said["sources"]]))
        for error in said["errors"]:
            click.echo(f"wrong: {error}", err=True)
        for remark in said["remarks"]:
            click.echo(f"remark: {remark}", err=True)
        verdict = "proved: every digest, key and count holds" if said["ok"] else "NOT proved"
        amount = counted_in(unit_of(said["sources"]), said["questions"], said["hours"])
        click.echo(f"{verdict}; {counted(said['samples'], 'sample')} with {amount} in the tars.")
        if not said["ok"]:
            click.echo("remove the files that are named and run the same `vita-data build` again.", err=True)
    if not said["ok"]:
        sys.exit(1)
