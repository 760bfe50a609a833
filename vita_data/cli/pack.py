"""`vita-data pack`: another pack plan for a finished stage, reading no media."""

from __future__ import annotations

import click

from vita_data.cli.output import json_option, print_json


@click.command()
@click.argument("folder")
@json_option
def pack(folder: str, as_json: bool) -> None:
    """Pack the stage in FOLDER (OUT/stages/S) again, for the geometry and template of its plan."""
    from vita_data import files
    from vita_data.packs.stage import pack_stage
    from vita_data.shards.read import Stage

    stage = Stage(folder)
    packs = pack_stage(folder, stage.shard_count, stage.plan)
    files.write_json(files.join(folder, "stage.json"), {**stage.facts, "packs": packs})
    if as_json:
        print_json(packs)
    else:
        click.echo(
            f"{packs['count']:,} packs of up to {packs['capacity']:,} tokens, {packs['waste']:.1%} empty"
        )
