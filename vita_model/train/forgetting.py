"""Whether a stage has lost what the stages before it had learned, by their own held-out samples.

Every checkpoint carries `scores`: how each stage of its lineage did when it was learned, so that nothing else of those
runs has to be there. Transcripts are a step on the way to hearing: how they fare is told and never stops a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vita_data import files
from vita_data.errors import VitaError
from vita_data.manifest.stage import split_stage
from vita_data.shards.read import Stage
from vita_data.shards.seal import FACTS
from vita_model.train.exam import asking, is_divided, metrics
from vita_model.train.reader import reader_of
from vita_model.train.task import stage_folder

OFF = "off"
ON_THE_WAY = ("wer",)
RELATIVE = ("mel_1024",)  # a distance, of which no share can be taken
ROUNDING = 1e-9


class Forgotten(VitaError):
    """A stage has lost more of an earlier one than its card allows."""


def compared(
    engine: Any, scores: Mapping[str, Any], data: str, tolerance: float | str
) -> list[dict[str, Any]]:
    """{stage, metric, before, after, loss, tolerance, forgotten} of each earlier stage; all ranks call it.

    One whose held-out part is not in the build, or does not fit the model, has a `reason` instead.
    """
    return [_compared(engine, name, scores[name], data, tolerance) for name in sorted(scores)]


def _compared(engine: Any, name: str, before: Mapping[str, Any], data: str, tolerance: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"stage": name, "before": before["metric"]["value"], "tolerance": tolerance}
    row |= {"metric": before["metric"]["name"], "forgotten": False}
    place = stage_folder(data, name)
    held_out = Stage(place).held_out if files.exists(files.join(place, FACTS)) else None
    if held_out is None:
        return row | {"reason": f"{data} holds nothing of it that was held out"}
    try:
        reader = reader_of(place, split_stage(name)[1], engine.module)
    except VitaError as error:
        return row | {"reason": str(error)}
    ask = asking(engine, reader, held_out)
    found, _ = metrics(ask, held_out, before["limit"], is_divided(engine))
    now = found["metric"]
    if found["asked"] != before["asked"] or now is None or now["name"] != row["metric"]:
        return row | {"reason": "other samples of it are held out than when it was learned"}
    row["after"] = now["value"]
    row["loss"] = _loss(row, before["metric"]["better"] == "higher")
    gates = tolerance != OFF and row["metric"] not in ON_THE_WAY
    return row | {"forgotten": bool(gates and row["loss"] > float(tolerance) + ROUNDING)}


def _loss(row: Mapping[str, Any], higher: bool) -> float:
    lost = float(row["before"] - row["after"] if higher else row["after"] - row["before"])
    return lost / row["before"] if row["metric"] in RELATIVE and row["before"] else lost


def words(row: Mapping[str, Any]) -> str:
    """What became of an earlier stage, in a line."""
    if "after" not in row:
        return f"stage {row['stage']} was not asked again: {row['reason']}"
    return f"stage {row['stage']}: {row['metric']} {row['before']:.4f} before, {row['after']:.4f} now"


def require_kept(stage: str, rows: Iterable[Mapping[str, Any]], checkpoint: str) -> None:
    """Raises Forgotten, naming the stage that lost most, where one has lost more than the tolerance."""
    lost = [row for row in rows if row["forgotten"]]
    if not lost:
        return
    worst = max(lost, key=lambda row: float(row["loss"]))
    others = f", and {len(lost) - 1} stages more have" if len(lost) > 1 else ""
    raise Forgotten(
        f"stage {stage} has forgotten of stage {worst['stage']}: {worst['metric']} was {worst['before']:.4f} and is "
        f"{worst['after']:.4f}, a loss of {worst['loss']:.4f} where {worst['tolerance']} is tolerated{others}; "
        f"{checkpoint} is complete: start from it all the same, or train with a lower rate or another mixture."
    )
