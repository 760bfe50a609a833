"""The source sample-photo-qa: one to four questions on one crop, on two crops, or on none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from vita_data.sample import curated_photos, damage
from vita_data.sample.chance import rng
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.mosaics import Item
from vita_data.sample.native import Turn, conversations, dump, with_image, write_lines
from vita_data.sample.photo_captions import OUTSIDE
from vita_data.sample.photo_questions import on_none, on_one, on_two
from vita_data.sample.planted import place
from vita_data.sample.shots import Shot

NAME = "sample-photo-qa"
ANNOTATION = "questions.jsonl"
ON_ONE, ON_TWO, ON_NONE = 450, 130, 50
PAIR_OPENINGS = (
    "<image>\n<image>\n{}",
    "First picture: <image>\nSecond picture: <image>\n{}",
    "Compare <image> with <image>. {}",
)


def make(root: Path, shots: Sequence[Shot], items: dict[str, list[Item]]) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it; `items` of benchmarks leak into it."""
    images = root / "images"
    images.mkdir(parents=True)
    plain = [shot for shot in shots if shot.plant is None]
    for shot in plain:
        (images / shot.file).write_bytes(shot.data)
    entries = _single(plain) + _pairs(plain) + _texts(plain)
    rng(NAME, "order").shuffle(entries)
    entries = _awkward_records(entries)
    entries = spread(entries, _rejects(images, plain), rng(NAME, "spread"))
    entries = spread(entries, place(root, curated_photos.planted(plain, items)), rng(NAME, "curated"))
    write_lines(root / ANNOTATION, entries)
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def _entry(name: str, image: str | list[str] | None, turns: Sequence[Turn]) -> Entry:
    record: dict[str, Any] = {"id": name, "conversations": conversations(turns)}
    if image is not None:
        record["image"] = image
    return Entry(record, len(turns), name)


def _single(shots: Sequence[Shot]) -> list[Entry]:
    entries = []
    for number in range(ON_ONE):
        random = rng(NAME, "one", str(number))
        shot = shots[number % len(shots)] if number < len(shots) else random.choice(shots)
        turns = with_image(on_one(shot, random, random.randint(1, 4)))
        entries.append(_entry(f"one-{number:04d}", f"images/{shot.file}", turns))
    return entries


def _pairs(shots: Sequence[Shot]) -> list[Entry]:
    entries = []
    for number in range(ON_TWO):
        random = rng(NAME, "two", str(number))
        first, second = _two(shots, random)
        (question, answer), *others = on_two(first, second, random)
        turns = [(random.choice(PAIR_OPENINGS).format(question), answer), *others]
        entries.append(_entry(f"two-{number:04d}", [f"images/{s.file}" for s in (first, second)], turns))
    return entries


def _two(shots: Sequence[Shot], random: Random) -> tuple[Shot, Shot]:
    first = random.choice(shots)
    same = random.random() < 0.4
    others = [s for s in shots if s is not first and (s.place.photo == first.place.photo) == same]
    return first, random.choice(others)


def _texts(shots: Sequence[Shot]) -> list[Entry]:
    """Questions without a picture, none of which is there twice."""
    asked: dict[str, list[Turn]] = {}
    attempt = 0
    while len(asked) < ON_NONE:
        turns = on_none(shots, rng(NAME, "none", str(attempt)))
        asked.setdefault(turns[0][0], turns)
        attempt += 1
    return [_entry(f"none-{n:04d}", None, turns) for n, turns in enumerate(asked.values())]


def _awkward_records(entries: list[Entry]) -> list[Entry]:
    """Give some entries an unusual placeholder or line, which a reader must understand."""
    with_one = [
        n for n, e in enumerate(entries) if isinstance(e.record.get("image"), str) and e.questions > 1
    ]
    last, none, late = rng(NAME, "awkward").sample(with_one, 3)
    entries[last] = _rewrite(
        entries[last],
        0,
        "{}\n<image>",
        Plant("trailing_placeholder", None, "kept: `<image>` ends the question"),
    )
    note = "kept: one image and no placeholder, so `<image>` is put before the first question"
    entries[none] = _rewrite(entries[none], 0, "{}", Plant("no_placeholder_one_image", None, note))
    other = next(
        e.record["image"] for e in entries if isinstance(e.record.get("image"), str) and e.plant is None
    )
    note = "kept: the second image comes with the second question"
    question = "Here is another picture: <image>\nHow many pictures have I shown you by now?"
    moved = _rewrite(entries[late], 1, question, Plant("image_in_later_turn", None, note))
    moved.record["conversations"][3]["value"] = "You have shown me two pictures."
    moved.record["conversations"] = moved.record["conversations"][:4]
    moved.record["image"] = [moved.record["image"], other]
    entries[late] = replace(moved, questions=2)
    blank = Entry(b"", 0, None, Plant("blank_line", None, "ignored: it is no record"))
    entries.insert(len(entries) // 3, blank)
    return entries


def _rewrite(entry: Entry, turn: int, form: str, plant: Plant) -> Entry:
    """The entry with one question, stripped of its placeholder, put into another form."""
    turns = [dict(each) for each in entry.record["conversations"]]
    plain = turns[2 * turn]["value"].replace("<image>\n", "")
    turns[2 * turn]["value"] = form.format(plain)
    return replace(entry, record=entry.record | {"conversations": turns}, plant=plant)


def _rejects(images: Path, shots: Sequence[Shot]) -> list[Entry]:
    """Six records that cannot be used."""
    (images / "not-found.jpg").write_bytes(damage.page_of_errors())
    first, second = (f"images/{shot.file}" for shot in shots[:2])
    ask = [("<image>\nIs this picture in colour?", "Yes.")]
    both = [("<image>\nWhich of the two pictures is lighter?", "The first one.")]
    two = _entry("two-in-a-row", first, ask)
    two.record["conversations"].insert(0, {"from": "human", "value": "Please look at this."})
    return [
        _plant(
            _entry("climber", f"../{OUTSIDE}", ask),
            Plant("path_climbs_out", "path_outside_root", "a path with .. that leads to a real picture"),
        ),
        _plant(
            _entry("absolute", "/etc/passwd", ask),
            Plant("absolute_path", "path_outside_root", "an absolute path"),
        ),
        _plant(
            _entry("not-found", "images/not-found.jpg", ask),
            Plant("web_page_named_jpg", "image_unknown_format", "a web page where a picture should be"),
        ),
        _plant(two, Plant("two_human_turns", "roles_alternate", "two human turns in a row")),
        _plant(
            _entry("one-for-two", [first, second], both),
            Plant("fewer_placeholders", "placeholders_match", "one placeholder, two images"),
        ),
        Entry(
            dump(_entry("cut-line", first, ask).record)[:70].encode(),
            0,
            None,
            Plant("cut_line", "not_json", "the line ends in the middle of a value"),
        ),
    ]


def _plant(entry: Entry, plant: Plant) -> Entry:
    return replace(entry, questions=0, plant=plant)
