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
    "recording": "recording",
    "picture": "picture alone",
    "question": "question alone",
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

    The same medium, a picture with its question, a recording, a picture alone and a question alone are different
    findings; a sample counts once with each benchmark, by the one that weighs most. What was read of sources and
    benchmarks is kept in OUT, and a build goes on from there.
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
    click.echo(_counts(found["benchmarks"]))
    for line in found["benchmarks"]:
        for example in line["examples"]:
            click.echo(_readable(line["benchmark"], example))
    from vita_data.report.formats import counted

    leaving = counted(found["removed"], "sample")
    click.echo(f"\n{leaving} may not stay in a build with --against; what is only reported stays.")


def _counts(lines: list[dict[str, Any]]) -> str:
    """A row for each benchmark of which something was found, a column for each kind, and who has nothing."""
    said = []
    some = [line for line in lines if line["examples"]]
    if some:
        kinds = [how for how in HEADS if any(line[how] for line in some)]
        heads = ["benchmark", *(HEADS[how] for how in kinds), "leave", "only reported"]
        wanted = ["benchmark", *kinds, "removed", "reported"]
        said.append(table(heads, [[line[name] for name in wanted] for line in some]))
    if none := [line["benchmark"] for line in lines if not line["examples"]]:
        said.append(f"nothing was found of {', '.join(none)}")
    return "\n".join(said)


def _readable(benchmark: str, found: dict[str, Any]) -> str:
    """A finding in three lines: what it is of which benchmark, what stands in ours, and what in theirs."""
    from vita_data.verdicts.found import measured_words

    fate = "leaves" if found["removes"] else "is only reported"
    facts = f" ({', '.join(measured)})" if (measured := measured_words(found)) else ""
    head = f"\n{click.style(benchmark, bold=True)}: {HEADS[found['how']]}{facts}, {fate}"
    sides = [("ours", found["key"], found["ours"]), ("theirs", found["theirs"], found["question"])]
    width = max(len(name or "") for _, name, _ in sides)
    return "\n".join(
        [
            head,
            *(
                f"{side:>8}  {name:{width}}  {_on_a_line(words)}".rstrip()
                for side, name, words in sides
                if name
            ),
        ]
    )


def _on_a_line(words: str | None) -> str:
    return for_terminal(" ".join((words or "").split()))
