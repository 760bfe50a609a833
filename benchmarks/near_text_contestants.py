"""The contestants of `near_text.py`: from files of JSON lines to the ids that are kept, each in a process of its own.

Each takes the files of documents ({"id", "text"} a line), named by language, and a folder for its own files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

THRESHOLD = 0.65
PERMUTATIONS = 128
LANGUAGES = {"en": "eng", "zh": "zho_Hani"}


def rows(folder: Path) -> Iterator[tuple[int, str, str]]:
    """(id, language, text) of every document."""
    for language in LANGUAGES:
        with open(folder / f"{language}.jsonl", encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                yield int(row["id"]), language, row["text"]


def ours(folder: Path, work: Path) -> list[int]:
    """The plain functions of `vita_data.curate`, in memory."""
    from vita_data.curate import minhash, words

    ids, texts = [], []
    for number, _, text in rows(folder):
        ids.append(number)
        texts.append(words.normal_turns([{"from": "gpt", "value": text}]))
    gone = leavers(minhash.signatures(texts))
    return [number for place, number in enumerate(ids) if place not in gone]


def leavers(signatures: Any) -> set[int]:
    """The rows that leave, one band after another compared."""
    import numpy as np

    from vita_data.curate import near

    least = np.full(len(signatures), THRESHOLD, np.float32)
    met = [near.pairs_of_texts(signatures, least, band) for band in near.bands(signatures).T]
    first, later, _ = (np.concatenate(column) for column in zip(*met, strict=True))
    pairs = near.leaving(first, later, np.zeros(len(first), bool), len(signatures))
    return set(later[pairs].tolist())


def datatrove(folder: Path, work: Path, numbers: bool = True, bands: tuple[int, int] = (14, 8)) -> list[int]:
    """Its four steps for each language with that language's words, defaults but that numbers are not folded."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.text import TextNormConfig

    config = MinhashConfig(
        num_buckets=bands[0], hashes_per_bucket=bands[1], norm_config=TextNormConfig(norm_numbers=not numbers)
    )
    kept: list[int] = []
    for language, name in LANGUAGES.items():
        base = work / language
        steps = [str(base / step) for step in ("signatures", "buckets", "cluster", "kept")]

        def reader(language: str = language) -> JsonlReader:
            return JsonlReader(str(folder), glob_pattern=f"{language}.jsonl")

        pipelines = [
            (1, [reader(), MinhashDedupSignature(steps[0], config, language=name)]),
            (config.num_buckets, [MinhashDedupBuckets(steps[0], steps[1], config=config)]),
            (1, [MinhashDedupCluster(steps[1], steps[2], config=config)]),
            (1, [reader(), MinhashDedupFilter(steps[2]), JsonlWriter(steps[3], compression=None)]),
        ]
        for number, (tasks, pipeline) in enumerate(pipelines):
            logs = str(base / f"logs{number}")
            LocalPipelineExecutor(pipeline=pipeline, tasks=tasks, workers=1, logging_dir=logs).run()
        for path in sorted(Path(steps[3]).glob("*.jsonl")):
            with open(path, encoding="utf-8") as file:
                kept += [int(json.loads(line)["id"]) for line in file]
    return kept


def datatrove_as_it_comes(folder: Path, work: Path) -> list[int]:
    """The same with every number folded into one, which is its default."""
    return datatrove(folder, work, numbers=False)


def datatrove_with_our_bands(folder: Path, work: Path) -> list[int]:
    """The same with as many bands, as short as ours, whose candidates it does not verify."""
    return datatrove(folder, work, bands=(25, 5))


def shingle_sets(folder: Path) -> tuple[list[int], list[list[str]]]:
    """Ids, and runs of five words or Chinese characters of each: what a user of a sketch library writes."""
    ids, sets = [], []
    for number, language, text in rows(folder):
        tokens = re.findall(r"\w+" if language == "en" else r"[a-z0-9]+|\w", text.lower())
        count = max(len(tokens) - 4, 1)
        ids.append(number)
        sets.append(list({" ".join(tokens[place : place + 5]) for place in range(count)}))
    return ids, sets


def rensa(folder: Path, work: Path) -> list[int]:
    """`RMinHashDeduplicator`, which verifies candidates by their sketches."""
    from rensa import RMinHash, RMinHashDeduplicator

    ids, sets = shingle_sets(folder)
    sketches = RMinHash.from_token_sets(sets, num_perm=PERMUTATIONS, seed=42)
    known = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=PERMUTATIONS, use_lsh=True)
    added = known.add_pairs(list(zip(map(str, ids), sketches, strict=True)))
    return [number for number, is_new in zip(ids, added, strict=True) if is_new]


def datasketch(folder: Path, work: Path) -> list[int]:
    """`MinHash.bulk` and `MinHashLSH`: a document is kept unless the index of those kept answers."""
    from datasketch import MinHash, MinHashLSH

    ids, sets = shingle_sets(folder)
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    kept = []
    encoded = ([token.encode() for token in tokens] for tokens in sets)
    for number, sketch in zip(ids, MinHash.generator(encoded, num_perm=PERMUTATIONS), strict=True):
        if not index.query(sketch):
            index.insert(number, sketch)
            kept.append(number)
    return kept


CONTESTANTS: dict[str, Callable[[Path, Path], list[int]]] = {
    "ours": ours,
    "datatrove": datatrove,
    "rensa": rensa,
    "datasketch": datasketch,
    "datatrove, numbers folded": datatrove_as_it_comes,
    "datatrove, 25 bands of 5": datatrove_with_our_bands,
}
