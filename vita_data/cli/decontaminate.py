"""`vita-data decontaminate`: what a mixture holds of benchmarks, with the evidence side by side."""

from __future__ import annotations

import os
from typing import Any

import click

from vita_data.cli.output import for_terminal, json_option, print_json, table, with_bars

HEADS = {
    "itself": "its own",
    "content": "same medium",
    "picture_and_question": "picture + question",
    "picture": "picture",
    "question": "question",
}


@click.command()
@click.option("--against", required=True, help="Folder or URL that holds the benchmarks.")
@click.option("--mixture", default="sample", show_default=True, help="Name of a mixture card, or a file.")
@click.option("--stage", default="1.3", show_default=True, help="Look at the sources that this stage counts.")
@click.option("--out", default="vita-build", show_default=True, help="Folder or URL of the build.")
@click.option("--data-root", help="Folder or URL that holds the sources' folders.")
@click.option("--manifests", help="Folder with cards of your own, laid out like the packaged manifests/.")
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="all cores")
@json_option
def decontaminate(as_json: bool, workers: int, **options: Any) -> None:
    """Say what the sources of a mixture hold of benchmarks, and what of it a build with --against leaves out.

    The same medium, a picture with its question, a picture alone and a question alone are different findings. What was
    read of sources and benchmarks is kept in OUT, and a build goes on from there.
    """
    from pipelines.choice import RunnerChoice
    from pipelines.settings import BuildSettings
    from pipelines.supervise import supervised_build
    from vita_data.files import plain_path

    options |= {name: options[name] and plain_path(options[name]) for name in ("out", "data_root", "against")}
    settings = BuildSettings(**options, verb="decontaminate", runner=RunnerChoice(workers=workers))
    found = with_bars(lambda hear: supervised_build(settings, hear))
    if as_json:
        print_json(found)
        return
    if not found["benchmarks"]:
        click.echo("nothing was found of any benchmark")
        return
    rows = [
        [line["benchmark"], *(line[how] for how in HEADS), line["removed"]] for line in found["benchmarks"]
    ]
    click.echo(table(["benchmark", *HEADS.values(), "leave"], rows))
    for line in found["benchmarks"]:
        for example in line["examples"]:
            click.echo(_readable(line["benchmark"], example))
    click.echo(f"{found['removed']:,} samples may not stay in a build with --against.")


def _readable(benchmark: str, found: dict[str, Any]) -> str:
    fate = "leaves" if found["removes"] else "stays"
    measured = [f"{found['score']:.0%} of what it says"] if found["score"] is not None else []
    measured += [f"{found['distance']} of 64 bits differ"] if found["distance"] is not None else []
    facts = f" ({', '.join(measured)})" if measured else ""
    lines = [f"{click.style(found['key'], bold=True)}  {benchmark}: {HEADS[found['how']]}{facts}, {fate}"]
    lines += [f"     ours: {for_terminal(found['ours'])}"] if found["ours"] else []
    lines += [f"   theirs: {for_terminal(found['question'])}"] if found["question"] else []
    return "\n".join(lines)
