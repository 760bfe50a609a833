"""Near duplicates in pure text: this toolkit beside datatrove, rensa and datasketch.

    python benchmarks/near_text.py [--documents 50000] [--seeds 11 12 13] [--million]

Work: JSON lines with English and Chinese documents in, ids of the kept ones out. Near duplicates are planted
(`near_text_documents.py`), with a seed for each repeat. One process for each contestant, in turn within every
repeat; CPU-seconds of the whole process (user and system, start-up and children included), medians and spread,
and the ratio within each repeat. Precision: of what was removed, the share that left a member of its family
behind. Recall: of what could be removed so, the share that was. Seeds below 10 were used for tuning.

`--million` makes signatures of a million texts instead, finds who leaves, and prints memory and time.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from near_text_contestants import CONTESTANTS, leavers
from near_text_documents import CHANGES, Document, documents

PACKAGES = ("datatrove", "rensa", "datasketch", "spacy", "jieba", "numpy")


def write(folder: Path, made: list[Document]) -> None:
    """A file of JSON lines for each language."""
    folder.mkdir(parents=True)
    for language in ("en", "zh"):
        with open(folder / f"{language}.jsonl", "w", encoding="utf-8") as file:
            for number, document in enumerate(made):
                if document.language == language:
                    row = {"id": str(number), "text": document.text}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")


def run(name: str, folder: Path, work: Path) -> tuple[float, set[int]]:
    """CPU-seconds of a contestant's process, and the ids that it kept."""
    work.mkdir(parents=True)
    call = [sys.executable, __file__, "--contestant", name, "--folder", str(folder), "--work", str(work)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(work / "log", "w") as log:
        subprocess.run(call, check=True, stdout=log, stderr=subprocess.STDOUT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, set(json.loads((work / "kept.json").read_text()))


def judged(made: list[Document], kept: set[int]) -> tuple[float, float, dict[str, float]]:
    """(precision, recall, share of the families of two of which one was removed by kind of change)."""
    size = Counter(document.family for document in made)
    left = Counter(made[number].family for number in kept)
    right = sum(min(size[family] - left[family], size[family] - 1) for family in size)
    possible = sum(count - 1 for count in size.values())
    kinds: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for document in made:
        if document.kind and size[document.family] == 2:
            kinds[document.kind] += 1
            found[document.kind] += left[document.family] == 1
    shares = {kind: found[kind] / max(kinds[kind], 1) for kind in CHANGES}
    return right / max(len(made) - len(kept), 1), right / possible, shares


def spread(values: list[float], form: str) -> str:
    """A median with the smallest and largest value."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def race(names: list[str], count: int, seeds: list[int], base: Path) -> list[str]:
    """Markdown tables: CPU-seconds, precision and recall; then the share found by kind of change."""
    results: dict[str, list[tuple[float, float, float, dict[str, float]]]] = {name: [] for name in names}
    for seed in seeds:
        made = documents(count, seed)
        write(base / f"{seed}", made)
        for place, name in enumerate(names):
            seconds, kept = run(name, base / f"{seed}", base / f"{seed}-{place}")
            results[name].append((seconds, *judged(made, kept)))
    lines = [
        "| | CPU-seconds, median (min to max) | theirs / ours | precision | recall |",
        "|---|---|---|---|---|",
    ]
    for name, measured in results.items():
        seconds, precision, recall, _ = (list(column) for column in zip(*measured, strict=True))
        ratios = [theirs / ours[0] for theirs, ours in zip(seconds, results[names[0]], strict=True)]
        ratio = "" if name == names[0] else spread(ratios, ".1f")
        lines.append(
            f"| {name} | {spread(seconds, '.1f')} | {ratio} | {spread(precision, '.4f')} | {spread(recall, '.4f')} |"
        )
    lines += ["", f"| found, of families of two | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for kind in CHANGES:
        shares = (statistics.median(row[3][kind] for row in results[name]) for name in names)
        lines.append(f"| {kind} | {' | '.join(f'{share:.3f}' for share in shares)} |")
    return lines


def million(count: int, each: int = 50_000) -> list[str]:
    """CPU-seconds and peak memory of making signatures, and of finding who leaves."""
    import numpy as np

    from vita_data.curate import minhash, words

    signatures = np.empty((count, minhash.PERMUTATIONS), np.uint32)
    seconds, characters = 0.0, 0
    for seed, start in enumerate(range(0, count, each)):
        texts = [document.text for document in documents(min(each, count - start), 100 + seed)]
        characters += sum(map(len, texts))
        begin = time.process_time()
        normal = [words.normal_turns([{"from": "gpt", "value": text}]) for text in texts]
        signatures[start : start + len(texts)] = minhash.signatures(normal)
        seconds += time.process_time() - begin
    lines = [f"{count:,} texts of {characters / count:.0f} characters: signatures {seconds:.0f} s, {peak()}"]
    begin = time.process_time()
    gone = leavers(signatures)
    seconds = time.process_time() - begin
    return [*lines, f"{len(gone):,} of them leave, found in {seconds:.0f} s, {peak()}"]


def peak() -> str:
    """The largest resident set so far."""
    return f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"


def main() -> None:
    """Runs the race, or a contestant of it, and prints its tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--names", nargs="+", choices=list(CONTESTANTS), default=list(CONTESTANTS)[:4])
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--contestant", choices=list(CONTESTANTS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="for temporary files")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        kept = CONTESTANTS[options.contestant](options.folder, options.work)
        (options.work / "kept.json").write_text(json.dumps(kept))
        return
    if options.million:
        print(*million(1_000_000), sep="\n")
        return
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    print(
        f"{options.documents:,} documents, seeds {options.seeds}; {versions}, Python {platform.python_version()}\n"
    )
    with tempfile.TemporaryDirectory(prefix="bench-near-text-", dir=options.folder) as base:
        print(*race(options.names, options.documents, options.seeds, Path(base)), sep="\n")


if __name__ == "__main__":
    main()
