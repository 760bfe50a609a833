"""Bad input, from a folder to a finished stage: each piece ends as a named reject or as one clear error."""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.factories import (
    build_folder,
    jpeg,
    noise,
    record,
    run_build,
    write_lines,
    write_mixture,
    write_source,
)
from vita_data.errors import ManifestError, QuotaError, SourceError, UsageError, VitaError
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
    """Every written sample by its native id: its record and its pictures, read from the shards and the held-out."""
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


def _array(home: Path, data: bytes, **options: Any) -> dict[str, Any]:
    write_source(home, "mine", [], annotations=["data.json"], options=options, tolerance=1)
    (home / "mine" / "data.json").write_bytes(data)
    return run_build(write_mixture(home, {"mine": "all"}), home / "out")


CUT = json.dumps([record(n, "Q", "A") for n in range(5)]).encode()[:-30]


def test_an_array_cut_in_the_middle_stops_the_build_and_says_what_can_be_done(tmp_path: Path) -> None:
    with pytest.raises(VitaError, match=r"data\.json is cut or damaged after record 4 .*on_cut: keep"):
        _array(tmp_path, CUT)
    assert not (tmp_path / "out" / "stages").exists()


def test_what_is_readable_of_a_cut_array_can_be_kept_and_the_cut_is_a_reject(tmp_path: Path) -> None:
    facts = _array(tmp_path, CUT, on_cut="keep")
    (line,) = facts["sources"]
    assert (line["read"], line["kept"], line["rejected"]) == (5, 4, {"read/annotation_cut": 1})


def _stopped(home: Path, kind: type[VitaError] = VitaError, **card: Any) -> str:
    write_source(home, "mine", [record(1, "Q", "A")], **card)
    with pytest.raises(kind) as error:
        run_build(write_mixture(home, {"mine": "all"}), home / "out")
    assert error.value.status == kind.status
    return str(error.value)


def test_a_source_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = _stopped(tmp_path, SourceError, root="nowhere")
    assert said.startswith("source mine: its folder ") and "nowhere is not there; fetch the corpus" in said


@pytest.mark.parametrize("pattern", ["gone.json", "*/data.json", "[mine]/data.json"])
def test_an_annotation_file_that_is_not_there_is_named(tmp_path: Path, pattern: str) -> None:
    assert f"source mine: no file matches {pattern} below " in _stopped(
        tmp_path, SourceError, annotations=[pattern]
    )


def test_an_optional_source_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    write_source(tmp_path, "here", [record(1, "Q", "A")])
    write_source(tmp_path, "gone", [])
    shutil.rmtree(tmp_path / "gone")
    mixture = write_mixture(tmp_path, {"here": "all"})
    text = mixture.read_text().replace(
        '"sources": [', '"sources": [{"source": "gone", "questions": 5, "optional": true}, '
    )
    mixture.write_text(text)
    assert [line["source"] for line in run_build(mixture, tmp_path / "out")["sources"]] == ["here"]


def _parquet(home: Path, columns: dict[str, Any]) -> Path:
    (home / "mine").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), home / "mine" / "data.parquet")
    return home / "mine" / "data.parquet"


def test_a_parquet_file_cut_short_is_named(tmp_path: Path) -> None:
    path = _parquet(tmp_path, {"conversations": [record(1, "Q", "A")["conversations"]]})
    path.write_bytes(path.read_bytes()[:-20])
    said = _stopped(tmp_path, adapter="hf_parquet", annotations=["*.parquet"], options={})
    assert "data.parquet is not a whole parquet file" in said and said.endswith("fetch it again.")


def test_a_parquet_file_without_the_turns_is_named_with_what_it_has(tmp_path: Path) -> None:
    _parquet(tmp_path, {"id": [1], "texts": ["Q"]})
    said = _stopped(tmp_path, adapter="hf_parquet", annotations=["*.parquet"], options={})
    assert "data.parquet has no column 'conversations' but id, texts" in said


@pytest.mark.parametrize("adapter", ["llava", "LlavaJson"])
def test_an_adapter_that_is_none_is_refused_at_its_line(tmp_path: Path, adapter: str) -> None:
    said = _stopped(tmp_path, ManifestError, adapter=adapter)
    assert "mine.yaml:1: adapter" in said and "llava_json" in said


@pytest.mark.parametrize(
    "adapter", ["no_such_module:Reader", "json:NoSuchClass", "json:dumps.x", "vita_data.errors:VitaError"]
)
def test_an_adapter_of_ones_own_that_cannot_be_used_is_named(tmp_path: Path, adapter: str) -> None:
    with pytest.raises(VitaError) as error:
        _build_with(tmp_path, adapter)
    assert f"adapter {adapter}" in str(error.value)


def _build_with(home: Path, adapter: str) -> None:
    write_source(home, "mine", [record(1, "Q", "A")], adapter=adapter)
    run_build(write_mixture(home, {"mine": "all"}), home / "out")


CARD = """source: mine
title: T
row: {scenario: General Image, type: QA, name: Mine}
language: en
licence: CC0-1.0
released: true
get: own
root: mine
adapter: llava_json
annotations: [data.jsonl]
options:
  turns: conversations
  %s
"""


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("imagekey: image", r"mine\.yaml:13: unknown key imagekey; write image_key"),
        ("on_cut: ignore", r"mine\.yaml:13: on_cut is 'ignore'; write "),
        ("merge_same_role: maybe", r"mine\.yaml:13: merge_same_role is 'maybe'; write "),
    ],
)
def test_a_misspelt_adapter_option_is_refused_with_file_and_line(
    tmp_path: Path, option: str, said: str
) -> None:
    write_source(tmp_path, "mine", [record(1, "Q", "A")])
    (tmp_path / "mine.yaml").write_text(CARD % option)
    with pytest.raises(ManifestError, match=said):
        run_build(write_mixture(tmp_path, {"mine": "all"}), tmp_path / "out")


@pytest.mark.parametrize(("word", "rejected"), [("yes", 0), ("no", 1), ("on", 0), ("off", 1)])
def test_an_option_means_what_the_card_says(tmp_path: Path, word: str, rejected: int) -> None:
    told = _turns(1, ("human", "Q"), ("human", "Q"), ("gpt", "A"))
    write_source(tmp_path, "mine", [told])
    (tmp_path / "mine.yaml").write_text(CARD % f"merge_same_role: {word}")
    facts = run_build(write_mixture(tmp_path, {"mine": "all"}), tmp_path / "out")
    assert facts["totals"]["rejected"] == rejected


def test_more_unreadable_records_than_the_tolerance_stop_the_build(tmp_path: Path) -> None:
    records = [_told(n, "gone.jpg") for n in range(3)] + [_told(n) for n in range(97)]
    with pytest.raises(
        SourceError, match=r"source mine: 3 of 100 records could not be read \(3 media_missing\).*2\.00%"
    ):
        build_folder(tmp_path, records, tolerance=0.02)
    facts, _ = build_folder(tmp_path, records, tolerance=0.03)
    assert facts["sources"][0]["kept"] == 97


def test_a_picture_that_comes_back_is_written_by_the_next_build(tmp_path: Path) -> None:
    records = [_told("late", "late.jpg"), *(_told(n) for n in range(20))]
    before, rules = build_folder(tmp_path, records)
    assert rules == {"late": "media_missing"}
    stamp = (tmp_path / "out/catalog/mine/source.json").stat().st_mtime_ns
    again = run_build(tmp_path / "test.yaml", tmp_path / "out")
    assert again == before and (tmp_path / "out/catalog/mine/source.json").stat().st_mtime_ns == stamp
    (tmp_path / "mine/late.jpg").write_bytes(jpeg())
    after = run_build(tmp_path / "test.yaml", tmp_path / "out")
    assert after["sources"][0]["kept"] == 21 and after["totals"]["rejected"] == 0


def test_an_output_folder_of_another_seed_is_left_alone(tmp_path: Path) -> None:
    records = [_told(n) for n in range(20)]
    facts, _ = build_folder(tmp_path, records, settings={"seed": 1})
    with pytest.raises(UsageError, match=r"was built with seed 1, not 2; choose another --out"):
        run_build(tmp_path / "test.yaml", tmp_path / "out", seed=2)
    assert run_build(tmp_path / "test.yaml", tmp_path / "out", seed=1) == facts


def test_fewer_questions_than_asked_stop_the_build_with_both_numbers(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_source(tmp_path, name, [_told(n) for n in range(30)])
    mixture = write_mixture(tmp_path, {"one": 100, "two": 500}, holdout={"share": 0, "least": 0})
    with pytest.raises(QuotaError) as error:
        run_build(mixture, tmp_path / "out")
    for words in (
        "one is asked for 100 questions and has 30",
        "two is asked for 500 questions and has 30",
        "--allow-short",
    ):
        assert words in str(error.value)
    facts = run_build(mixture, tmp_path / "out", allow_short=True)
    assert [line["written"]["questions"] for line in facts["sources"]] == [30, 30]


@pytest.mark.parametrize("data", [b"", b"\n"])
def test_a_source_of_no_records_beside_a_full_one_is_counted_as_nothing(tmp_path: Path, data: bytes) -> None:
    write_source(tmp_path, "full", [_told(n) for n in range(20)])
    write_source(tmp_path, "empty", [])
    (tmp_path / "empty" / "data.jsonl").write_bytes(data)
    facts = run_build(write_mixture(tmp_path, {"empty": "all", "full": "all"}), tmp_path / "out")
    assert [line["read"] for line in facts["sources"]] == [0, 20]


def test_an_annotation_in_a_folder_with_brackets_is_found_by_name(tmp_path: Path) -> None:
    write_source(tmp_path, "mine", [], annotations=["ai2d(gpt4v)[1]/data.jsonl"])
    write_lines(tmp_path / "mine" / "ai2d(gpt4v)[1]", [_told(n) for n in range(3)])
    facts = run_build(write_mixture(tmp_path, {"mine": "all"}), tmp_path / "out")
    assert facts["sources"][0]["read"] == 3


def test_a_file_where_the_output_folder_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(VitaError, match=r"out.* cannot be written"):
        build_folder(tmp_path, [_told(1)])


def test_a_picture_replaced_by_a_pipe_after_it_was_catalogued_is_a_late_reject(tmp_path: Path) -> None:
    noise(tmp_path / "mine" / "a.png", 1)
    mixture = write_mixture(tmp_path, {"mine": "all"}, holdout={"share": 0, "least": 0})
    write_source(tmp_path, "mine", [_told("a", "a.png"), *(_told(n) for n in range(20))])
    run_build(mixture, tmp_path / "out", stage="1.3")
    (tmp_path / "mine" / "a.png").unlink()
    os.mkfifo(tmp_path / "mine" / "a.png")
    shutil.rmtree(tmp_path / "out" / "stages")
    facts = run_build(mixture, tmp_path / "out")
    assert facts["sources"][0]["rejected"] == {"write/medium_changed": 1}
