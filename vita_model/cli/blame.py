"""`vita-model blame`: which samples a step of a run has learned from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vita_data.errors import UsageError
from vita_model.cli.output import as_json_option, reported, show


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--step", required=True, type=click.IntRange(0), help="The step; the first is 0.")
@click.option("--data", help="The build that the run was trained from, where it lies elsewhere now.")
@as_json_option
@reported
def blame(run: Path, step: int, data: str | None, as_json: bool) -> None:
    """List the samples that a step of RUN has learned from, with what the step has measured.

    Reads no media. A sample's key is what `vita-data why` and `vita-data show` take.
    """
    from vita_data import files
    from vita_model.train.blame import blamed

    if not (run / "run.json").exists():
        raise UsageError(f"{run} is no run; name a folder that `vita-model train --out` has made.")
    said = files.read_json(str(run / "run.json"))
    found = blamed(run, said, step, data or said["data"])
    show(found, as_json, "\n".join(_words(found)))


def _words(found: dict[str, Any]) -> list[str]:
    metrics = found["metrics"]
    head = f"step {found['step']} of {found['steps']}, stage {found['stage']}"
    if metrics is not None:
        head += f": loss {metrics['loss']:.4f}, gradient norm {metrics['gradient_norm']:.4f}"
    lines = [head]
    for pack in found["packs"]:
        lines += [f"pack {pack['pack']}, {pack['tokens']} tokens"]
        lines += [f"  {sample['key']:44} {sample['tokens']:>6} tokens" for sample in pack["samples"]]
    if metrics is not None and metrics.get("sources"):
        lines += ["loss by source"]
        lines += [f"  {source:44} {loss:>10.4f}" for source, loss in metrics["sources"].items()]
    return lines
