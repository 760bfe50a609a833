"""The folder of benchmarks: three that are always there, and recordings where there is a speech engine."""

from __future__ import annotations

from pathlib import Path

from vita_data.sample.mosaics import Item, write_tables
from vita_data.sample.puzzles import write_puzzles
from vita_data.sample.readings import write_readings
from vita_data.sample.utterances import Utterance


def write(folder: Path, items: dict[str, list[Item]], readings: list[Utterance]) -> None:
    """Writes all benchmarks as their publishers would; no readings, no benchmark of speech."""
    folder.mkdir()
    write_tables(folder, items)
    write_puzzles(folder)
    if readings:
        write_readings(folder, readings)
