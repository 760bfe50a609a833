"""Peak memory of a build as its source grows: 30,000 generated text records against 300,000.

    python benchmarks/memory.py [--small 30000] [--large 300000] [--repeats 3] [--workers 1] [--words 25]

Each build runs in processes of its own from generation to packs; the peak is the largest resident set of any one
process among them, as the kernel counts it.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CARD = """source: generated
title: Generated text
row: {scenario: Pure Text, type: QA, name: Generated}
language: en
licence: CC0-1.0
released: true
get: made by benchmarks/memory.py
root: .
adapter: llava_json
annotations: [text.jsonl]
options: {}
"""
MIXTURE = """mixture: generated
title: Generated text
geometry: {tokenizer: qwen2.5-8k, tile_pixels: 112, tile_tokens: 16, max_tiles: 3, max_length: 2048}
shard_megabytes: 16
sources:
  - {source: generated, questions: all}
"""
WORDS = [
    "red",
    "green",
    "blue",
    "seven",
    "nine",
    "river",
    "mountain",
    "letter",
    "paper",
    "house",
    "window",
    "garden",
    "number",
    "question",
]


def make_source(folder: Path, records: int, words: int) -> None:
    """A JSON Lines file of conversations of so many words a turn, always the same; 25 words make 400 bytes."""
    rng = random.Random(5)
    folder.mkdir()
    (folder / "generated.yaml").write_text(CARD)
    (folder / "mixture.yaml").write_text(MIXTURE)
    with open(folder / "text.jsonl", "w") as out:
        for number in range(records):
            question, answer = (" ".join(rng.choices(WORDS, k=words)) for _ in range(2))
            turns = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
            out.write(json.dumps({"id": number, "conversations": turns}) + "\n")


def peak_megabytes(folder: Path, workers: int) -> float:
    """Builds stage 1.3 of the folder; returns the largest resident set of its processes."""
    command = [str(Path(sys.executable).with_name("vita-data")), "build", "--stage", "1.3", "--mixture"]
    command += [str(folder / "mixture.yaml"), "--out", str(folder / "out"), "--workers", str(workers)]
    measure = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, "
        "stderr=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    said = subprocess.run(
        [sys.executable, "-c", measure, *command], check=True, capture_output=True, text=True
    )
    shutil.rmtree(folder / "out")
    return int(said.stdout) / 1024  # the kernel says kilobytes


def main() -> None:
    """Builds both sizes in turn and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", type=int, default=30_000)
    parser.add_argument("--large", type=int, default=300_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--words", type=int, default=25, help="of a question and of an answer")
    options = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="bench-memory-"))
    peaks: dict[int, list[float]] = {options.small: [], options.large: []}
    for records in peaks:
        make_source(base / str(records), records, options.words)
    for _ in range(options.repeats):
        for records, values in peaks.items():
            values.append(peak_megabytes(base / str(records), options.workers))
    shutil.rmtree(base)
    said = f"{options.workers} workers, {options.words} words, {options.repeats} repeats"
    print(f"{said}, Python {platform.python_version()}\n")
    print("| records | peak MB, median (min to max) |\n|---|---|")
    for records, values in peaks.items():
        print(f"| {records:,} | {statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f}) |")
    ratios = [large / small for small, large in zip(peaks[options.small], peaks[options.large], strict=True)]
    print(f"\nratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
