"""A few samples of every source as the model will get them: pictures, the first turns, and their sizes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from vita_data.report.formats import count, counted, shorten
from vita_data.report.markup import Html, tag
from vita_data.report.measured import Measured
from vita_data.report.thumbnails import Album
from vita_data.shards.read import Sample, Shard

MOST_PER_SOURCE = 3
MOST = 60
PICTURES = 4
THUMBNAIL = 160
BUDGET = 900_000
TURNS = 4
WORDS = 320
LINES = 8
_PLACEHOLDER = re.compile("(<image>|<video>|<audio>)")


def samples_section(folder: str, sources: list[dict[str, Any]], measured: Measured) -> Html:
    """Samples of each source that gave some, chosen by their keys and so the same on every machine."""
    per_source = max(1, min(MOST_PER_SOURCE, MOST // max(1, len(measured.first))))
    chosen = {name: places[:per_source] for name, places in measured.first.items()}
    samples = _read(folder, sorted({(shard, row) for places in chosen.values() for _, shard, row in places}))
    album = Album(THUMBNAIL, BUDGET)
    blocks = []
    for source in sources:
        cards = [
            tag("li", _card(samples[shard, row], album)) for _, shard, row in chosen.get(source["source"], [])
        ]
        if cards:
            blocks.append(tag("h3", source["source"], " ", tag("small", _about(source))))
            blocks.append(tag("ul", *cards, class_="cards"))
    intro = "The samples with the smallest keys of each source. A key ends in a hash, so this is a fair draw."
    return tag("section", tag("h2", "Samples"), tag("p", intro), *blocks, id="samples")


def _read(folder: str, places: list[tuple[int, int]]) -> dict[tuple[int, int], Sample]:
    """The samples at (shard, row), opening each shard once."""
    found: dict[tuple[int, int], Sample] = {}
    for number in sorted({shard for shard, _ in places}):
        shard = Shard(folder, number)
        found |= {(number, row): shard.sample(row) for at, row in places if at == number}
    return found


def _about(source: dict[str, Any]) -> str:
    return (
        f"{source['row']['name']}, {source['row']['type']}, {source['language']}, licence {source['licence']}"
    )


def _card(sample: Sample, album: Album) -> Html:
    turns = sample.record["conversations"]
    language = sample.record.get("language")
    more = counted(max(0, len(turns) - TURNS), "more turn")
    shown = [
        album.picture(data, f"Picture {number} of sample {sample.key}")
        for number, data in enumerate(sample.media[:PICTURES], start=1)
    ]
    if len(sample.media) > PICTURES:
        shown.append(tag("small", f"and {count(len(sample.media) - PICTURES)} more"))
    return tag(
        "article",
        tag("div", *shown, class_="pictures") if shown else None,
        tag("ol", *_turns(turns[:TURNS]), class_="turns", lang="zh" if language == "zh" else None),
        tag("p", f"and {more}", class_="muted") if len(turns) > TURNS else None,
        tag("p", _sizes(sample), class_="sizes"),
        tag("p", tag("code", sample.key), class_="sizes"),
        class_="card sample",
    )


def _turns(turns: list[dict[str, str]]) -> Iterator[Html]:
    """Turns as list items; a placeholder of a question becomes a chip with the number of its medium."""
    seen: Counter[str] = Counter()
    for turn in turns:
        human, words = turn["from"] == "human", shorten(turn["value"].strip(), WORDS, LINES)
        parts: list[str] = []
        # Splitting at a group puts the placeholders at the odd places.
        for number, piece in enumerate(_PLACEHOLDER.split(words) if human else [words]):
            if number % 2:
                seen[piece] += 1
                parts.append(tag("span", f"{piece[1:-1]} {seen[piece]}", class_="chip"))
            else:
                parts.append(piece)
        speaker = tag("span", "Question" if human else "Answer", class_="speaker")
        yield tag("li", speaker, tag("div", *parts, dir="auto"), class_="human" if human else "gpt")


def _sizes(sample: Sample) -> str:
    grids = [f"{columns} × {rows}" for columns, rows in sample.grids]
    questions = sum(turn["from"] == "human" for turn in sample.record["conversations"])
    words = f"{counted(questions, 'question')}, {counted(sample.length, 'token')}"
    return f"{words}, tiles {', '.join(grids[:PICTURES])}" if grids else words
