"""Small corpora and builds that tests share: coloured noise with questions about it, in LLaVA's layout."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

from PIL import Image

from pipelines.build import build
from pipelines.choice import RunnerChoice
from pipelines.graphs import GRAPHS
from pipelines.runners import run_graph
from pipelines.settings import BuildSettings

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
    told = [record(f"{name}{n}", f"What is on {n}?", f"Noise number {n}.", f"{n}.png") for n in range(samples)]
    write_source(home, name, told, kind)


def write_mixture(home: Path, sources: dict[str, int | str], name: str = "test", **card: Any) -> Path:
    """A mixture card of sources with their questions; shards of one megabyte."""
    lines = [{"source": source, "questions": questions} for source, questions in sources.items()]
    facts = {"mixture": name, "title": "A test", "shard_megabytes": 1, "sources": lines, **card}
    path = home / f"{name}.yaml"
    text = json.dumps(facts)
    path.write_text(text[:-1] + f', "geometry": {GEOMETRY}}}', encoding="utf-8")
    return path


def run_build(mixture: Path, out: object, stage: str = "1.3", workers: int = 1, **settings: Any) -> dict[str, Any]:
    """Builds in this process; the steps run on Beam's embedded runner."""
    choice = RunnerChoice(workers=workers)

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
