"""`vita-data rejects`: what a stage refused, and another try for what was nobody's fault."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from vita_data.cli.output import for_terminal, json_option, print_json


@click.command()
@click.option("--out", default="vita-build", show_default=True, help="Folder or URL of the build.")
@click.option("--stage", required=True, help="The stage, such as 1.3.")
@click.option("--rule", help="Only this rule, as `image_truncated` or `media/image_truncated`.")
@click.option("--source", help="Only this source.")
@click.option(
    "-n", "--number", type=click.IntRange(1), default=20, show_default=True, help="How many to show."
)
@click.option(
    "--retry", is_flag=True, help="Have the next build read again what failed for a cause that can pass."
)
@json_option
def rejects(
    out: str, stage: str, rule: str | None, source: str | None, number: int, retry: bool, as_json: bool
) -> None:
    """List what a stage refused, with the rule, what was measured and where it came from.

    --retry has the next build read those sources again whose rejects a full disk, a lost connection or a crash may
    be to blame for: missing and unreadable media, and records that ended their worker.
    """
    from vita_data.files import locked, plain_path
    from vita_data.select.rejected import read_again, rejects_of

    out = plain_path(out)
    rows = rejects_of(out, stage, rule, source)
    if retry:
        with locked(out):
            again = read_again(out, list(rows))
        if as_json:
            print_json({"read_again": again})
        else:
            click.echo(
                f"the next build reads again: {', '.join(again)}" if again else "no cause here can pass"
            )
        return
    if as_json:
        print_json({"stage": stage, "rejects": list(rows)})
        return
    for row in islice(rows, number):
        click.echo(_readable(row))
    more = sum(1 for _ in rows)
    if more:
        click.echo(f"and {more:,} more; `--number`, `--rule` and `--source` choose, `--json` prints all.")


def _readable(row: dict[str, Any]) -> str:
    measured = f"{row['value']} against {row['threshold']}" if row["threshold"] is not None else row["value"]
    facts = f" (measured {for_terminal(str(measured))})" if measured is not None else ""
    where = (
        f"{row['annotation']}, record {row['position']}" if row["annotation"] is not None else "written late"
    )
    return (
        f"{click.style(row['key'], bold=True)}  {row['step']}/{row['rule']}{facts}\n"
        f"  {for_terminal(row['message'])}\n  from {row['source']}: {for_terminal(where)}"
    )
