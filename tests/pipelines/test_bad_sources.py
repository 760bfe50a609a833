"""Bad folders, files and cards: each stops the build with one sentence that names it, or is counted."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

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
from vita_data.shards.read import Stage


def _told(name: Any, *images: str) -> dict[str, Any]:
    return record(name, "Q", "A", *images)


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
    write_source(tmp_path, "mine", [record(1, "Q", "A")], adapter=adapter)
    with pytest.raises(VitaError, match=f"adapter {adapter}"):
        run_build(write_mixture(tmp_path, {"mine": "all"}), tmp_path / "out")


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


def _said(role: str) -> dict[str, str]:
    return {"from": role, "value": "words"}


@pytest.mark.parametrize(("word", "rejected"), [("yes", 0), ("no", 1), ("on", 0), ("off", 1)])
def test_an_option_means_what_the_card_says(tmp_path: Path, word: str, rejected: int) -> None:
    told = {"id": 1, "conversations": [_said("human"), _said("human"), _said("gpt")]}
    write_source(tmp_path, "mine", [told, _told(2)])
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
    (line,) = after["sources"]
    assert line["kept"] == 21 == line["written"]["samples"] + line["held_out"] + line["between"]
    assert after["totals"]["rejected"] == 0
    shard = Stage(tmp_path / "out/stages/1.3").shard(0)
    assert all(shard.sample(row).record["id"] == shard.keys[row] for row in range(len(shard)))


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
def test_a_source_of_no_records_stops_the_build_unless_its_card_can_do_without(
    tmp_path: Path, data: bytes
) -> None:
    write_source(tmp_path, "full", [_told(n) for n in range(20)])
    write_source(tmp_path, "empty", [])
    (tmp_path / "empty" / "data.jsonl").write_bytes(data)
    mixture = write_mixture(tmp_path, {"empty": "all", "full": "all"})
    with pytest.raises(SourceError, match=r"source empty: none of its 0 records can be used"):
        run_build(mixture, tmp_path / "out")
    write_source(tmp_path, "empty", [], tolerance=1)
    facts = run_build(mixture, tmp_path / "out")
    assert [line["read"] for line in facts["sources"]] == [0, 20]


def test_columns_that_do_not_fit_leave_nothing_and_say_so(tmp_path: Path) -> None:
    told = [
        {"id": n, "img": "a.jpg", "conversations": record(n, "Q", "A", "x")["conversations"]}
        for n in range(9)
    ]
    write_source(tmp_path, "mine", told)
    with pytest.raises(
        SourceError, match=r"none of its 9 records can be used \(9 placeholders_match\).*`options`"
    ):
        run_build(write_mixture(tmp_path, {"mine": "all"}), tmp_path / "out")


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
