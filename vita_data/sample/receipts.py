"""The source sample-receipts: drawn till receipts with the text and box of every word group."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image, ImageDraw

from vita_data.sample import damage
from vita_data.sample.chance import rng
from vita_data.sample.encode import jpeg
from vita_data.sample.fonts import english
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.written import Written, write

NAME = "sample-receipts"
ANNOTATION = "labels.json"
COUNT = 310
LINE = 17  # pixels from one line to the next
SHOPS = ("Corner Grocery", "Green Leaf Market", "Harbour Bakery", "Old Mill Books", "Station Kiosk",
         "Sunrise Cafe", "The Tool Shed", "Village Pharmacy", "North Street Deli", "Paper & Pen")  # fmt: skip
STREETS = (
    "Mill Lane",
    "High Street",
    "Station Road",
    "Park Avenue",
    "Bridge Street",
    "Church Walk",
    "Quay 4",
)
GOODS = ("Bread", "Milk 1 l", "Butter", "Eggs x6", "Apples", "Coffee", "Green tea", "Rice 2 kg", "Soap",
         "Honey", "Batteries", "Notebook", "Tomatoes", "Cheese", "Olive oil", "Pasta", "Oranges",
         "Candles", "Salt", "Umbrella", "Postcard", "Orange juice")  # fmt: skip
PAPERS = ("#fdfdfb", "#f7f3e8", "#f3f5f6", "#fbf6f2")
ENDINGS = ("Thank you!", "Please come again", "Have a nice day", "No refund without receipt", "See you soon")
ILLEGIBLE = "###"


@dataclass(frozen=True)
class Receipt:
    """A drawn receipt and its texts in reading order; the smudged ones cannot be read."""

    picture: Image.Image
    texts: tuple[Written, ...]
    smudged: frozenset[int]


def draw_receipt(random: Random) -> Receipt:
    """A shop's name, the goods with prices that add up, and a greeting."""
    lines = _lines(random)
    width = random.randrange(190, 260, 6)
    picture = Image.new("RGB", (width, 22 + LINE * len(lines)), random.choice(PAPERS))
    font, heading = english(12), english(15)
    texts: list[Written] = []
    for number, (left, right) in enumerate(lines):
        y = 10 + number * LINE + LINE / 2
        if right is None:
            texts.append(write(picture, (width / 2, y), left, heading if number == 0 else font, "mm"))
            continue
        texts.append(write(picture, (10, y), left, font, "lm"))
        texts.append(write(picture, (width - 10, y), right, font, "rm"))
    smudged = frozenset(n for n in range(2, len(texts)) if random.random() < 0.035)
    for number in sorted(smudged):
        ImageDraw.Draw(picture).rectangle(texts[number].box, fill="#8d8983")
    return Receipt(picture, tuple(texts), smudged)


def _lines(random: Random) -> list[tuple[str, str | None]]:
    """Centred lines, or a text at the left with another at the right."""
    day = f"{random.randint(1, 28):02d}.{random.randint(1, 12):02d}.20{random.randint(18, 24)}"
    lines: list[tuple[str, str | None]] = [
        (random.choice(SHOPS), None),
        (f"{random.randint(1, 180)} {random.choice(STREETS)}", None),
        (day, f"{random.randint(7, 20):02d}:{random.randint(0, 59):02d}"),
    ]
    total = 0
    for item in random.sample(GOODS, random.randint(2, 7)):
        cents = random.randint(25, 1899)
        total += cents
        lines.append((item, _money(cents)))
    lines.append(("TOTAL", _money(total)))
    if random.random() < 0.5:
        paid = (total // 1000 + 1) * 1000
        lines += [("Cash", _money(paid)), ("Change", _money(paid - total))]
    else:
        lines.append(("Card", _money(total)))
    lines.append((random.choice(ENDINGS), None))
    return lines


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def make(root: Path) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    (root / "images").mkdir(parents=True)
    entries = [_entry(root, f"gt_{number}", rng(NAME, str(number))) for number in range(COUNT)]
    _shuffle_boxes(entries)
    entries = spread(entries, _rejects(root), rng(NAME, "spread"))
    labels = {entry.native_id: entry.record for entry in entries}
    (root / ANNOTATION).write_text(json.dumps(labels, ensure_ascii=False), encoding="utf-8")
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def _entry(root: Path, name: str, random: Random) -> Entry:
    receipt = draw_receipt(random)
    (root / "images" / f"{name}.jpg").write_bytes(jpeg(receipt.picture, 86).data)
    return Entry(_instances(receipt), 1, name)


def _instances(receipt: Receipt) -> list[dict[str, Any]]:
    instances = []
    for number, text in enumerate(receipt.texts):
        hidden = number in receipt.smudged
        shown = ILLEGIBLE if hidden else text.text
        instances.append({"transcription": shown, "points": text.corners(), "illegibility": hidden})
    return instances


def _shuffle_boxes(entries: list[Entry]) -> None:
    """Give one receipt its boxes in no order, and let one box of another run out of the picture."""
    mixed = list(entries[40].record)
    plain = [each["transcription"] for each in mixed if not each["illegibility"]]
    rng(NAME, "mixed").shuffle(mixed)
    note = "kept: the boxes are listed in no order, the text is read line by line"
    entries[40] = replace(
        entries[40], record=mixed, plant=Plant("unordered_boxes", None, note, {"text": plain})
    )
    wide = [dict(each) for each in entries[80].record]
    wide[0]["points"] = [[-5, 2], [900, 2], [900, 20], [-5, 20]]
    note = "kept: a box reaches beyond the picture"
    entries[80] = replace(entries[80], record=wide, plant=Plant("box_beyond_picture", None, note))
    hidden = next(
        n for n, e in enumerate(entries) if any(each["illegibility"] for each in e.record) and not e.plant
    )
    note = "kept: the illegible text is left out"
    plain = [each["transcription"] for each in entries[hidden].record if not each["illegibility"]]
    plant = Plant("illegible_text", None, note, {"text": plain})
    entries[hidden] = replace(entries[hidden], plant=plant)


def _rejects(root: Path) -> list[Entry]:
    """Three receipts that cannot be used."""
    receipt = draw_receipt(rng(NAME, "broken"))
    whole = jpeg(receipt.picture, 86).data
    images = root / "images"
    (images / f"gt_{COUNT + 1}.jpg").write_bytes(damage.cut_short(whole))
    (images / f"gt_{COUNT + 2}.jpg").write_bytes(whole)
    plain = _instances(receipt)
    nothing = [each | {"transcription": ILLEGIBLE, "illegibility": True} for each in plain]
    lost = Plant("missing_image", "media_missing", "no such file")
    cut = Plant("truncated_jpeg", "image_truncated", "the last 40 % of the file are not there")
    unread = Plant("nothing_legible", "empty_answer", "every text is illegible, so there is no answer")
    return [
        Entry(plain, 0, f"gt_{COUNT}", lost),
        Entry(plain, 0, f"gt_{COUNT + 1}", cut),
        Entry(nothing, 0, f"gt_{COUNT + 2}", unread),
    ]
