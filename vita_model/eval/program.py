"""`vita-model eval`: a model against a stage of a build, or against a folder of recordings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vita_data import files
from vita_data.errors import UsageError
from vita_data.manifest.stage import split_stage
from vita_data.shards.read import Stage
from vita_model.eval.answers import Line
from vita_model.eval.chosen import chosen
from vita_model.eval.opened import Opened, open_model
from vita_model.eval.paired import compare, read_answers
from vita_model.eval.score import score, write_answers
from vita_model.eval.speech import Asked, hear
from vita_model.eval.summary import summary
from vita_model.eval.without import Without
from vita_model.train.reader import reader_of
from vita_model.train.task import stage_folder

EVAL = "eval.json"


@dataclass(frozen=True)
class Options:
    """What the command line says: a model, and the stage it is asked or the folder of recordings it is to hear."""

    run: Path
    stage: str | None = None
    data: str | None = None
    preset: str | None = None
    part: Literal["held-out", "all"] = "held-out"
    without: Without | None = None
    limit: int | None = None
    speech: Path | None = None
    strings: int | None = None
    seed: int = 0
    against: Path | None = None
    out: Path | None = None


def evaluate(options: Options) -> dict[str, Any]:
    """Scores a model; the answer is what eval.json holds, and --out gets that file and answers.jsonl.

    Of a stage {run, checkpoint, stage, part, without, limit, left_out, metric, total, sources}; of recordings
    {run, checkpoint, speech, recordings, unread, strings, seed, ctc, lm}.
    """
    opened = open_model(options.run, options.preset)
    who = {"run": str(options.run), "checkpoint": str(opened.place)}
    if options.speech is not None:
        asked = Asked(options.speech, options.strings, options.seed, options.data)
        found, lines = hear(opened, asked)
    else:
        found, lines = _of_stage(opened, options)
    if options.out is not None:
        write(options.out, {**who, **found}, lines)
    if options.against is not None:
        found["against"] = compare(read_answers(options.against), _right(lines))
    return {**who, **found}


def write(folder: Path, found: dict[str, Any], lines: Iterable[Line]) -> None:
    """Leaves eval.json, last, and answers.jsonl in a folder."""
    write_answers(folder, lines)
    files.write_json(str(folder / EVAL), found)


def _of_stage(opened: Opened, options: Options) -> tuple[dict[str, Any], list[Line]]:
    name = options.stage or opened.said.get("stage")
    if name is None or options.data is None:
        missing = "--stage" if name is None else "--data"
        raise UsageError(f"{options.run} does not say what it is to be asked; give {missing}, or --speech.")
    folder = stage_folder(options.data, name)
    reader = reader_of(folder, split_stage(name)[1], opened.model)
    stage = Stage(folder)
    part = stage if options.part == "all" else stage.held_out
    if part is None:
        raise UsageError(f"{folder} has nothing held out; score all of it with --part all.")
    places = chosen(part, options.limit)
    lines = score(opened.model, reader, part, places, options.without, "state_head" in opened.trained)
    found = {"stage": name, "part": options.part, "without": options.without, "limit": options.limit}
    found["left_out"] = sorted(reader.left_out) if reader else []
    return {**found, **summary(lines, int(stage.plan["seed"]))}, lines


def _right(lines: Iterable[Line]) -> dict[tuple[str, int], bool]:
    return {(line["key"], line["turn"]): line["right"] for line in lines if line.get("right") is not None}
