"""Bad input, from a folder to a finished stage: each piece ends as a named reject or as one clear error."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.factories import (
    build_folder,
    jpeg,
    record,
)
from vita_data.files import read_table
from vita_data.shards.read import Stage

Built = tuple[dict[str, Any], dict[Any, str]]


def _picture(mode: str = "RGB", size: tuple[int, int] = (64, 40)) -> Image.Image:
    across, down = np.meshgrid(np.linspace(0, 250, size[0]), np.linspace(0, 250, size[1]))
    image = Image.fromarray(np.stack([across, down, across / 2], axis=-1).astype(np.uint8))
    image.paste((255, 0, 0), (0, 0, 8, 8))
    return image.convert(mode)


def _bytes(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes that says it has very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def _png16() -> bytes:
    return _bytes(Image.fromarray((np.arange(64 * 40, dtype=np.uint16) * 16).reshape(40, 64)), "PNG")


# name of the file (and id of the record) -> its bytes and the rule that refuses it, or None where it is kept
PICTURES: dict[str, tuple[bytes, str | None]] = {
    "whole.jpg": (_bytes(_picture(), "JPEG"), None),
    "cut.jpg": (_bytes(_picture(), "JPEG")[:-400], "image_truncated"),
    "cut.png": (_bytes(_picture(), "PNG")[:-40], "image_truncated"),
    "zero.jpg": (b"", "image_empty"),
    "page.jpg": (b"<html>404 Not Found</html>", "image_unknown_format"),
    "bomb.png": (_bomb(40_000, 40_000), "image_too_many_pixels"),
    "ribbon.png": (_bytes(_picture(size=(900, 2)), "PNG"), "image_extreme_aspect"),
    "png-inside.jpg": (_bytes(_picture(), "PNG"), None),
    "jpeg-inside.png": (_bytes(_picture(), "JPEG"), None),
    "no-extension": (_bytes(_picture(), "JPEG"), None),
    "cmyk.jpg": (_bytes(_picture("CMYK"), "JPEG", quality=95), None),
    "palette.png": (_bytes(_picture("P"), "PNG"), None),
    "deep.png": (_png16(), None),
    "clear.png": (_bytes(_picture("RGBA"), "PNG"), None),
    "turned.jpg": (_bytes(_picture(), "JPEG", exif=_exif(6)), None),
    "moving.gif": (_bytes(_picture(), "GIF", save_all=True, append_images=[_picture("L")]), None),
    "name with ü,\n🐈.jpg": (_bytes(_picture(), "JPEG"), None),
}


def _told(
    name: Any, *images: str, question: str | None = None, answer: Any = "A", **more: Any
) -> dict[str, Any]:
    made = record(name, "Q", answer, *images)
    if question is not None:
        made["conversations"][0]["value"] = question
    return {**made, **more}


def _turns(name: Any, *said: tuple[Any, Any]) -> dict[str, Any]:
    return {"id": name, "conversations": [{"from": role, "value": value} for role, value in said]}


# id -> a record and the rule that refuses it, or None where it is kept
RECORDS: dict[Any, tuple[Any, str | None]] = {
    "missing": (_told("missing", "gone.jpg"), "media_missing"),
    "upward": (_told("upward", "../secret.jpg"), "path_outside_root"),
    "absolute": (_told("absolute", "/etc/hostname"), "path_outside_root"),
    "link out": (_told("link out", "link.jpg"), "path_outside_root"),
    "folder": (_told("folder", "folder.jpg"), "media_unreadable"),
    "pipe": (_told("pipe", "pipe.jpg"), "media_unreadable"),
    "long name": (_told("long name", "a" * 5000), "media_unreadable"),
    "null in list": (_told("null in list", image=["whole.jpg", None]), "not_a_record"),
    "half a pair": (_told("half a pair", "\ud83d.jpg"), "not_utf8"),
    "role": (_turns("role", ("human", "Q"), ("tool", "A")), "unknown_role"),
    "role list": (_turns("role list", (["human"], "Q"), ("gpt", "A")), "unknown_role"),
    "two questions": (
        _turns("two questions", ("human", "Q"), ("human", "Q"), ("gpt", "A")),
        "roles_alternate",
    ),
    "no answer": (_turns("no answer", ("human", "Q")), "roles_alternate"),
    "empty": (_told("empty", answer=" "), "empty_answer"),
    "null answer": (_told("null answer", answer=None), "empty_answer"),
    "surrogate": (_told("surrogate", answer="\ud83d"), "not_utf8"),
    "more": (_told("more", "whole.jpg", question="<image><image>Q"), "placeholders_match"),
    "fewer": (_told("fewer", "whole.jpg", "whole.jpg", question="<image>Q"), "placeholders_match"),
    "no picture": (_told("no picture", question="<image>Q"), "placeholders_match"),
    "deep": ('{"id": "deep", "conversations": ' + "[" * 10 + "]" * 10 + "}", "not_a_record"),
    "unnamed": (_told("unnamed", "whole.jpg", question="Q"), None),
    "emoji 🐈": (_told("emoji 🐈", answer="🐈\x00图"), None),
    "name\n\tline": (_told("name\n\tline"), None),
    7: (_told(7), None),
    "7": (_told("7"), None),
    2**70: (_told(2**70), None),
    "fields": (_told("fields", score=1e308, extra={"a": [None, {"b": None}]}), None),
    "twice": (_told("twice"), None),
}
FAULTS = {b'{"id": 1, "conversations"': "not_json", b'{"id": "caf\xe9"}': "not_utf8", b"null": "not_a_record"}


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Built]:
    """One build of all the pieces that cost no more than a record."""
    home = tmp_path_factory.mktemp("bad")
    root = home / "mine"
    root.mkdir()
    (home / "secret.jpg").write_bytes(jpeg())
    for name, (data, _) in PICTURES.items():
        (root / name).write_bytes(data)
    (root / "link.jpg").symlink_to(home / "secret.jpg")
    (root / "folder.jpg").mkdir()
    os.mkfifo(root / "pipe.jpg")
    lines = [told.encode() if isinstance(told, str) else told for told, _ in RECORDS.values()]
    pictures = [_told(name, name) for name in PICTURES]
    return home, build_folder(home, [*lines, *pictures, RECORDS["twice"][0], *FAULTS])


@pytest.mark.parametrize("name", [name for name, (_, rule) in PICTURES.items() if rule])
def test_a_picture_that_cannot_be_used_is_refused_with_its_reason(bad: tuple[Path, Built], name: str) -> None:
    assert bad[1][1][name] == PICTURES[name][1]


@pytest.mark.parametrize("name", [name for name, (_, rule) in RECORDS.items() if rule])
def test_a_record_that_cannot_be_used_is_refused_with_its_reason(bad: tuple[Path, Built], name: Any) -> None:
    assert bad[1][1][name] == RECORDS[name][1]


def test_lines_that_are_no_records_are_refused_by_their_place(bad: tuple[Path, Built]) -> None:
    first = len(RECORDS) + len(PICTURES) + 1
    assert [bad[1][1][first + n] for n in range(len(FAULTS))] == list(FAULTS.values())


def test_everything_that_was_read_is_accounted_for(bad: tuple[Path, Built]) -> None:
    (line,) = bad[1][0]["sources"]
    kept = [name for name, (_, rule) in (RECORDS | PICTURES).items() if rule is None]
    assert line["read"] == len(RECORDS) + len(PICTURES) + 1 + len(FAULTS)
    assert line["kept"] == len(kept) + 1 == line["read"] - sum(line["rejected"].values())
    assert line["kept"] == line["written"]["samples"] + line["held_out"] + line["between"]
    assert not set(kept) & set(bad[1][1])


def _stored(home: Path) -> dict[Any, tuple[dict[str, Any], list[Image.Image]]]:
    """Every written sample by its native id: its record and its pictures, held out or not."""
    stage = Stage(home / "out/stages/1.3")
    shards = [part.shard(n) for part in (stage, stage.held_out) if part for n in range(part.shard_count)]
    samples = [shard.sample(row) for shard in shards for row in range(len(shard))]
    return {
        s.record["native_id"]: (s.record, [Image.open(io.BytesIO(data)) for data in s.media]) for s in samples
    }


def test_numeric_textual_and_doubled_ids_are_all_written(bad: tuple[Path, Built]) -> None:
    ids = [json.loads(row) for row in _catalog_ids(bad[0])]
    assert {7, "7", 2**70} <= set(ids) and ids.count("twice") == 2


def _catalog_ids(home: Path) -> list[str]:
    parts = sorted((home / "out/catalog/mine").glob("part-*.parquet"))
    return [row for part in parts for row in read_table(str(part), ["native_id"]).column(0).to_pylist()]


EXPECTED = {
    "png-inside.jpg": ("PNG", "RGB", (64, 40)),
    "jpeg-inside.png": ("JPEG", "RGB", (64, 40)),
    "no-extension": ("JPEG", "RGB", (64, 40)),
    "cmyk.jpg": ("JPEG", "RGB", (64, 40)),
    "palette.png": ("PNG", "RGB", (64, 40)),
    "deep.png": ("PNG", "L", (64, 40)),
    "clear.png": ("PNG", "RGB", (64, 40)),
    "turned.jpg": ("JPEG", "RGB", (40, 64)),
    "moving.gif": ("PNG", "RGB", (64, 40)),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_unusual_picture_is_stored_the_way_a_person_expects_it(bad: tuple[Path, Built], name: str) -> None:
    _, (image,) = _stored(bad[0])[name]
    assert (image.format, image.mode, image.size) == EXPECTED[name]
    if image.mode == "RGB":
        corner = np.asarray(image.transpose(Image.Transpose.ROTATE_90) if name == "turned.jpg" else image)[
            2:6, 2:6
        ]
        assert np.abs(corner.reshape(-1, 3).mean(0) - (255, 0, 0)).max() < 30
