"""A small finished stage with rejects, written by the build's own functions, and a page taken apart."""

from __future__ import annotations

import io
import json
import os
import random
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image

from vita_data import files
from vita_data.manifest.geometry import Geometry
from vita_data.manifest.licence import SAID
from vita_data.packs.window import pack_window, windows_of
from vita_data.prompt.lengths import measure
from vita_data.prompt.template import template_digest
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.records.canon import canonical_bytes
from vita_data.records.key import digest_of, sample_key
from vita_data.records.schema import REJECTS
from vita_data.report.page import write_report
from vita_data.report.traces import SourceTraces, Traces
from vita_data.select.finish import count_index, source_summary, summary
from vita_data.shards.write import ShardSample, write_shard

GEOMETRY = Geometry(tokenizer="qwen2.5-8k", tile_pixels=112, tile_tokens=16, max_tiles=3, max_length=2048)


def picture(size: tuple[int, int] = (120, 80), seed: int | None = None, kind: str = "PNG") -> bytes:
    """A picture of one colour, or of noise when seeded."""
    image = Image.new("RGB", size, (40, 120, 200))
    if seed is not None:
        image = Image.frombytes("RGB", size, random.Random(seed).randbytes(3 * size[0] * size[1]))
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def sample(
    source: str, number: int, media: list[bytes], question: str = "What is it?", language: str = "en"
) -> ShardSample:
    """A sample with pictures and two questions."""
    key = sample_key(source, "data.json", str(number), 0)
    turns = [
        {"from": "human", "value": "<image>\n" * len(media) + question},
        {"from": "gpt", "value": f"A thing, number {number}."},
        {"from": "human", "value": "Sure?"},
        {"from": "gpt", "value": "Yes, <image> is a word here."},
    ]
    sizes = [Image.open(io.BytesIO(data)).size for data in media]
    lengths = measure(turns, sizes, GEOMETRY, load_tokenizer(GEOMETRY.tokenizer))
    names = [f"{key}.{n}.png" for n in range(len(media))]
    return ShardSample(
        key=key,
        record=canonical_bytes({"id": key, "conversations": turns, "image": names, "language": language}),
        media=[("png", data) for data in media],
        questions=2,
        text_tokens=lengths.text_tokens,
        visual_tokens=lengths.visual_tokens,
        length=lengths.length,
        grids=tuple(lengths.grids),
        source=source,
        language=language,
        licence="CC0-1.0",
    )


def reject(source: str, number: int, rule: str, **changes: Any) -> dict[str, Any]:
    """A row of a rejects table; `rule` is step/rule."""
    step, _, name = rule.partition("/")
    row = {
        "key": sample_key(source, "data.json", f"bad {rule} {number}", 0),
        "source": source,
        "annotation": "data.json",
        "position": number,
        "native_id": json.dumps(f"bad-{number}"),
        "step": step,
        "rule": name,
        "value": None,
        "threshold": None,
        "message": f"it broke {name}.",
        "media": [],
    }
    return {**row, **changes}


class Made:
    """A stage folder with its plan, its facts and the roots of its sources, as a build has them."""

    def __init__(
        self, folder: Path, shards: list[list[ShardSample]], sources: list[str], rejects: list[dict[str, Any]]
    ) -> None:
        self.folder = folder
        self.roots = {source: str(folder.parent / "roots" / source) for source in sources}
        for root in self.roots.values():
            os.makedirs(root, exist_ok=True)
        facts = [vars(write_shard(str(folder), n, samples)) for n, samples in enumerate(shards)]
        written = count_index(str(folder), len(shards))
        self.plan = _plan(sources, written)
        digests = {name: self.plan[name] for name in ("geometry_digest", "template_digest")}
        windows = windows_of(len(shards))
        packs = [pack_window(str(folder), n, w, 2048, digests) for n, w in enumerate(windows)]
        count = sum(each["packs"] for each in packs)
        waste = 1 - sum(each["tokens"] for each in packs) / (2048 * count) if count else 0.0
        said = {"windows": len(packs), "count": count, "capacity": 2048, "waste": waste}
        lines = [self._source(line, rejects, written) for line in self.plan["sources"]]
        versions = {"python": "3.11", "pillow": "12"}
        self.facts = summary(self.plan, facts, lines, said, [], versions, ledger_of(sources))

    @property
    def traces(self) -> Traces:
        """Nothing but where the sources lie: no catalog, and no curation."""
        sources = {name: SourceTraces(root) for name, root in self.roots.items()}
        return Traces(str(self.folder.parent), sources)

    def _source(
        self, line: dict[str, Any], rejects: list[dict[str, Any]], written: dict[str, Any]
    ) -> dict[str, Any]:
        rows = sorted((row for row in rejects if row["source"] == line["source"]), key=lambda row: row["key"])
        path = str(self.folder / "rejects" / f"{line['source']}.parquet")
        files.write_table(path, pa.Table.from_pylist(rows, REJECTS))
        rules: dict[str, int] = {}
        for row in rows:
            name = f"{row['step']}/{row['rule']}"
            rules[name] = rules.get(name, 0) + 1
        read = {"read": line["available_samples"] + len(rows) + 5, "content": "0" * 16}
        return source_summary(line, read, rules, (4, 1), written.get(line["source"]))

    def page(self) -> str:
        """The page that is written for this folder."""
        path = write_report(str(self.folder), self.plan, self.facts, self.traces)
        assert path == str(self.folder / "report.html")
        return Path(path).read_text(encoding="utf-8")


def ledger_of(sources: list[str]) -> dict[str, Any]:
    """What a stage says of the licences of sources of which nobody knows more."""
    card = dict.fromkeys(SAID) | {
        "title": "Things",
        "licence": "CC0-1.0",
        "commercial": "allowed",
        "get": "Here.",
    }
    return {"licence": None, "sources": dict.fromkeys(sources, card), "left_out": {}}


def _plan(sources: list[str], written: dict[str, Any]) -> dict[str, Any]:
    lines = []
    for source in sources:
        got = written.get(source, {"samples": 0, "questions": 0})
        lines.append(
            {
                "source": source,
                "row": {"scenario": "General Image", "type": "QA", "name": f"Row of {source}"},
                "language": "en",
                "licence": "CC0-1.0",
                "unit": "questions",
                "share": "1/5",
                "asked": got["questions"],
                "available": got["questions"] + 6,
                "available_samples": got["samples"] + 3,
                "planned": got["questions"],
                "planned_samples": got["samples"],
                "unit_size": 1,
                "short": False,
            }
        )
    return {
        "stage": "1.3",
        "mixture": "trial",
        "seed": 7,
        "pure_text": True,
        "geometry": vars(GEOMETRY),
        "geometry_digest": GEOMETRY.digest(),
        "template_digest": template_digest(False),
        "state_tokens": False,
        "trains": ["projector", "language_model"],
        "loss": "lm",
        "shard_bytes": 1 << 21,
        "hold_out": {"share": "1/100", "least": 20, "extra": 0},
        "sources": lines,
        "digest": digest_of("trial", sources),
    }


class Page(HTMLParser):
    """A page as a browser takes it apart: its elements, and its text by the element that holds it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(name="picture", scope="session")
def picture_fixture() -> Callable[..., bytes]:
    """The function that makes a picture."""
    return picture


@pytest.fixture(name="sample", scope="session")
def sample_fixture() -> Callable[..., ShardSample]:
    """The function that makes a sample."""
    return sample


@pytest.fixture(name="reject", scope="session")
def reject_fixture() -> Callable[..., dict[str, Any]]:
    """The function that makes a row of a rejects table."""
    return reject


@pytest.fixture(name="stage", scope="session")
def stage_fixture() -> type[Made]:
    """What writes a stage folder from shards of samples, names of sources and rejects."""
    return Made


@pytest.fixture(name="parse", scope="session")
def parse_fixture() -> type[Page]:
    """What takes a page apart."""
    return Page
