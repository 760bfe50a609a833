"""Leaks of benchmark questions in training texts: this toolkit beside datatrove's n-gram filter.

    python benchmarks/leaks.py [--questions 30000] [--samples 20000] [--seeds 31 32 33]

Work: JSON lines with English and Chinese samples in, ids of those with a question of a benchmark out; leaks are
planted (`leaks_samples.py`), with a seed for each repeat. The index is built before, in a process of its own. One
process for each contestant, in turn within every repeat; CPU-seconds of the whole process (user and system,
start-up and reading the index included), medians and spread, and the ratio within each repeat. Recall by length
and changed words over all repeats; false: the share of harmless samples found. Seeds below 30 were used for tuning.
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
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from leaks_samples import CHANGES, LENGTHS, Maker, Sample

LANGUAGES = {"en": "eng", "zh": "zho_Hani"}
PACKAGES = ("datatrove", "spacy", "jieba", "numpy")
BATCH = 4096
Found = dict[int, list[int]]  # numbers of questions by that of the sample; -1 for one that is not named
Step = Callable[[Path, Path], Any]


def rows(folder: Path, what: str, language: str) -> Iterator[tuple[int, str]]:
    """(id, text) of a file of JSON lines."""
    with open(folder / f"{what}.{language}.jsonl", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield int(row["id"]), row["text"]


def index_ours(folder: Path, work: Path) -> None:
    """One index for both languages."""
    from vita_data.leaks.questions import QuestionIndex

    every = dict(row for language in LANGUAGES for row in rows(folder, "questions", language))
    QuestionIndex.build([every[number] for number in sorted(every)]).save(str(work / "index"))


def find_ours(folder: Path, work: Path) -> Found:
    """Every finding, equal or near."""
    from vita_data.leaks.questions import QuestionIndex

    index = QuestionIndex.load(str(work / "index"))
    found: Found = {}
    for language in LANGUAGES:
        ids, texts = zip(*rows(folder, "samples", language), strict=True)
        for start in range(0, len(texts), BATCH):
            for finding in index.find(texts[start : start + BATCH]):
                found.setdefault(ids[start + finding.text], []).append(finding.question)
    return found


def config_of(width: int) -> Any:
    """datatrove's defaults, also for n-grams of the question alone, and numbers that stay apart."""
    from datatrove.pipeline.decont.n_grams import NGramsDecontConfig
    from datatrove.utils.text import TextNormConfig

    return NGramsDecontConfig(
        n_grams=width, find_query_ngrams=True, norm_config=TextNormConfig(norm_numbers=False)
    )


def index_datatrove(folder: Path, work: Path, width: int) -> None:
    """Hashes by `NGramsDecontIndexer.compute_hashes`; its constructor wants lighteval, which is not used here."""
    import numpy as np
    from datatrove.pipeline.decont.n_grams import NGramsDecontIndexer
    from datatrove.utils.hashing import create_hash_func
    from datatrove.utils.word_tokenizers import load_word_tokenizer

    for language, name in LANGUAGES.items():
        indexer = object.__new__(NGramsDecontIndexer)
        indexer.config = config_of(width)
        indexer.tokenizer = load_word_tokenizer(name)
        indexer.hash_func = create_hash_func(indexer.config.hash_config)
        hashes = {
            one for _, text in rows(folder, "questions", language) for one in indexer.compute_hashes(text)
        }
        target = work / "index" / language
        target.mkdir(parents=True)
        np.array(sorted(hashes), indexer.config.hash_config.np_descr).tofile(target / "bench.index.hashes")


def find_datatrove(folder: Path, work: Path, width: int) -> Found:
    """`NGramsDecontFilter` for each language with that language's words; what it does not pass on is found."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.decont.n_grams import NGramsDecontFilter
    from datatrove.pipeline.readers import JsonlReader

    left: set[int] = set()
    for language, name in LANGUAGES.items():
        index = str(work / "index" / language)

        def keep(data: Any, rank: int = 0, world_size: int = 1, language: str = language) -> Any:
            (work / f"kept.{language}").write_text("\n".join(document.id for document in data))
            yield from ()

        LocalPipelineExecutor(
            pipeline=[
                JsonlReader(str(folder), glob_pattern=f"samples.{language}.jsonl"),
                NGramsDecontFilter(index, config=config_of(width), language=name),
                keep,
            ],
            tasks=1,
            workers=1,
            logging_dir=str(work / f"logs.{language}"),
        ).run()
        kept = set(map(int, (work / f"kept.{language}").read_text().split()))
        left |= {number for number, _ in rows(folder, "samples", language)} - kept
    return {number: [-1] for number in sorted(left)}


def datatrove(width: int) -> tuple[Step, Step]:
    """Index and filter of n-grams of one width."""
    return (
        lambda folder, work: index_datatrove(folder, work, width),
        lambda folder, work: find_datatrove(folder, work, width),
    )


CONTESTANTS: dict[str, tuple[Step, Step]] = {
    "ours": (index_ours, find_ours),
    "datatrove, 12-grams (default)": datatrove(12),
    "datatrove, 5-grams": datatrove(5),
}


def run(name: str, step: int, folder: Path, work: Path) -> float:
    """CPU-seconds of a process that does one step of a contestant."""
    call = [sys.executable, __file__, "--contestant", name, "--step", str(step)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(work / f"log{step}", "w") as log:
        subprocess.run(
            [*call, "--folder", str(folder), "--work", str(work)],
            check=True,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def write(folder: Path, what: str, made: list[Any]) -> None:
    """A file of JSON lines for each language."""
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        with open(folder / f"{what}.{language}.jsonl", "w", encoding="utf-8") as file:
            for number, one in enumerate(made):
                if one.language == language:
                    file.write(json.dumps({"id": str(number), "text": one.text}, ensure_ascii=False) + "\n")


class Tally:
    """How many samples of each kind there were, and how many were found."""

    def __init__(self) -> None:
        self.made: Counter[tuple[Any, ...]] = Counter()
        self.found: Counter[tuple[Any, ...]] = Counter()
        self.seconds: list[float] = []
        self.building: list[float] = []

    def add(self, samples: list[Sample], found: Found) -> None:
        """Counts the samples of a repeat; a leak is found if its question is named, or none is."""
        for number, sample in enumerate(samples):
            named = found.get(number, [])
            if sample.kind == "leak":
                where = "alone" if sample.alone else "in a document"
                kind = (sample.language, sample.length, sample.changed, where)
                right = sample.question in named or -1 in named
            else:
                kind, right = (sample.language, sample.length, sample.kind), bool(named)
            self.made[kind] += 1
            self.found[kind] += right

    def share(self, *kinds: tuple[Any, ...]) -> str:
        """The share found of some kinds."""
        made = sum(self.made[kind] for kind in kinds)
        return f"{sum(self.found[kind] for kind in kinds) / made:.3f}" if made else ""

    def lines(self) -> list[str]:
        """A Markdown table: recall by length, language and changes, and false findings."""
        heads = [f"{where}, {changed} changed" for where in ("alone", "in a document") for changed in CHANGES]
        heads = [head.replace("0 changed", "verbatim") for head in heads]
        lines = [f"| words | {' | '.join(heads)} | false, from templates | false, other |"]
        lines.append("|---" * (len(heads) + 3) + "|")
        for language in LANGUAGES:
            for length in LENGTHS:
                cells = [
                    self.share((language, length, changed, where))
                    for where in ("alone", "in a document")
                    for changed in CHANGES
                ]
                cells += [self.share((language, length, kind)) for kind in ("template", "other")]
                lines.append(f"| {length}, {language} | {' | '.join(cells)} |")
        other = self.share(*((language, 0, "document") for language in LANGUAGES))
        return [*lines, f"| other documents |{' |' * (len(heads) + 1)} {other} |"]


def spread(values: list[float], form: str) -> str:
    """A median with the smallest and largest value."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def race(names: list[str], options: argparse.Namespace, base: Path) -> list[str]:
    """Markdown tables: CPU-seconds, then what each contestant found."""
    tallies = {name: Tally() for name in names}
    for seed in options.seeds:
        maker, folder = Maker(seed), base / f"{seed}"
        questions = maker.questions(options.questions)
        samples = maker.samples(questions, options.samples, options.each)
        write(folder, "questions", questions)
        write(folder, "samples", samples)
        for place, name in enumerate(names):
            work = base / f"{seed}-{place}"
            work.mkdir()
            tallies[name].building.append(run(name, 0, folder, work))
            tallies[name].seconds.append(run(name, 1, folder, work))
            found = json.loads((work / "found.json").read_text())
            tallies[name].add(samples, {int(number): named for number, named in found.items()})
    first = tallies[names[0]].seconds
    lines = ["| | CPU-seconds, median (min to max) | theirs / ours | building the index |", "|---" * 4 + "|"]
    for name, tally in tallies.items():
        ratios = [theirs / ours for theirs, ours in zip(tally.seconds, first, strict=True)]
        ratio = "" if name == names[0] else spread(ratios, ".1f")
        lines.append(
            f"| {name} | {spread(tally.seconds, '.1f')} | {ratio} | {spread(tally.building, '.1f')} |"
        )
    for name, tally in tallies.items():
        lines += ["", f"{name}:", "", *tally.lines()]
    return lines


def main() -> None:
    """Runs the race, or a step of a contestant of it, and prints its tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, default=30_000)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument(
        "--each", type=int, default=40, help="leaks of each length, language and count of changes"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[31, 32, 33])
    parser.add_argument("--names", nargs="+", choices=list(CONTESTANTS), default=list(CONTESTANTS))
    parser.add_argument("--contestant", choices=list(CONTESTANTS), help=argparse.SUPPRESS)
    parser.add_argument("--step", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="for temporary files")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        result = CONTESTANTS[options.contestant][options.step](options.folder, options.work)
        if options.step:
            (options.work / "found.json").write_text(json.dumps(result))
        return
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    print(
        f"{options.questions:,} questions, {options.samples:,} samples, seeds {options.seeds}; {versions}, "
        f"Python {platform.python_version()}\n"
    )
    with tempfile.TemporaryDirectory(prefix="bench-leaks-", dir=options.folder) as base:
        print(*race(options.names, options, Path(base)), sep="\n")


if __name__ == "__main__":
    main()
