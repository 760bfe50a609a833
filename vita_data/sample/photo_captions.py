"""The source sample-photos: crops of photographs with captions that are true of the crop."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from vita_data.sample import damage
from vita_data.sample.chance import rng
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.native import conversations, with_image, write_array
from vita_data.sample.shots import Shot

NAME = "sample-photos"
ANNOTATION = "captions.json"
OUTSIDE = "outside-every-source.jpg"  # a real picture that lies above the sources' folders

PROMPTS = (
    "Describe this picture.",
    "What can you see here?",
    "Give a short description of the image.",
    "Please write a caption for this picture.",
    "Describe what the picture shows and how light it is.",
    "Tell me about this image in a few sentences.",
    "What is this a picture of?",
    "Write down what you notice in this picture.",
    "Describe the content, the colours and the light of this image.",
    "Explain to somebody who cannot see it what this picture looks like.",
    "Summarise this picture.",
    "Say where this crop comes from and what it looks like.",
)
OPENINGS = (
    "This is a detail of a photograph of {subject}.",
    "The picture is a crop from a photograph of {subject}.",
    "It shows a part of a larger photograph, a picture of {subject}.",
    "Somebody has cut this piece out of a photograph of {subject}.",
    "Here we see a section of a photograph that shows {subject}.",
)
PLACES = (
    "The crop comes from the {region} of the photograph.",
    "In the whole photograph it lies in the {region}.",
    "It was cut from the {region} of the original.",
)
FACTS = (
    "In the full photograph, {fact}.",
    "Of the whole picture one can say that {fact}.",
    "What the complete photograph shows: {fact}.",
)


def caption(shot: Shot, random: Random) -> str:
    """A few true sentences on a crop: where it is from, and what was measured in it."""
    photo = shot.place.photo
    opening = random.choice(OPENINGS).format(subject=photo.subject)
    said = [random.choice(PLACES).format(region=shot.place.region())]
    said += [_colour(shot, random), _light(shot, random), *_sides(shot)]
    said.append(random.choice(FACTS).format(fact=random.choice(photo.facts)))
    if random.random() < 0.5:
        said.append(_shape(shot))
    random.shuffle(said)
    return " ".join([opening, *said[: random.randint(3, len(said))]])


def _colour(shot: Shot, random: Random) -> str:
    if shot.grey:
        return random.choice(("It is a black-and-white picture.", "The picture has no colours, only greys."))
    seen = shot.look
    if seen.share > 0.55:
        return f"Most of the crop is {seen.colour}."
    return (
        f"No colour covers more of the crop than {seen.colour}, about {round(seen.share * 20) * 5} percent."
    )


def _light(shot: Shot, random: Random) -> str:
    how = shot.look.lightness()
    return random.choice((f"Overall the crop is {how}.", f"Taken as a whole it is {how}."))


def _sides(shot: Shot) -> list[str]:
    said = []
    side, end = shot.look.lighter_side(), shot.look.lighter_end()
    if side == "neither":
        said.append("Its left and right halves are about equally light.")
    elif side:
        said.append(f"The {side} half is lighter than the {'right' if side == 'left' else 'left'} half.")
    if end in ("upper", "lower"):
        said.append(f"The {end} half is lighter than the {'lower' if end == 'upper' else 'upper'} half.")
    return said


def _shape(shot: Shot) -> str:
    width, height = shot.look.width, shot.look.height
    shape = "square" if width == height else "wider than tall" if width > height else "taller than wide"
    return f"The crop is {shape}, {width} by {height} pixels."


def make(root: Path, shots: Sequence[Shot]) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    images = root / "images"
    images.mkdir(parents=True)
    entries = []
    for shot in shots:
        (images / shot.file).write_bytes(shot.data)
        entries.append(captioned(shot))
    entries = spread(_awkward_records(entries, images), _rejects(images, shots), rng(NAME, "spread"))
    write_array(root / ANNOTATION, entries)
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def captioned(shot: Shot) -> Entry:
    """The record of a crop with its caption."""
    random = rng(NAME, shot.name)
    turns = with_image([(random.choice(PROMPTS), caption(shot, random))])
    record = {"id": shot.name, "image": f"images/{shot.file}", "conversations": conversations(turns)}
    return Entry(record, 1, shot.name, shot.plant)


def _awkward_records(entries: list[Entry], images: Path) -> list[Entry]:
    """Turn some plain entries into ones whose record, not whose picture, is unusual."""
    plain = [number for number, entry in enumerate(entries) if entry.plant is None]
    chosen = iter(rng(NAME, "awkward").sample(plain, 8))

    def change(kind: str, note: str, **fields: Any) -> None:
        number = next(chosen)
        record = {**entries[number].record, **fields}
        record = {name: value for name, value in record.items() if value is not None}
        entries[number] = replace(
            entries[number], record=record, native_id=record.get("id"), plant=Plant(kind, None, note)
        )

    change("numeric_id", "kept: the id is a number", id=4711)
    change("numeric_id_as_text", "kept: not the same id as the number", id="4711")
    change("missing_id", "kept: the position stands for the id", id=None)
    change("duplicate_id", "kept: two records share this id", id="one-id-for-two")
    change("duplicate_id", "kept: two records share this id", id="one-id-for-two")
    change("unknown_fields", "kept: the fields are ignored", url="https://example.org/1.jpg", score=0.25)
    number = next(chosen)
    record = entries[number].record
    note = "kept: the image is named in a list of one"
    entries[number] = replace(
        entries[number],
        record=record | {"image": [record["image"]]},
        plant=Plant("image_in_list", None, note),
    )
    number = next(chosen)
    record = entries[number].record
    odd = f"images/été à la plage {number}{Path(record['image']).suffix}"
    (images.parent / record["image"]).rename(images.parent / odd)
    note = "kept: spaces and accents in a file name"
    entries[number] = replace(
        entries[number], record=record | {"image": odd}, plant=Plant("unusual_file_name", None, note)
    )
    return entries


def _rejects(images: Path, shots: Sequence[Shot]) -> list[Entry]:
    """Five records that cannot be used."""
    whole = next(shot for shot in shots if shot.extension == "jpg" and shot.plant is None)
    (images / "broken-download.jpg").write_bytes(damage.cut_short(whole.data))
    (images / "very-large.png").write_bytes(damage.bomb())
    (images.parent.parent / OUTSIDE).write_bytes(whole.data)
    os.symlink(f"../../{OUTSIDE}", images / "shortcut.jpg")
    first = f"images/{whole.file}"
    return [
        _bad("lost", "images/lost.jpg", Plant("missing_image", "media_missing", "no such file")),
        _bad(
            "broken-download",
            "images/broken-download.jpg",
            Plant("truncated_jpeg", "image_truncated", "the last 40 % of the file are not there"),
        ),
        _bad(
            "very-large",
            "images/very-large.png",
            Plant("decompression_bomb", "image_too_many_pixels", "declares 40,000 x 40,000 pixels"),
        ),
        _bad(
            "shortcut",
            "images/shortcut.jpg",
            Plant("symlink_out_of_root", "path_outside_root", "a link to a picture above the source's root"),
        ),
        _bad(
            "three-for-one",
            first,
            Plant("more_placeholders", "placeholders_match", "three placeholders, one image"),
            "<image>\n<image>\n<image>\nDescribe this picture.",
        ),
    ]


def _bad(name: str, image: str, plant: Plant, question: str = "<image>\nDescribe this picture.") -> Entry:
    turns = [(question, "A photograph.")]
    return Entry({"id": name, "image": image, "conversations": conversations(turns)}, 0, name, plant)
