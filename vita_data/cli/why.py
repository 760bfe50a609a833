"""`vita-data why`: what happened to a sample."""

from __future__ import annotations

import click

from vita_data.cli.output import for_terminal, json_option, print_json


@click.command()
@click.argument("key")
@click.option("--out", default="vita-build", show_default=True, help="Folder or URL of the build.")
@click.option("--stage", help="Ask about this stage only; default: every stage that is built.")
@json_option
def why(key: str, out: str, stage: str | None, as_json: bool) -> None:
    """Say what happened to the sample with this KEY (or native id), kept or not, and for what measured reason."""
    from vita_data.select.why import why as ask

    rows = ask(out, key, stage)
    if as_json:
        print_json(rows[0] if len(rows) == 1 else {**rows[0], "all": rows})
        return
    for row in rows:
        where = f" in stage {row['stage']}" if row.get("stage") else ""
        click.echo(f"{row['key']}: {_headline(row)}{where} ({row['step']})")
        click.echo(f"  {for_terminal(row['message'])}")
        if row["rule"]:
            threshold = f", threshold {row['threshold']}" if row["threshold"] is not None else ""
            click.echo(f"  rule {row['rule']}: measured {for_terminal(str(row['value']))}{threshold}")
        click.echo(f"  from {row['source']}: {for_terminal(row['location'])}")


def _headline(row: dict[str, object]) -> str:
    if not row["kept"]:
        return "rejected"
    return {"select": "kept but not drawn", "held-out": "held out"}.get(str(row["step"]), "kept")
