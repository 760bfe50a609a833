"""Recordings of benchmarks in the sounds of a part, wherever these lie in a sample and whichever is the longer."""

from __future__ import annotations

from typing import Any

from vita_data import files
from vita_data.leaks import prints, sound
from vita_data.verdicts.benchmarks import Benchmarks
from vita_data.verdicts.finding import RECORDING, finding
from vita_data.verdicts.prints import prints_name, read_prints


def recordings(
    folder: str,
    part: int,
    index: Benchmarks,
    rows: list[dict[str, Any]],
    turns: list[list[str]],
    removing: list[str],
) -> list[dict[str, Any]]:
    """Findings in the fingerprints below a folder; those of benchmarks named in `removing` remove a sample."""
    found: list[dict[str, Any]] = []
    first = 0
    for batch in read_prints(files.join(folder, prints_name(part))):
        sounds = [
            (first + place, number, prints.unpacked(data))
            for place, row in enumerate(batch)
            for number, data in enumerate(row["prints"])
            if data
        ]
        for heard in sound.near([one for *_, one in sounds], index.sounds):
            place, number, _ = sounds[heard.sound]
            item = index.items[index.sound_items[heard.recording]]
            names = [medium["native"] for medium in rows[place]["media"] if medium["kind"] == "audio"]
            facts = {
                "score": heard.score,
                "seconds": heard.seconds,
                "at": heard.at,
                "begin": heard.begin,
                "ours": "\n".join(turns[place]) or names[number],
            }
            benchmark = item["benchmark"]
            removes = benchmark in removing
            found.append(finding(rows[place]["key"], benchmark, item, RECORDING, removes, **facts))
        first += len(batch)
    return found
