"""Pictures and questions of benchmarks in the samples of a part: each alone, and both together.

Where a picture is near, the questions are held against each other directly, however short they are: "What colour is
the car?" says too little to be found in a corpus, and enough below the same picture.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vita_data.curate import hamming, phash
from vita_data.leaks.search import SHARE
from vita_data.verdicts.benchmarks import Benchmarks
from vita_data.verdicts.finding import BOTH, PICTURE, QUESTION, finding

LONG_ENOUGH = 13  # words, or twice as many Chinese characters, from which a question alone is no chance


class Picture(NamedTuple):
    """A picture of a benchmark that is near to one of a sample: the smallest of several is the nearest."""

    distance: int
    mirrored: bool
    item: int


class Asked(NamedTuple):
    """How much of a benchmark's question a sample asks, and what stands there; `length` is that of all it says."""

    score: float
    ours: str
    length: float | None = None


def pictures_and_questions(
    index: Benchmarks,
    keys: list[str],
    turns: list[list[str]],
    seen: list[list[int | None]],
    radius: int | None,
    alone: list[str],
    pure_text: bool,
) -> list[dict[str, Any]]:
    """Findings in samples, by their turns and the hashes of their pictures.

    `radius` is None where a source's pictures look alike by nature; `alone` are the benchmarks whose pictures remove
    a sample whatever it asks.
    """
    found, asked = _questions(index, keys, turns, pure_text)
    pictures = near_pictures(index, seen)
    asked = _asked_of_pictures(index, pictures, turns, radius) | asked
    certain = -1 if radius is None else min(radius, phash.ALONE)
    for sample, some in pictures.items():
        for picture in some:
            item = index.items[picture.item]
            benchmark = item["benchmark"]
            facts: dict[str, Any] = {"distance": picture.distance, "mirrored": picture.mirrored}
            both = asked.get((sample, int(index.same_text[picture.item])))
            if both is not None:
                how, removes = BOTH, True
                facts |= both._asdict()
            else:
                how, removes = PICTURE, picture.distance <= certain and benchmark in alone
                facts["ours"] = "\n".join(turns[sample])
            found.append(finding(keys[sample], benchmark, item, how, removes, **facts))
    return found


def _questions(
    index: Benchmarks, keys: list[str], turns: list[list[str]], pure_text: bool
) -> tuple[list[dict[str, Any]], dict[tuple[int, int], Asked]]:
    """Findings of questions whatever is seen, and by sample and text how much of each is asked."""
    found = []
    asked: dict[tuple[int, int], Asked] = {}
    for one in index.questions.find(["\n".join(some) for some in turns]):
        text = int(index.same_text[one.question])
        asked[one.text, text] = Asked(one.score, one.words, one.length)
        facts = asked[one.text, text]._asdict()
        removes = pure_text and one.length >= LONG_ENOUGH
        for item in index.in_each(text):
            found.append(finding(keys[one.text], item["benchmark"], item, QUESTION, removes, **facts))
    return found, asked


def near_pictures(index: Benchmarks, seen: list[list[int | None]]) -> dict[int, list[Picture]]:
    """For each sample with some: pictures of benchmarks within the radius of its own, the nearest of each question."""
    owners = [number for number, some in enumerate(seen) for value in some if value is not None]
    values = np.array([value for some in seen for value in some if value is not None], np.uint64)
    known = np.asarray(index.hashes).ravel()
    if not len(values) or not len(known):
        return {}
    ours, theirs = hamming.near(values, known, phash.RADIUS)
    distances = np.bitwise_count(values[ours] ^ known[theirs]).tolist()
    turned, places = np.divmod(theirs, len(index.hash_items))
    items = np.asarray(index.hash_items)[places].tolist()
    nearest: dict[tuple[int, str, int], Picture] = {}
    for one, *facts in zip(ours.tolist(), distances, (turned > 0).tolist(), items, strict=True):
        picture = Picture(*facts)
        named = (owners[one], index.items[picture.item]["benchmark"], int(index.same_text[picture.item]))
        nearest[named] = min(picture, nearest.get(named, picture))
    found: dict[int, list[Picture]] = {}
    for (sample, *_), picture in nearest.items():
        found.setdefault(sample, []).append(picture)
    return found


def _asked_of_pictures(
    index: Benchmarks, pictures: dict[int, list[Picture]], turns: list[list[str]], radius: int | None
) -> dict[tuple[int, int], Asked]:
    """By sample and text: the questions of near pictures that a turn of the sample asks, of any length.

    Of pictures that look alike by nature those that are nearly equal: there a short question may be one of many.
    """
    near = phash.RADIUS if radius is not None else phash.ALONE
    pairs = [
        (sample, picture.item, turn)
        for sample, some in pictures.items()
        for picture in some
        if picture.distance <= near
        for turn in turns[sample]
    ]
    asked: dict[tuple[int, int], Asked] = {}
    scores = index.questions.likeness([turn for *_, turn in pairs], [item for _, item, _ in pairs])
    for (sample, item, turn), score in zip(pairs, scores.tolist(), strict=True):
        named = (sample, int(index.same_text[item]))
        if score >= SHARE and (named not in asked or score > asked[named].score):
            asked[named] = Asked(score, turn)
    return asked
