"""From lines, one an answer, to what a table shows: by source and as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from vita_model.eval.answers import Line
from vita_model.eval.metrics import Errors, resampled, wilson
from vita_model.nets.codec.codebook import code_use

# The first of these that a stage has, for most of its answers, is what it is judged by; and whether more is better.
METRICS = {"exact_match": True, "wer": False, "mel_1024": False, "token_accuracy": True}
MEL = "mel_"


def summary(lines: list[Line], seed: int) -> dict[str, Any]:
    """{metric: {name, value, better}, total, sources: {name: ...}} of the lines of a stage.

    What stands below a source and in total: samples, questions, loss (nats a token) and, of what there is,
    token_accuracy; exact_match with its interval, also by how it was asked; wer and cer with an interval over
    utterances; the recall of each state by what was heard or written; mel distances and the codec's use of its codes.
    `seed` draws the intervals.
    """
    sources = sorted({line["source"] for line in lines})
    whole = _scores(lines, seed)
    few = 2 * whole.get("answered", 0) < whole["questions"]  # mostly free text, which no answer matches
    there = [name for name in METRICS if whole.get(name) is not None and not (few and name == "exact_match")]
    name = there[0] if there else None
    return {
        "metric": name
        and {"name": name, "value": whole[name], "better": "higher" if METRICS[name] else "lower"},
        "total": whole,
        "sources": {
            source: _scores([line for line in lines if line["source"] == source], seed) for source in sources
        },
    }


def share(lines: list[Line]) -> dict[str, Any]:
    """{exact_match, interval, answered} of the lines that were put as questions."""
    right = [bool(line["right"]) for line in lines if line.get("right") is not None]
    return {
        "exact_match": sum(right) / len(right) if right else None,
        "interval": wilson(sum(right), len(right)),
        "answered": len(right),
    }


def transcribed(lines: list[Line], seed: int) -> dict[str, Any]:
    """{wer, interval, cer, word_errors, words} of the lines of transcripts; the interval is over utterances."""
    whole = sum((_errors(line) for line in lines), Errors())
    interval = resampled([line["word_errors"] for line in lines], [line["words"] for line in lines], seed)
    return {
        "wer": whole.wer,
        "interval": interval,
        "cer": whole.cer,
        "word_errors": whole.word_errors,
        "words": whole.words,
    }


def _errors(line: Line) -> Errors:
    return Errors(line["words"], line["word_errors"], line["characters"], line["character_errors"])


def _scores(lines: list[Line], seed: int) -> dict[str, Any]:
    found: dict[str, Any] = {"samples": len({line["key"] for line in lines}), "questions": len(lines)}
    for name, top in (("loss", "loss"), ("token_accuracy", "hits")):
        some = [line for line in lines if top in line]
        tokens = sum(line["tokens"] for line in some)
        if tokens:
            found[name] = sum(line[top] for line in some) / tokens
    if any(line.get("right") is not None for line in lines):
        found |= share(lines) | _by_asked(lines)
    edited = [line for line in lines if "word_errors" in line]
    if edited:
        found |= transcribed(edited, seed)
    found |= _states(lines) | _mels(lines) | _code_use(lines)
    return found


def _by_asked(lines: list[Line]) -> dict[str, Any]:
    """Shares by how the questions were asked, where that is not one way alone."""
    ways = sorted({line["asked"] for line in lines})
    if ways == ["written"]:
        return {}
    return {"asked": {way: share([line for line in lines if line["asked"] == way]) for way in ways}}


def _states(lines: list[Line]) -> dict[str, Any]:
    """The recall of each state: by the token before an answer and by the head, of what was heard and written apart."""
    found: dict[str, Any] = {}
    for name, said in (("state_tokens", "state"), ("state_head", "head")):
        some = [line for line in lines if f"{said}_wanted" in line]
        if some:
            found[name] = {
                part: _recalls([line for line in some if line["heard"] is heard], said)
                for part, heard in (("heard", True), ("written", False))
            }
    return found


def _recalls(lines: Iterable[Line], said: str) -> dict[str, Any]:
    by_class: dict[str, list[bool]] = {}
    for line in lines:
        by_class.setdefault(line[f"{said}_wanted"], []).append(line[said] == line[f"{said}_wanted"])
    return {
        name: {
            "recall": sum(right) / len(right),
            "interval": wilson(sum(right), len(right)),
            "questions": len(right),
        }
        for name, right in sorted(by_class.items())
    }


def _mels(lines: list[Line]) -> dict[str, Any]:
    names = sorted({name for line in lines for name in line if name.startswith(MEL)})
    return {name: sum(line[name] for line in lines) / len(lines) for name in names}


def _code_use(lines: list[Line]) -> dict[str, Any]:
    """Perplexity of the codes and the share of them in use, the global codebooks' as a mean."""
    clips = [line for line in lines if "frame_codes" in line]
    if not clips:
        return {}
    codes = clips[0]["codes"]
    frames = [code for line in clips for code in line["frame_codes"]]
    books = zip(*(line["global_codes"] for line in clips), strict=True)
    counts = torch.stack([torch.bincount(torch.tensor(book), minlength=codes) for book in (frames, *books)])
    perplexity, used = code_use(counts)
    return {
        "code_use": {
            "frame_perplexity": float(perplexity[0]),
            "frame_share": float(used[0]),
            "global_perplexity": float(perplexity[1:].mean()),
            "global_share": float(used[1:].mean()),
        }
    }
