"""`vita-data build`: a stage's shards, packs and report from the corpora of a mixture."""

from __future__ import annotations

import os
from typing import Any

import click

from vita_data.cli.options import licence_option, options_option
from vita_data.cli.output import json_option, print_json, size, with_bars


@click.command()
@click.option("--stage", required=True, help="Stage to build, such as 1.3; `vita-data stages` lists them.")
@click.option("--mixture", default="sample", show_default=True, help="Name of a mixture card, or a file.")
@click.option("--out", default="vita-build", show_default=True, help="Folder or URL of the build.")
@click.option("--data-root", help="Folder or URL that holds the sources' folders.")
@click.option("--against", help="Folder or URL that holds benchmarks; samples that leak them leave.")
@click.option("--seed", default=0, show_default=True, help="Seed of every keyed choice.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="all cores",
    help="Local worker processes.",
)
@click.option(
    "--runner",
    type=click.Choice(["direct", "portable", "flink", "spark", "dataflow"]),
    default="direct",
    show_default=True,
    help="Beam runner.",
)
@click.option("--job-endpoint", help="Address of a Beam job service, HOST:PORT.")
@click.option(
    "--beam-option", "beam_options", multiple=True, metavar="--NAME=VALUE", help="Passed to Beam as it is."
)
@click.option("--manifests", help="Folder with cards of your own, laid out like the packaged manifests/.")
@click.option("--pure-text/--no-pure-text", default=None, help="Take the pure-text rows, or leave them out.")
@click.option(
    "--allow-short", is_flag=True, help="Take what there is where a source has less than its quota."
)
@options_option
@licence_option
@json_option
def build(as_json: bool, **options: Any) -> None:
    """Build a stage, or go on with one that was stopped.

    With no more than `--stage 1.3` it makes the sample corpus and builds from that.
    """
    from pipelines.choice import RunnerChoice
    from pipelines.settings import BuildSettings
    from pipelines.supervise import supervised_build
    from vita_data.files import plain_path

    options |= {name: options[name] and plain_path(options[name]) for name in ("out", "data_root", "against")}
    names = (
        "stage",
        "mixture",
        "out",
        "data_root",
        "against",
        "seed",
        "manifests",
        "pure_text",
        "allow_short",
        "licence",
    )
    choice = RunnerChoice(
        options["runner"], options["workers"], options["job_endpoint"], options["beam_options"]
    )
    settings = BuildSettings(
        **{name: options[name] for name in names}, options=options["chosen"], runner=choice
    )
    _print(with_bars(lambda hear: supervised_build(settings, hear)), settings.out, as_json)


def _print(facts: dict[str, Any], out: str, as_json: bool) -> None:
    from vita_data.report.formats import counted, counted_in, unit_of

    totals, packs, shards = facts["totals"], facts["packs"], len(facts["shards"])
    names = ("samples", "questions", "hours", "spoken", "clips", "bytes", "rejected", "held_out")
    if as_json:
        said = {name: totals[name] for name in names}
        print_json({"stage": facts["stage"], "out": out, **said, "shards": shards})
        return
    amount = counted_in(unit_of(facts["sources"]), totals["questions"], totals["hours"])
    click.echo(
        f"stage {facts['stage']} is built: {counted(totals['samples'], 'sample')} with "
        f"{amount} in {counted(shards, 'shard')} ({size(totals['bytes'])}), "
        f"{counted(packs['count'], 'pack')} with {packs['waste']:.1%} empty, "
        f"{counted(totals['held_out'], 'sample')} held out from training, "
        f"{counted(totals['rejected'], 'record')} rejected with a reason.\n"
        f"shards, packs and report lie in {out.rstrip('/')}/stages/{facts['stage']}"
    )
