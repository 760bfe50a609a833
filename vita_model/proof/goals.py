"""What was aimed at and what was reached, from the scores that the tests left."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from vita_data import files
from vita_model.config.presets import preset
from vita_model.eval.metrics import wilson
from vita_model.eval.paired import compare, read_answers
from vita_model.proof.plan import PRESET, STAGES, Proof
from vita_model.train import checkpoint, saved
from vita_model.train.folder import EVAL, METRICS, read_metrics
from vita_model.train.tensors import Tensors

ANSWERS = "answers.jsonl"
LOWER, TO_THE_BIT = "below 100 %", "all, to the bit"
KEPT = ("language_model", "vision_tower", "speech_adapter")
IS_IT, PLUS = "Is it", "What is this digit plus"


@dataclass(frozen=True)
class Row:
    """One thing that was measured: its share with a 95 % interval of so many, what was aimed at, whether it is met."""

    name: str
    value: float
    interval: tuple[float, float] | None
    count: int
    goal: str = ""
    met: bool | None = None


def rows_of(proof: Proof) -> list[Row]:
    """Every row of the table, of the tests that were made."""
    makers: tuple[Callable[[Proof], Iterator[Row]], ...] = (
        _seen,
        _ignored,
        _heard,
        _unseen,
        _spoken,
        _kept,
        _voices,
        _learned,
    )
    return [row for maker in makers for row in maker(proof)]


def _score(proof: Proof, name: str) -> dict[str, Any] | None:
    path = proof.score(name)
    return files.read_json(str(path)) if path.exists() else None


def _lines(proof: Proof, name: str) -> list[dict[str, Any]]:
    text = (proof.score(name).parent / ANSWERS).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _share(
    name: str, lines: list[dict[str, Any]], goal: str = "", good: Callable[[float], bool] | None = None
) -> Row:
    right = [bool(line["right"]) for line in lines if line.get("right") is not None]
    value = sum(right) / len(right) if right else 0.0
    return Row(name, value, wilson(sum(right), len(right)), len(right), goal, good(value) if good else None)


def _seen(proof: Proof) -> Iterator[Row]:
    for stage in ("1.1", "1.2", "1.3", "2.2"):
        if _score(proof, f"seen-{stage}") is None:
            continue
        lines = _lines(proof, f"seen-{stage}")
        last = stage == "1.3"
        yield _share(
            f"pictures, all questions written, after {stage}",
            lines,
            "at least 95 %" if last else "",
            (lambda value: value >= 0.95) if last else None,
        )
        for kind, name in ((None, "which digit"), (IS_IT, "yes or no"), (PLUS, "sums")):
            yield _share(f"  {name}, after {stage}", [line for line in lines if _asks(line) == kind])


def _asks(line: dict[str, Any]) -> str | None:
    return next((kind for kind in (IS_IT, PLUS) if kind in line["question"]), None)


def _ignored(proof: Proof) -> Iterator[Row]:
    """What is left where the picture is blank or the sound silent: chance, if the questions are balanced."""
    for name, what, asked in (
        ("seen-1.3-blank", "blank picture, written, after 1.3", "written"),
        ("spoken-2.2-blank", "blank picture, spoken, after 2.2", "spoken"),
        ("spoken-2.2-silent", "silence, spoken, after 2.2", "spoken"),
    ):
        if _score(proof, name) is None:
            continue
        lines = [line for line in _lines(proof, name) if line["asked"] == asked]
        yes = [line for line in lines if _asks(line) == IS_IT]
        yield _share(f"{what}: yes or no", yes, "at most 55 %", lambda value: value <= 0.55)
        sums = [line for line in lines if _asks(line) == PLUS]
        yield _share(f"{what}: sums", sums, "at most 15 %", lambda value: value <= 0.15)


def _heard(proof: Proof) -> Iterator[Row]:
    for stage, way in (("2.1a", "ctc"), ("2.1b", "lm")):
        found = _score(proof, f"known-{stage}")
        if found is None or way not in found:
            continue
        total = found[way]["total"]
        yield Row(
            f"WER, new takes of known speakers, {stage} ({way.upper()})",
            total["wer"],
            tuple(total["interval"]),
            total["words"],
            "at most 5 %",
            total["wer"] <= 0.05,
        )


def _unseen(proof: Proof) -> Iterator[Row]:
    for speaker in proof.speakers:
        path = proof.out / "scores" / f"yardstick-{speaker}.json"
        found = _score(proof, f"unseen-{speaker}")
        if found is None or not path.exists():
            continue
        yardstick = files.read_json(str(path))
        bar = yardstick["errors"] / 2
        yield Row(
            f"errors on {speaker}, unseen: MFCC and SVM, single digits",
            yardstick["errors"],
            tuple(yardstick["interval"]),
            yardstick["clips"],
        )
        for way in ("ctc", "lm"):
            total = found[way]["total"]
            goal = f"at most {bar:.1%}, half of the yardstick's"
            yield Row(
                f"WER on {speaker}, unseen, {'2.1a (CTC)' if way == 'ctc' else '2.1b (LM)'}",
                total["wer"],
                tuple(total["interval"]),
                total["words"],
                goal,
                total["wer"] <= bar,
            )


def _spoken(proof: Proof) -> Iterator[Row]:
    found = _score(proof, "spoken-2.2")
    if found is None:
        return
    lines = _lines(proof, "spoken-2.2")
    yield _share("spoken questions, after 2.2", [line for line in lines if line["asked"] == "spoken"])
    spoken = {(one["key"], one["turn"]): one["right"] for one in lines if one["asked"] == "spoken"}
    paired = compare(read_answers(proof.score("seen-2.2").parent / ANSWERS), spoken)
    yield Row(
        "the same questions, spoken minus written, after 2.2",
        paired["difference"],
        paired["interval"],
        paired["questions"],
        "within 2 points",
        abs(paired["difference"]) <= 0.02,
    )
    heard = found["total"].get("state_head", {}).get("heard", {})
    for name, said in heard.items():
        yield Row(
            f"recall of state {name}, what is heard, after 2.2",
            said["recall"],
            tuple(said["interval"]),
            said["questions"],
            "at least 95 %",
            said["recall"] >= 0.95,
        )


def _kept(proof: Proof) -> Iterator[Row]:
    if _score(proof, "seen-1.3") is not None and _score(proof, "seen-2.2") is not None:
        answers = [read_answers(proof.score(name).parent / ANSWERS) for name in ("seen-1.3", "seen-2.2")]
        paired = compare(*answers)
        yield Row(
            "written questions, 2.2 minus 1.3 (forgetting)",
            paired["difference"],
            paired["interval"],
            paired["questions"],
            "the interval includes a loss of at most 2 points",
            paired["interval"][1] >= -0.02,
        )
    if saved.complete(proof.run("3.2")):
        same, count = _alike(proof.run("2.2"), proof.run("3.2"))
        yield Row(
            "tensors of LLM, tower and adapter that 3.2 left as 2.2 made them",
            same / count,
            None,
            count,
            TO_THE_BIT,
            same == count,
        )


def _alike(first: Path, second: Path) -> tuple[int, int]:
    stores = [Tensors(saved.find(run), checkpoint.MODEL) for run in (first, second)]
    names = [name for name in stores[0].names() if name.partition(".")[0] in KEPT]
    return sum(torch.equal(stores[0].read(name), stores[1].read(name)) for name in names), len(names)


def _voices(proof: Proof) -> Iterator[Row]:
    for name, what, aimed in (
        ("plain", "digits of the recordings themselves", False),
        ("coded", "digits of the codec's round trip", True),
        ("said", "digits of spoken answers", True),
    ):
        found = _score(proof, f"voice-{name}")
        if found is None:
            continue
        total = found["ctc"]["total"]
        right = 1.0 - total["wer"]
        low, high = total["interval"]
        yield Row(
            f"{what} recognised by a recogniser trained apart",
            right,
            (1.0 - high, 1.0 - low),
            total["words"],
            "at least 90 %" if aimed else "",
            right >= 0.9 if aimed else None,
        )


def _learned(proof: Proof) -> Iterator[Row]:
    """Whether each training got anywhere: the least that can be asked of a quick proof.

    What learns words or codec tokens is held against a guess among all of them on what is held out, the speech encoder
    and the codec against their own beginning.
    """
    config = preset(PRESET)
    guesses = dict.fromkeys(("1.1", "1.2", "1.3", "2.1b", "2.2"), math.log(config.language.vocabulary))
    guesses["3.2"] = math.log(config.codec.codes)
    for stage, loss in losses(proof).items():
        if stage in guesses:
            share = loss / guesses[stage]
            yield Row(f"held-out loss after {stage} by that of a guess", share, None, 1, LOWER, share < 1.0)
    for stage in ("2.1a", "3.1"):
        if (proof.run(stage) / METRICS).exists():
            values = [float(line["loss"]) for line in read_metrics(proof.run(stage))]
            third = max(1, len(values) // 3)
            share = median(values[-third:]) / median(values[:third])
            name = f"loss of the last third of {stage} by that of the first, medians"
            yield Row(name, share, None, len(values), LOWER, share < 1.0)


def losses(proof: Proof) -> dict[str, float]:
    """The held-out loss after each stage."""
    paths = {stage: proof.run(stage) / EVAL for stage in STAGES}
    said = {stage: files.read_json(str(path)).get("loss") for stage, path in paths.items() if path.exists()}
    return {name: loss for name, loss in said.items() if loss is not None}
