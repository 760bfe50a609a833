"""Small corpora and builds that tests share: coloured noise with questions about it, in LLaVA's layout."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from pipelines.build import build
from pipelines.choice import RunnerChoice
from pipelines.graphs import GRAPHS
from pipelines.runners import run_graph
from pipelines.settings import BuildSettings
from vita_data.catalog import finish
from vita_data.catalog.merge import merge_bucket, part_name, rejects_name
from vita_data.catalog.read import read_batch
from vita_data.catalog.repack import list_container
from vita_data.catalog.splits import load_splits, split_batch, split_items
from vita_data.catalog.task import work_folder
from vita_data.files import read_table
from vita_data.manifest.source import Seconds
from vita_data.media.containers.walk import container_items
from vita_data.media.members import gather_members
from vita_data.records.places import MediaPlaces

GEOMETRY = "{tokenizer: qwen2.5-8k, tile_pixels: 112, tile_tokens: 16, max_tiles: 3, max_length: 2048}"


def noise(path: Path, seed: object, side: int = 96) -> None:
    """A PNG of random pixels, about 3 bytes each, so that a few fill a shard."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = random.Random(str(seed)).randbytes(3 * side * side)
    Image.frombytes("RGB", (side, side), pixels).save(path)


def record(name: object, question: str, answer: str, *images: str) -> dict[str, Any]:
    """A LLaVA record with one question."""
    said = "".join("<image>\n" for _ in images) + question
    turns = [{"from": "human", "value": said}, {"from": "gpt", "value": answer}]
    return {"id": name, **({"image": list(images)} if images else {}), "conversations": turns}


def write_source(
    home: Path, name: str, records: list[Any], kind: str = "QA", scenario: str = "General Image", **card: Any
) -> None:
    """A source of JSON Lines with its card beside its folder."""
    (home / name).mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(each) + "\n" for each in records)
    (home / name / "data.jsonl").write_text(lines, encoding="utf-8")
    facts = {
        "source": name,
        "title": f"Test source {name}",
        "row": {"scenario": scenario, "type": kind, "name": name},
        "language": "en",
        "licence": "CC0-1.0",
        "released": True,
        "get": "made by a test",
        "root": name,
        "adapter": "llava_json",
        "annotations": ["data.jsonl"],
        "options": {"turns": "conversations"},
        "tolerance": 0.5,
        **card,
    }
    (home / f"{name}.yaml").write_text(json.dumps(facts), encoding="utf-8")


def picture_source(home: Path, name: str, samples: int, kind: str = "QA", side: int = 96) -> None:
    """A source with one picture of its own for every sample."""
    for number in range(samples):
        noise(home / name / f"{number}.png", f"{name} {number}", side)
    told = [
        record(f"{name}{n}", f"What is on {n}?", f"Noise number {n}.", f"{n}.png") for n in range(samples)
    ]
    write_source(home, name, told, kind)


def write_mixture(home: Path, sources: dict[str, int | str], name: str = "test", **card: Any) -> Path:
    """A mixture card of sources with their questions; shards of one megabyte; not curated unless `curate` says so."""
    lines = [{"source": source, "questions": questions} for source, questions in sources.items()]
    facts = {
        "mixture": name,
        "title": "A test",
        "shard_megabytes": 1,
        "curate": False,
        "sources": lines,
        **card,
    }
    path = home / f"{name}.yaml"
    text = json.dumps(facts)
    path.write_text(text[:-1] + f', "geometry": {GEOMETRY}}}', encoding="utf-8")
    return path


def run_build(
    mixture: object,
    out: object,
    stage: str = "1.3",
    workers: int = 1,
    runner: RunnerChoice | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Builds in this process; every step runs on `runner`, by default Beam's embedded one."""
    choice = runner or RunnerChoice(workers=workers)

    def run(graph: str, words: str, items: list[Any], total: int, folders: list[str]) -> None:
        if items:
            run_graph(GRAPHS[graph](items), choice, workers)

    said = BuildSettings(stage=stage, mixture=str(mixture), out=str(out), **settings)
    return build(said, run, lambda words: None)


def shard_digests(stage: Path) -> dict[str, str]:
    """sha256 of every shard of a stage, the held-out ones too, by their place below it."""
    tars = sorted([*stage.glob("shards/*.tar"), *stage.glob("eval/shards/*.tar")])
    return {str(tar.relative_to(stage)): hashlib.sha256(tar.read_bytes()).hexdigest() for tar in tars}


def stamps(folder: Path, pattern: str = "**/*") -> dict[str, tuple[int, int]]:
    """inode and time of change of every file below a folder: equal where nothing was written again."""
    found = sorted(path for path in folder.glob(pattern) if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def two_sources(home: Path) -> Path:
    """Eighty questions and sixty captions on pictures of noise: three shards, and a fitting mixture."""
    picture_source(home, "asks", 80)
    picture_source(home, "tells", 60, "Description")
    return write_mixture(home, {"asks": "all", "tells": "all"}, holdout={"share": 0.01, "least": 5})


def jpeg(side: int = 48, seed: object = 0, kind: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a small picture of random pixels."""
    pixels = random.Random(str(seed)).randbytes(3 * side * side)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (side, side), pixels).save(buffer, kind, **options)
    return buffer.getvalue()


@dataclass(frozen=True)
class Catalogued:
    """What the catalog pass made of a source: its summary, its rows, and its rejects."""

    summary: dict[str, Any]
    kept: list[dict[str, Any]]
    rejected: list[dict[str, Any]]

    @property
    def rules(self) -> dict[Any, str]:
        """The rule that refused each record, by its native id (its position where it has none)."""
        named = ((json.loads(row["native_id"]), row) for row in self.rejected)
        return {row["position"] if isinstance(name, dict) else name: row["rule"] for name, row in named}

    @property
    def names(self) -> list[Any]:
        """The native ids of what was kept, in the order of their places."""
        return [json.loads(row["native_id"]) for row in sorted(self.kept, key=lambda row: row["position"])]


def catalogue(
    root: Path,
    folder: Path,
    annotations: tuple[str, ...] = ("data.jsonl",),
    adapter: str = "llava_json",
    source: str = "mine",
    kind: str = "qa",
    media: MediaPlaces | None = None,
    seconds: Seconds | None = None,
    case: str = "as_written",
    language: str = "en",
    **options: Any,
) -> Catalogued:
    """Reads a source by the plain functions of the catalog pass, one after the other, without an engine."""
    facts: dict[str, Any] = {"source": source, "row": "Mine", "kind": kind, "licence": "CC0-1.0"}
    facts["language"] = language
    media = media or MediaPlaces()
    facts |= {"adapter": adapter, "options": options, "frames": {}, "case": case}
    facts |= {"media": asdict(media), "seconds": asdict(seconds or Seconds())}
    names = finish.annotations_of(str(root), list(annotations), source)
    digest = finish.catalog_digest(facts, str(root), names)
    finish.start(str(folder), digest)
    work = work_folder(str(folder))
    items = split_items(adapter, options, str(root), names, work)
    splits = [found for item in items for found in load_splits(split_batch(*item))]
    for item in container_items(media, str(root), str(folder)):
        list_container(*item)
    archives = gather_members(media, str(root), str(folder)) if media.places else None
    task = finish.make_task(facts, str(root), str(folder), names, splits, archives)
    path = task.save()
    buckets: dict[int, list[tuple[str, int]]] = {}
    for number in range(len(task.batches)):
        for bucket, chunk, batch in read_batch(path, number):
            buckets.setdefault(bucket, []).append((chunk, batch))
    for bucket, batches in sorted(buckets.items(), reverse=True):  # in no order that anything could lean on
        merge_bucket(path, bucket, batches[::-1])
    summary = finish.finish(task, digest, splits)
    return Catalogued(summary, *_catalog_rows(folder, summary))


def _catalog_rows(folder: Path, summary: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    kept, rejected = (
        [row for part in summary["parts"] for row in read_table(str(folder / name(part))).to_pylist()]
        for name in (part_name, rejects_name)
    )
    return kept, rejected


def write_lines(root: Path, records: list[Any], name: str = "data.jsonl") -> Path:
    """An annotation file of JSON Lines; bytes are written as they are."""
    root.mkdir(parents=True, exist_ok=True)
    lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in records]
    (root / name).write_bytes(b"\n".join(lines) + b"\n")
    return root


def build_folder(
    home: Path, records: list[Any], stage: str = "1.3", settings: dict[str, Any] | None = None, **card: Any
) -> tuple[dict[str, Any], dict[Any, str]]:
    """Builds a stage from one source of these records; returns its summary and the rule of each reject.

    The pictures lie in `home/mine`, the build in `home/out`; bytes among the records are lines as they are.
    """
    write_source(home, "mine", [], **{"tolerance": 1, **card})
    write_lines(home / "mine", records)
    facts = run_build(write_mixture(home, {"mine": "all"}), home / "out", stage, **(settings or {}))
    table = read_table(str(home / "out" / "stages" / stage / "rejects" / "mine.parquet"))
    return facts, Catalogued({}, [], table.to_pylist()).rules


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


def command(*arguments: object) -> list[str]:
    """The command and its arguments, for this very checkout."""
    return [sys.executable, "-c", "from vita_data.cli.main import main; main()", *map(str, arguments)]


def vita_data(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs the command as a person does, in a process of its own."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=300, env=ENVIRONMENT, **options
    )
