"""A finding: what one sample has of one benchmark, and of several findings the one that counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

WORDS = 300  # characters of evidence
ITSELF, CONTENT, BOTH, RECORDING, PICTURE, QUESTION = ORDER = (
    "itself",
    "content",
    "picture_and_question",
    "recording",
    "picture",
    "question",
)

FOUND = pa.schema(
    [
        ("key", pa.string()),
        ("benchmark", pa.string()),
        ("theirs", pa.string()),  # the key of the benchmark's item
        ("how", pa.string()),
        (
            "score",
            pa.float32(),
        ),  # of the question, or of the recording's bits: the part that is there, 0 to 1
        ("length", pa.float32()),  # of the benchmark's question, in words
        ("distance", pa.int8()),  # bits in which the pictures differ
        ("mirrored", pa.bool_()),  # whether the picture is the benchmark's left to right; null without one
        ("seconds", pa.float32()),  # how long the sounds are one recording
        ("at", pa.float32()),  # seconds into the sample's sound where that begins
        ("begin", pa.float32()),  # and into the benchmark's
        ("ours", pa.string()),  # what stands in the sample
        ("question", pa.string()),  # what stands in the benchmark
        ("removes", pa.bool_()),
    ]
)


def finding(
    key: str, benchmark: str, item: dict[str, Any] | None, how: str, removes: bool, **facts: Any
) -> dict[str, Any]:
    """A row of FOUND; `item` is the benchmark's, None where the benchmark as a whole is meant."""
    row = {"key": key, "benchmark": benchmark, "how": how, "removes": removes}
    row |= {"theirs": item["key"] if item else None, "question": item["text"][:WORDS] if item else None}
    facts["ours"] = (facts.get("ours") or "")[:WORDS] or None
    return {**dict.fromkeys(FOUND.names), **row, **facts}


def strongest(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One finding for each sample and benchmark, by key and benchmark: what removes, then what says most."""
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for one in found:
        named = (one["key"], one["benchmark"])
        if named not in best or _rank(one) < _rank(best[named]):
            best[named] = one
    return [best[named] for named in sorted(best)]


def _rank(one: dict[str, Any]) -> tuple[Any, ...]:
    """Smaller for the stronger one."""
    distance, score = one["distance"] or 0, one["score"] or 0.0
    return not one["removes"], ORDER.index(one["how"]), distance, -score, one["theirs"] or ""
