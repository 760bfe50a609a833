"""The source sample-pages-zh: drawn Chinese signs, notices and pages with the text and box of every line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image, ImageDraw

from vita_data.sample import damage, zh_words
from vita_data.sample.chance import rng
from vita_data.sample.encode import jpeg, png
from vita_data.sample.fonts import chinese
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.photo_captions import OUTSIDE
from vita_data.sample.written import Written, write

NAME = "sample-pages-zh"
ANNOTATION = "data.json"
KINDS = {"shop": 90, "notice": 60, "page": 80}
BOARDS = (("#8c1c13", "#ffe9a8"), ("#114b5f", "#f4f4f4"), ("#ffffff", "#a4161a"), ("#f2c14e", "#2b2b2b"),
          ("#1b4332", "#ffffff"), ("#faf3dd", "#3d2c1e"), ("#22223b", "#f2e9e4"))  # fmt: skip
PAGE_PAPERS = ("#ffffff", "#f8f4e6", "#f1f3f2")

Drawn = tuple[Image.Image, list[Written]]


def draw_sign(kind: str, font: Path, random: Random) -> Drawn:
    """A `shop` sign or a `notice`: one large line and up to three small ones."""
    if kind == "shop":
        lines = [random.choice(zh_words.PLACES) + random.choice(zh_words.SHOPS)]
        more = [random.choice(zh_words.HOURS), random.choice(zh_words.OFFERS)]
        more.append(f"{random.choice(zh_words.STREETS)}{random.randint(1, 299)}号")
        lines += random.sample(more, random.randint(0, 3))
    else:
        lines = [random.choice(zh_words.NOTICES), *random.sample(zh_words.DETAILS, random.randint(0, 2))]
    sizes = [random.randrange(30, 47, 4), *[random.choice((15, 17, 19))] * (len(lines) - 1)]
    paper, ink = random.choice(BOARDS)
    width = max(chinese(font, size).getlength(line) for line, size in zip(lines, sizes, strict=True))
    height = sum(size + 12 for size in sizes) + 22
    picture = Image.new("RGB", (round(width) + random.randrange(30, 60), height), paper)
    frame = (3, 3, picture.width - 4, picture.height - 4)
    ImageDraw.Draw(picture).rectangle(frame, outline=ink, width=random.choice((1, 2)))
    texts = []
    y = 16.0
    for line, size in zip(lines, sizes, strict=True):
        texts.append(write(picture, (picture.width / 2, y), line, chinese(font, size), "ma", ink))
        y += size + 12
    return picture, texts


def draw_page(font: Path, random: Random) -> Drawn:
    """A printed page: a title and a few sentences, broken into lines."""
    text = "".join(random.sample(zh_words.SENTENCES, random.randint(3, 6)))
    across = random.randint(11, 16)
    lines = _break(text, across)
    size = random.choice((14, 15, 16))
    width = size * across + 40
    picture = Image.new("RGB", (width, 64 + len(lines) * (size + 8)), random.choice(PAGE_PAPERS))
    texts = [write(picture, (width / 2, 14), random.choice(zh_words.TITLES), chinese(font, size + 5), "ma")]
    for number, line in enumerate(lines):
        texts.append(write(picture, (20, 52 + number * (size + 8)), line, chinese(font, size)))
    return picture, texts


def _break(text: str, across: int) -> list[str]:
    """Lines of at most `across` characters, none of which begins with a comma or a full stop."""
    lines = []
    while text:
        end = across - 1 if text[across : across + 1] in ("，", "。") else across
        lines.append(text[:end])
        text = text[end:]
    return lines


def make(root: Path, font: Path) -> SourceFacts:
    """Write the source into the folder `root` with this font and say what is in it."""
    (root / "imgs").mkdir(parents=True)
    entries = [_entry(root, font, kind, number) for kind, count in KINDS.items() for number in range(count)]
    rng(NAME, "order").shuffle(entries)
    _awkward(entries)
    entries = spread(entries, _rejects(root, font), rng(NAME, "spread"))
    whole = {"data_root": "/somewhere/else/imgs", "data_list": [entry.record for entry in entries]}
    (root / ANNOTATION).write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def _entry(root: Path, font: Path, kind: str, number: int) -> Entry:
    name = f"{kind}_{number:04d}"
    random = rng(NAME, name)
    picture, texts = draw_page(font, random) if kind == "page" else draw_sign(kind, font, random)
    encoded = png(picture) if random.random() < 0.2 else jpeg(picture, 90)
    file = f"{name}.{encoded.extension}"
    (root / "imgs" / file).write_bytes(encoded.data)
    record: dict[str, Any] = {"img_name": file}
    if random.random() < 0.8:
        record["caption"] = random.choice(zh_words.CAPTIONS[kind])
    record["annotations"] = [_annotation(text, picture.size) for text in texts]
    return Entry(record, 1, file)


def _annotation(text: Written, size: tuple[int, int]) -> dict[str, Any]:
    left, upper, right, lower = text.box
    column, row = (left + right) * 3 // (2 * size[0]), (upper + lower) * 3 // (2 * size[1])
    return {
        "polygon": text.corners(),
        "text": text.text,
        "language": "Chinese",
        "valid": True,
        "pos": min(2, row) * 3 + min(2, column),
    }


def _awkward(entries: list[Entry]) -> None:
    """A text that is not valid, boxes in no order, and a text without a box."""

    def change(
        number: int, kind: str, note: str, annotations: list[dict[str, Any]], texts: list[str]
    ) -> None:
        record = entries[number].record | {"annotations": annotations}
        entries[number] = replace(
            entries[number], record=record, plant=Plant(kind, None, note, {"text": texts})
        )

    rich = [n for n, entry in enumerate(entries) if len(entry.record["annotations"]) >= 4]
    first, second, third = rich[3], rich[20], rich[40]
    listed = entries[first].record["annotations"]
    texts = [each["text"] for each in listed]
    noise = {
        "polygon": [[0, 0], [9, 0], [9, 9], [0, 9]],
        "text": "囧",
        "language": "Chinese",
        "valid": False,
        "pos": 0,
    }
    change(first, "invalid_text", "kept: the text marked as not valid is left out", [noise, *listed], texts)
    listed = entries[second].record["annotations"]
    texts = [each["text"] for each in listed]
    note = "kept: the lines are listed from the last to the first, the text is read from the top"
    change(second, "unordered_boxes", note, listed[::-1], texts)
    listed = entries[third].record["annotations"]
    texts = [each["text"] for each in listed]
    note = "kept: a text without a box stands after those that have one"
    change(third, "empty_polygon", note, [*listed[:-1], listed[-1] | {"polygon": []}], texts)


def _rejects(root: Path, font: Path) -> list[Entry]:
    """Two records that cannot be used."""
    picture, texts = draw_sign("shop", font, rng(NAME, "broken"))
    annotations = [_annotation(text, picture.size) for text in texts]
    (root / "imgs" / "broken.png").write_bytes(damage.cut_short(png(picture).data))
    climb, cut = f"../../{OUTSIDE}", "broken.png"
    return [
        Entry(
            {"img_name": climb, "annotations": annotations},
            0,
            climb,
            Plant("path_climbs_out", "path_outside_root", "a path with .. that leads to a real picture"),
        ),
        Entry(
            {"img_name": cut, "annotations": annotations},
            0,
            cut,
            Plant("truncated_png", "image_truncated", "the last 40 % of the file are not there"),
        ),
    ]
