"""Shards written and read: this toolkit beside mosaicml-streaming, webdataset and litdata.

    python benchmarks/shards.py [--samples 8000] [--repeats 7] [--folder DIR]

Work: JPEG-sized samples of about 14 kB with a caption of a few hundred bytes. Written with hashes and index on
our side, with `hashes=['sha256']` by MDSWriter; read back at random, raw bytes. One process, page cache warm,
contestants in turn within every repeat; samples per CPU-second (user and system), medians and spread, and the
ratio within each repeat, which is what holds when the machine's speed drifts.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import random
import shutil
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

Sample = tuple[str, bytes, bytes]  # key, record, picture


def samples(count: int) -> list[Sample]:
    """Samples of incompressible bytes around 14 kB, always the same."""
    rng = random.Random(7)
    pool = [rng.randbytes(rng.randint(10_000, 18_000)) for _ in range(256)]
    made = []
    for number in range(count):
        key = f"bench-{number:016x}"
        record = json.dumps({"id": key, "conversations": [{"from": "gpt", "value": "a caption " * 30}]})
        made.append((key, record.encode(), pool[number % len(pool)]))
    return made


def write_ours(folder: str, data: list[Sample]) -> None:
    """Tar, sha256 of every member and of the shard, Parquet index, fsync."""
    from vita_data.shards.write import ShardSample, write_shard

    half = len(data) // 2  # two shards, as the others cut them by size
    for number, part in enumerate((data[:half], data[half:])):
        write_shard(
            folder, number, (ShardSample(key, record, [("jpg", picture)]) for key, record, picture in part)
        )


def write_webdataset(folder: str, data: list[Sample]) -> None:
    """`webdataset.ShardWriter`, which hashes nothing and keeps no index."""
    import webdataset

    os.makedirs(folder)
    with webdataset.ShardWriter(f"{folder}/%05d.tar", maxsize=1 << 26, verbose=0) as sink:
        for key, record, picture in data:
            sink.write({"__key__": key, "json": record, "jpg": picture})


def write_mds(folder: str, data: list[Sample]) -> None:
    """`streaming.MDSWriter(hashes=['sha256'])`."""
    from streaming import MDSWriter

    columns = {"key": "str", "json": "bytes", "jpg": "bytes"}
    with MDSWriter(out=folder, columns=columns, hashes=["sha256"], size_limit=1 << 26) as sink:
        for key, record, picture in data:
            sink.write({"key": key, "json": record, "jpg": picture})


def reader_ours(folder: str, data: list[Sample]) -> Callable[[int], Any]:
    """Members of a sample as bytes, through the index."""
    from vita_data.shards.read import Shard

    shards = [Shard(folder, 0), Shard(folder, 1)]
    half = len(shards[0])
    return lambda n: shards[n >= half].read(n - half if n >= half else n)


def as_dict(sample: Sample) -> dict[str, Any]:
    """A sample as litdata stores it."""
    return dict(zip(("key", "json", "jpg"), sample, strict=True))


def reader_litdata(folder: str, data: list[Sample]) -> Callable[[int], Any]:
    """`litdata.StreamingDataset` by number, over chunks that `litdata.optimize` wrote from the same samples."""
    import litdata

    litdata.optimize(fn=as_dict, inputs=data, output_dir=folder, chunk_bytes=1 << 26, num_workers=1)
    dataset = litdata.StreamingDataset(folder)
    return lambda n: dataset[n]


def reader_mds(folder: str, data: list[Sample]) -> Callable[[int], Any]:
    """`streaming.LocalDataset` by number."""
    from streaming import LocalDataset

    dataset = LocalDataset(local=folder)
    return lambda n: dataset[n]


def cpu_seconds(work: Callable[[], Any]) -> float:
    """CPU time of this process that a call takes, its threads included."""
    start = time.process_time()
    work()
    return time.process_time() - start


def race(rates: dict[str, list[float]], base: str) -> list[str]:
    """A Markdown table: medians, spread, and our ratio to each within the repeats."""
    lines = [
        "| | samples per CPU-second, median (min to max) | ours / theirs, median (min to max) |",
        "|---|---|---|",
    ]
    for name, values in rates.items():
        ratios = [ours / theirs for ours, theirs in zip(rates[base], values, strict=True)]
        spread = f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"
        ratio = (
            ""
            if name == base
            else f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
        lines.append(f"| {name} | {spread} | {ratio} |")
    return lines


def read_race(
    readers: dict[str, Callable[[int], Any]], order: list[int], repeats: int
) -> dict[str, list[float]]:
    """Samples per CPU-second of each reader over the same numbers, in turn within every repeat."""
    rates: dict[str, list[float]] = {name: [] for name in readers}
    for repeat in range(repeats + 1):
        for name, get in readers.items():
            seconds = cpu_seconds(lambda get=get: deque(map(get, order), maxlen=0))
            if repeat:
                rates[name].append(len(order) / seconds)
    return rates


def stream_race(base: Path, count: int, repeats: int) -> dict[str, list[float]]:
    """Once through everything, shuffled: litdata by its own iterator, which decodes ahead; ours by a shuffled list."""
    import litdata

    get = reader_ours(str(base / "ours"), [])
    dataset = litdata.StreamingDataset(str(base / "lit"), shuffle=True)
    order = random.Random(4).sample(range(count), count)
    contestants = {
        "ours": lambda: deque(map(get, order), maxlen=0),
        "litdata.StreamingDataset(shuffle=True)": lambda: deque(dataset, maxlen=0),
    }
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for repeat in range(repeats + 1):
        for name, work in contestants.items():
            seconds = cpu_seconds(work)
            if repeat:
                rates[name].append(count / seconds)
    return rates


def main() -> None:
    """Runs both races and prints their tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=8000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--reads", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="bench-shards-", dir=options.folder))
    data = samples(options.samples)
    writers = {
        "ours": write_ours,
        "MDSWriter, sha256": write_mds,
        "webdataset.ShardWriter, no hash": write_webdataset,
    }
    written: dict[str, list[float]] = {name: [] for name in writers}
    for repeat in range(options.repeats + 1):
        for name, write in writers.items():
            folder = base / "write"
            shutil.rmtree(folder, ignore_errors=True)
            seconds = cpu_seconds(lambda write=write, folder=folder: write(str(folder), data))
            if repeat:  # the first is for warming up
                written[name].append(len(data) / seconds)
    write_ours(str(base / "ours"), data)
    write_mds(str(base / "mds"), data)
    readers = {
        "ours": reader_ours(str(base / "ours"), data),
        "litdata.StreamingDataset": reader_litdata(str(base / "lit"), data),
        "streaming.LocalDataset": reader_mds(str(base / "mds"), data),
    }
    rng = random.Random(3)
    anywhere = [rng.randrange(len(data)) for _ in range(options.reads)]
    half = len(data) // 2  # about a chunk of litdata's and a shard of ours
    near = [start + rng.randrange(half) for start in (0, half) for _ in range(options.reads // 2)]
    read = {
        words: read_race(readers, order, options.repeats)
        for words, order in (
            ("Random reads, anywhere", anywhere),
            ("Random reads, one half after the other", near),
        )
    }
    read["Each in the order it likes best, once through"] = stream_race(base, len(data), options.repeats)
    shutil.rmtree(base)
    packages = ("torch", "mosaicml-streaming", "webdataset", "litdata", "pyarrow")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    size = sum(len(record) + len(picture) for _, record, picture in data) / len(data)
    print(
        f"{len(data):,} samples of {size / 1000:.1f} kB, {options.repeats} repeats; {versions}, "
        f"Python {platform.python_version()}\n"
    )
    for words, rates in {"Writing": written, **read}.items():
        print(f"{words}\n", *race(rates, "ours"), "", sep="\n")


if __name__ == "__main__":
    main()
