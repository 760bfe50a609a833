"""The samples behind a step of a run, from the order of its packs and the index of its stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vita_data.errors import UsageError
from vita_data.manifest.stage import split_stage
from vita_data.records.key import digest_of
from vita_data.shards.read import Pack, Stage
from vita_model.batch.order import order_of
from vita_model.train import folder
from vita_model.train.task import run_of, stage_folder


def blamed(run: Path, said: dict[str, Any], step: int, data: str) -> dict[str, Any]:
    """{stage, step, steps, packs: [{pack, tokens, samples: [{key, source, tokens}]}], metrics} of a step.

    `said` is the run's run.json, `data` the build it was trained from. UsageError for a step that the training does
    not have, or a stage that was built anew since.
    """
    place = stage_folder(data, said["stage"])
    stage = Stage(place)
    if digest_of("plan", stage.plan, stage.facts["packs"]) != said["plan_digest"]:
        raise UsageError(f"{place} is not what {run} was trained from; name that build with --data.")
    order = order_of(stage, run_of(stage.plan, split_stage(said["stage"])[1]), said["seed"])
    if step >= order.steps:
        raise UsageError(f"the training has the steps 0 to {order.steps - 1}, not {step}; name one of them.")
    lines = (
        {line["step"]: line for line in folder.read_metrics(run)} if (run / folder.METRICS).exists() else {}
    )
    return {
        "stage": said["stage"],
        "step": step,
        "steps": order.steps,
        "packs": [_told(stage, pack) for pack in order.step(step) if pack is not None],
        "metrics": lines.get(step),
    }


def _told(stage: Stage, pack: Pack) -> dict[str, Any]:
    samples = []
    for place in pack.samples:
        table = stage.shard(place.shard).table
        samples.append(
            {
                "key": place.key,
                "source": table.column("source")[place.row].as_py(),
                "tokens": table.column("length")[place.row].as_py(),
            }
        )
    tokens = sum(sample["tokens"] for sample in samples)
    return {"pack": pack.number, "tokens": tokens, "samples": samples}
