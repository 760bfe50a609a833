"""`vita-data clean`: the disk that a build's folder could do without."""

from __future__ import annotations

import click

from vita_data.cli.output import json_option, print_json, size, table


@click.command()
@click.argument("out")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@json_option
def clean(out: str, dry_run: bool, as_json: bool) -> None:
    """Remove from the build in OUT what no stage in it refers to.

    That is speech by an engine that was replaced, measures under other settings, and what only the reading of a
    corpus needed. Stages, catalogs and corpora stay.
    """
    from dataclasses import asdict

    from vita_data.clean import clean as clean_folder
    from vita_data.files import plain_path

    out = plain_path(out)
    found = clean_folder(out, dry_run)
    total = sum(one.bytes for one in found)
    if as_json:
        print_json(
            {"out": out, "dry_run": dry_run, "removed": [asdict(one) for one in found], "bytes": total}
        )
        return
    if found:
        click.echo(table(("path", "kind", "size"), [(one.path, one.kind, size(one.bytes)) for one in found]))
    words = "would be freed" if dry_run else "freed"
    click.echo(f"{size(total)} {words} in {out}" if found else f"nothing in {out} is left over")
