"""Peak memory and time of reading one large annotation file, beside json.load of the same file.

    python benchmarks/annotations.py [--megabytes 1000] [--repeats 3] [--workdir DIR]

The file holds generated conversations: once as a JSON array, as a JSON object, as JSON Lines and as a CSV whose
cells have quotes and line ends in them. A process of its own slices it and reads every slice; the peak is that
process's largest resident set, as the kernel counts it. json.load is how the public loaders read an array.
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import json
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

WORDS = [
    "red",
    "green",
    "seven",
    "river",
    "mountain",
    "letter",
    "window",
    "garden",
    "number",
    "question",
    "猫",
    "图片",
]
RECORDS_A_MEGABYTE = 730

# form -> file name, adapter's module, class, its options' class, and options
FORMS = {
    "array": ("data.json", "llava_json", "LlavaJson", "LlavaOptions", {}),
    "object": ("problems.json", "qa_rows", "QaRows", "QaRowsOptions", {"format": "object"}),
    "lines": ("data.jsonl", "llava_json", "LlavaJson", "LlavaOptions", {}),
    "csv": ("data.csv", "qa_rows", "QaRows", "QaRowsOptions", {}),
}
READ = """
import importlib, json, resource, sys, time
module, adapter, options_class, options, folder, name = sys.argv[1:]
module = importlib.import_module("vita_data.sources." + module)
started = time.process_time()
adapter = getattr(module, adapter)(getattr(module, options_class)(**json.loads(options)))
split = adapter.split(folder, name, folder + "/scratch")
after_split = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(hasattr(native, "turns") for part in split.slices for native in adapter.read(folder, part))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([count, after_split, peak, time.process_time() - started]))
"""
LOAD = """
import json, resource, sys, time
started = time.process_time()
with open(sys.argv[1], encoding="utf-8") as stream:
    count = len(json.load(stream))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([count, peak, peak, time.process_time() - started]))
"""


def conversations(records: int) -> Iterator[dict[str, object]]:
    """Conversations of about 1.4 kB with a picture, always the same."""
    rng = random.Random(7)
    for number in range(records):
        questions, answers = ([" ".join(rng.choices(WORDS, k=45)) for _ in range(2)] for _ in range(2))
        turns = [
            {"from": role, "value": words}
            for pair in zip(questions, answers, strict=True)
            for role, words in zip(("human", "gpt"), pair, strict=True)
        ]
        turns[0]["value"] = "<image>\n" + turns[0]["value"]
        yield {"id": number, "image": f"{number:012}.jpg", "conversations": turns}


def rows(records: int) -> Iterator[dict[str, object]]:
    """The same words as a question and an answer, with a quoted word."""
    for record in conversations(records):
        first, second, third, fourth = (turn["value"] for turn in record["conversations"])
        yield {
            "id": record["id"],
            "image": record["image"],
            "question": f'{first}\n"{second}"',
            "answer": f"{third}\n{fourth}",
        }


def write(form: str, path: Path, records: int) -> None:
    """The file of a form."""
    with open(path, "w", encoding="utf-8", newline="") as out:
        if form == "csv":
            writer = csv.DictWriter(out, ["id", "image", "question", "answer"])
            writer.writeheader()
            writer.writerows(rows(records))
        elif form == "lines":
            out.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in conversations(records))
        else:
            texts = (
                json.dumps(record, ensure_ascii=False)
                if form == "array"
                else f'"{record["id"]}": {json.dumps(record, ensure_ascii=False)}'
                for record in (conversations(records) if form == "array" else rows(records))
            )
            out.write("[{"[form == "object"])
            for number, text in enumerate(texts):
                out.write((",\n" if number else "") + text)
            out.write("]}"[form == "object"])


def run(code: str, *arguments: str) -> tuple[int, float, float, float]:
    """What a process of its own says: records, MB after slicing, peak MB, CPU-seconds."""
    said = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True
    )
    count, split, peak, seconds = json.loads(said.stdout)
    return count, split / 1024, peak / 1024, seconds  # the kernel says kilobytes


def spread(values: list[float]) -> str:
    """Median with smallest and largest."""
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def measure(form: str, folder: Path, records: int, repeats: int) -> list[str]:
    """Lines of the table for one form; the peer takes its turn within each repeat."""
    name, module, adapter, options_class, options = FORMS[form]
    write(form, folder / name, records)
    size = (folder / name).stat().st_size / 1e6
    ours, theirs = [], []
    for _ in range(repeats):
        ours.append(run(READ, module, adapter, options_class, json.dumps(options), str(folder), name))
        shutil.rmtree(folder / "scratch", ignore_errors=True)
        if form == "array":
            theirs.append(run(LOAD, str(folder / name)))
    (folder / name).unlink()
    counts = {count for count, *_ in [*ours, *theirs]}
    if counts != {records}:
        raise SystemExit(f"{form}: {counts} records were read where {records} were written")
    lines = []
    for label, found in ((form, ours), (f"{form}, json.load", theirs)):
        if found:
            split, peak, seconds = (spread(list(column)) for column in list(zip(*found, strict=True))[1:])
            lines.append(f"| {label} | {size:,.0f} | {records:,} | {split} | {peak} | {seconds} |")
    return lines


def main() -> None:
    """Measures every form and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workdir", type=Path, default=None)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-annotations-", dir=options.workdir))
    try:
        versions = f"Python {platform.python_version()}, ijson {importlib.metadata.version('ijson')}"
        print(f"{versions}, {options.repeats} repeats\n")
        print("| form | MB | records | MB after slicing | peak MB, all read | CPU-seconds |")
        print("|---|---|---|---|---|---|")
        for form in FORMS:
            for line in measure(form, folder, options.megabytes * RECORDS_A_MEGABYTE, options.repeats):
                print(line, flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
