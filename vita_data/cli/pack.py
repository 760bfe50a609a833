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
    from vita_data.errors import ShardError
    from vita_data.packs.stage import pack_stage
    from vita_data.report.formats import counted
    from vita_data.shards.read import Stage
    from vita_data.shards.seal import FACTS, broken_files, sealed_facts

    stage = Stage(folder)
    if "sources" not in stage.facts:
        raise ShardError(
            f"{folder} is the held-out part of a stage, which has no packs; give the stage's folder."
        )
    broken = [name for name in broken_files(folder, stage.facts) if name.startswith("index/")]
    if broken:
        raise ShardError(f"{files.join(folder, broken[0])} is not what was built; build the stage again.")
    packs = pack_stage(folder, stage.shard_count, stage.plan)
    facts = sealed_facts(folder, {**stage.facts, "packs": packs})
    files.write_json(files.join(folder, FACTS), facts)
    if as_json:
        print_json(packs)
    else:
        click.echo(
            f"{counted(packs['count'], 'pack')} of up to {packs['capacity']:,} tokens, {packs['waste']:.1%} empty"
        )
