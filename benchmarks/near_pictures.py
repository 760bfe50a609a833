"""Near duplicates in pictures: this toolkit's perceptual hash and radius beside imagededup's PHash at radius 10.

    python benchmarks/near_pictures.py [--pictures 5000] [--seeds 11,12,13] [--folder DIR] [--hashes 10000000]

Work: base pictures with one changed copy of each, in turn by what was done to it; and 300 pages, charts and
drawings that are all different. Both read the same JPEG files one after the other in this process and then look
for pairs; pictures per CPU-second (user and system, children included), within each seed. The hash was tuned on
seeds 1 and 2. `--hashes` searches so many random 64-bit hashes instead, with planted pairs, and prints CPU-seconds
and peak memory.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import resource
import statistics
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from near_pictures_made import WAYS, bases, jpeg, pages

Pairs = set[tuple[str, str]]
THEIR_RADIUS = 10


def write(folder: Path, count: int, seed: int) -> None:
    """`<number>a.jpg` the bases, `<number>b.jpg` their copies; in `pages` 300 pages."""
    (folder / "pages").mkdir(parents=True)
    (folder / "pictures").mkdir()
    ways = list(WAYS.values())
    for number, base in enumerate(bases(count, seed)):
        copy = ways[number % len(ways)](base, np.random.default_rng((seed, 99, number)))
        (folder / "pictures" / f"{number:05d}a.jpg").write_bytes(jpeg(base, 90))
        (folder / "pictures" / f"{number:05d}b.jpg").write_bytes(copy)
    for number, picture in enumerate(pages(300, seed)):
        (folder / "pages" / f"{number:05d}.jpg").write_bytes(jpeg(picture, 90))


def ours(paths: list[Path]) -> tuple[dict[str, Any], Callable[[], Pairs]]:
    """Hashes by name, and the search among them."""
    from vita_data.curate import hamming, phash

    hashes = {path.name: phash.perceptual_hash(path.read_bytes()) for path in paths}
    names = [name for name, value in hashes.items() if value is not None]

    def search() -> Pairs:
        values = np.array([hashes[name] for name in names], np.uint64)
        return {
            (names[i], names[j])
            for first, later in hamming.index_pairs(values, phash.RADIUS)
            for i, j in zip(first.tolist(), later.tolist(), strict=True)
        }

    return hashes, search


def theirs(paths: list[Path]) -> tuple[dict[str, Any], Callable[[], Pairs]]:
    """`PHash.encode_image` of every file, and `find_duplicates` at its default radius."""
    from imagededup.methods import PHash

    hasher = PHash(verbose=False)
    hashes = {path.name: hasher.encode_image(image_file=path) for path in paths}

    def search() -> Pairs:
        found = hasher.find_duplicates(
            encoding_map=hashes, max_distance_threshold=THEIR_RADIUS, num_dist_workers=0
        )
        return {(min(name, other), max(name, other)) for name, others in found.items() for other in others}

    return hashes, search


CONTESTANTS = {"ours": ours, f"imagededup PHash, {THEIR_RADIUS}": theirs}


def cpu() -> float:
    """CPU-seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def judged(found: Pairs, count: int) -> dict[str, tuple[float, float, int]]:
    """(recall, precision, false pairs) by what was done to the copies, and of all that is not mirrored."""
    ways = list(WAYS)
    true = {pair for pair in found if pair[0][:5] == pair[1][:5]}
    facts = {}
    for place, way in enumerate(ways):
        copies = {f"{number:05d}b.jpg" for number in range(place, count, len(ways))}
        mine = [pair for pair in found if pair[0] in copies or pair[1] in copies]
        right = sum(pair in true for pair in mine)
        facts[way] = (right / len(copies), right / len(mine) if mine else 1.0, len(mine) - right)
    wanted = sum(ways[number % len(ways)] != "mirrored" for number in range(count))
    right = sum(ways[int(pair[0][:5]) % len(ways)] != "mirrored" for pair in true)
    facts["all but mirrored"] = (right / wanted, len(true) / max(1, len(found)), len(found) - len(true))
    return facts


def asked_mirrored(folder: Path, count: int) -> float:
    """Recall of mirrored copies where the mirrored hash of each is asked for."""
    from vita_data.curate import phash

    numbers = range(list(WAYS).index("mirrored"), count, len(WAYS))
    hits = 0
    for number in numbers:
        one, other = (
            phash.perceptual_hash((folder / f"{number:05d}{side}.jpg").read_bytes(), mirrored)
            for side, mirrored in (("a", False), ("b", True))
        )
        hits += one is not None and other is not None and (one ^ other).bit_count() <= phash.RADIUS
    return hits / len(numbers)


def race(folder: Path, count: int) -> dict[str, dict[str, Any]]:
    """What each contestant found in one set of pictures, and how fast."""
    paths, papers = sorted((folder / "pictures").iterdir()), sorted((folder / "pages").iterdir())
    results = {}
    for name, contestant in CONTESTANTS.items():
        contestant(paths[:50])  # warm
        start = cpu()
        hashes, search = contestant(paths)
        hashed = cpu()
        found = search()
        done = cpu()
        results[name] = {
            "ways": judged(found, count),
            "hashing": len(paths) / (hashed - start),
            "whole": len(paths) / (done - start),
            "none": sum(value is None for value in hashes.values()),
            "pages": len(contestant(papers)[1]()),
        }
    results["ours"]["mirrored"] = asked_mirrored(folder / "pictures", count)
    return results


def spread(values: list[float], form: str) -> str:
    """Median (min to max)."""
    low, middle, high = (
        format(value, form) for value in (min(values), statistics.median(values), max(values))
    )
    return middle if low == high else f"{middle} ({low} to {high})"


def report(runs: list[dict[str, dict[str, Any]]]) -> None:
    """Markdown tables over the seeds."""
    names = list(CONTESTANTS)
    print("| | " + " | ".join(f"recall, {name} | precision, {name}" for name in names) + " |")
    print("|---" * (1 + 2 * len(names)) + "|")
    for way in [*WAYS, "all but mirrored"]:
        cells = [
            spread([run[name]["ways"][way][column] for run in runs], ".3f")
            for name in names
            for column in (0, 1)
        ]
        print(f"| {way} | " + " | ".join(cells) + " |")
    asked = spread([run["ours"]["mirrored"] for run in runs], ".3f")
    print(f"| mirrored, the mirrored hash asked | {asked} | | | |\n")
    print("| | " + " | ".join(names) + " | ours / theirs |\n|---|---|---|---|")
    for words, key, form in (
        ("pictures hashed per CPU-second", "hashing", ",.0f"),
        ("pictures per CPU-second, search included", "whole", ",.0f"),
        ("pairs among 300 different pages, charts, drawings", "pages", ",.0f"),
        ("pictures without a hash", "none", ",.0f"),
    ):
        cells = [spread([run[name][key] for run in runs], form) for name in names]
        ratios = (
            [run[names[0]][key] / run[names[1]][key] for run in runs]
            if form and key in ("hashing", "whole")
            else []
        )
        print(f"| {words} | " + " | ".join(cells) + f" | {spread(ratios, '.2f') if ratios else ''} |")
    false = [spread([run[name]["ways"]["all but mirrored"][2] for run in runs], ",.0f") for name in names]
    print("| false pairs | " + " | ".join(false) + " | |")


def search_many(count: int, radius: int) -> None:
    """Random hashes with a thousand pairs planted at every distance up to two beyond the radius."""
    from vita_data.curate import hamming

    rng = np.random.default_rng(5)
    hashes = rng.integers(0, 1 << 64, count, dtype=np.uint64)
    places = rng.permutation(count)[: 2000 * (radius + 2)].reshape(radius + 2, 2, 1000)
    for distance, (some, others) in enumerate(places, 1):
        masks = [
            sum(1 << int(bit) for bit in rng.choice(64, distance, replace=False)) for _ in range(len(some))
        ]
        hashes[others] = hashes[some] ^ np.array(masks, np.uint64)
    start = cpu()
    one, other = hamming.pairs_within(hashes, radius)
    seconds = cpu() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = np.bincount(np.bitwise_count(one ^ other), minlength=radius + 1)
    print(f"{count:,} hashes, radius {radius}: {seconds:,.0f} CPU-seconds, peak {peak:,.0f} MB,")
    print(f"pairs found by distance {found.tolist()}; 1,000 were planted at each from 1 on.")


def main() -> None:
    """Runs the race, or the search, and prints its tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=5000)
    parser.add_argument("--seeds", default="11,12,13")
    parser.add_argument("--folder", type=Path, default=None, help="keep the pictures here")
    parser.add_argument("--hashes", type=int, default=0)
    parser.add_argument("--radius", type=int, default=7, help="of the search in --hashes")
    args = parser.parse_args()
    if args.hashes:
        search_many(args.hashes, args.radius)
        return
    warnings.simplefilter("ignore")
    names = ("imagededup", "pillow", "numpy", "scikit-image", "scikit-learn")
    print(platform.python_version(), {name: importlib.metadata.version(name) for name in names}, "\n")
    with tempfile.TemporaryDirectory() as temporary:
        runs = []
        for seed in map(int, args.seeds.split(",")):
            folder = (args.folder or Path(temporary)) / f"{args.pictures}-{seed}"
            if not folder.exists():
                write(folder, args.pictures, seed)
            runs.append(race(folder, args.pictures))
    report(runs)


if __name__ == "__main__":
    main()
