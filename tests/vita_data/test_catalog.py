"""A source becomes keyed rows and rejects: all of it counted, and the same however the work was cut."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import Catalogued, catalogue, jpeg, record, write_lines
from vita_data import files
from vita_data.catalog import finish, merge
from vita_data.catalog.read import CHUNK_ROWS, read_batch
from vita_data.catalog.task import CatalogTask
from vita_data.errors import SourceError, VitaError
from vita_data.manifest.source import Seconds
from vita_data.records.key import sample_key
from vita_data.records.places import MediaPlaces
from vita_data.sources import jsonfiles

FRESH = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _text(name: Any, answer: str = "A") -> dict[str, Any]:
    return {**record(name, "Q", answer), **({} if name is ... else {"id": name})}


def _without_id(answer: str = "A") -> dict[str, Any]:
    told = record("", "Q", answer)
    del told["id"]
    return told


def _key(name: Any, occurrence: int = 0) -> str:
    return sample_key("mine", "data.jsonl", json.dumps(name), occurrence)


def test_a_key_names_source_file_id_and_occurrence(tmp_path: Path) -> None:
    names = ["a", 1, "1", 1.0, True, 2**70, "", "图 🐈\n"]
    made = catalogue(write_lines(tmp_path / "root", [_text(name) for name in names]), tmp_path / "out")
    assert made.names == names
    assert {row["key"] for row in made.kept} == {
        sample_key("mine", "data.jsonl", row["native_id"], 0) for row in made.kept
    }
    assert len({row["key"] for row in made.kept}) == len(names)
    assert {_key("a"), _key(1), _key("1")} <= {row["key"] for row in made.kept}


def test_doubled_ids_are_numbered_by_their_place_in_the_file(tmp_path: Path) -> None:
    records = [_text("x", f"answer {n}") for n in range(5)]
    made = catalogue(write_lines(tmp_path / "root", records), tmp_path / "out")
    by_key = {row["key"]: row for row in made.kept}
    for n in range(5):
        row = by_key[_key("x", n)]
        assert (row["occurrence"], row["position"]) == (n, n)
        assert f"answer {n}" in row["record"]


def test_a_refused_record_counts_among_the_occurrences_of_its_id(tmp_path: Path) -> None:
    records = [_text("x"), record("x", "Q", "A", "gone.jpg"), _text("x")]
    made = catalogue(write_lines(tmp_path / "root", records), tmp_path / "out")
    assert {row["key"] for row in made.kept} == {_key("x", 0), _key("x", 2)}
    assert [row["key"] for row in made.rejected] == [_key("x", 1)]


def test_a_record_without_an_id_is_named_by_its_place(tmp_path: Path) -> None:
    records = [_without_id(), _text("a"), _without_id(), {**_without_id(), "id": None}, b"no json"]
    made = catalogue(write_lines(tmp_path / "root", records), tmp_path / "out")
    ids = {row["position"]: row["native_id"] for row in (*made.kept, *made.rejected)}
    assert ids == {n: '"a"' if n == 1 else f'{{"position":{n}}}' for n in range(5)}
    assert len({row["key"] for row in (*made.kept, *made.rejected)}) == 5


def test_speaker_and_split_reach_the_record_as_the_corpus_names_them_or_as_null(tmp_path: Path) -> None:
    write_lines(tmp_path / "root", [{**_text("a"), "split": "dev"}, _text("b")])
    write_lines(tmp_path / "root", [_text("c")], "train.jsonl")
    made = catalogue(tmp_path / "root", tmp_path / "out", ("*.jsonl",))
    records = {json.loads(row["native_id"]): json.loads(row["record"]) for row in made.kept}
    said = {name: (record["speaker"], record["split"]) for name, record in records.items()}
    assert said == {"a": (None, "dev"), "b": (None, None), "c": (None, "train")}
    assert {row["split"] for row in made.kept} == {"dev", None, "train"}


def test_the_same_id_in_two_files_makes_two_keys(tmp_path: Path) -> None:
    for name in ("one.jsonl", "two.jsonl"):
        write_lines(tmp_path / "root", [_text("x")], name)
    made = catalogue(tmp_path / "root", tmp_path / "out", ("*.jsonl",))
    assert len({row["key"] for row in made.kept}) == 2
    assert {row["occurrence"] for row in made.kept} == {0}


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity", "1e999", '"\\ud83d"', "[NaN]", "{}", "[]"])
def test_an_id_that_is_hardly_one_still_names_its_record(tmp_path: Path, name: str) -> None:
    line = json.dumps(_text(0)).replace('"id": 0', f'"id": {name}').encode()
    made = catalogue(write_lines(tmp_path / "root", [line, line]), tmp_path / "out")
    assert [row["occurrence"] for row in sorted(made.kept, key=lambda row: row["position"])] == [0, 1]
    assert all(json.loads(row["record"])["native_id"] is not None for row in made.kept)


GENERATED = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", 1, "1", None, 2.5]),
        st.sampled_from(
            ["whole", "missing", "silent", "null", "broken", "latin", "role", "two", "picture", "cut"]
        ),
    ),
    max_size=24,
)


def _line(name: Any, fate: str) -> bytes:
    told = record(
        name, "Q", "A", *({"missing": ["gone.jpg"], "picture": ["a.jpg"], "cut": ["cut.jpg"]}.get(fate, []))
    )
    if fate == "silent":
        told["conversations"][1]["value"] = ""
    if fate == "role":
        told["conversations"][0]["from"] = "tool"
    if fate == "two":
        told["conversations"] *= 2
    text = json.dumps(told).encode()
    return {"null": b"null", "broken": text[:-3], "latin": text.replace(b"A", b"\xe9")}.get(fate, text)


def _corpus(folder: Path, told: list[tuple[Any, str]]) -> Path:
    root = write_lines(folder, [_line(name, fate) for name, fate in told])
    (root / "a.jpg").write_bytes(jpeg())
    (root / "cut.jpg").write_bytes(jpeg()[:-500])
    return root


@FRESH
@given(GENERATED)
def test_everything_read_is_kept_or_rejected_with_a_reason(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[Any, str]]
) -> None:
    home = tmp_path_factory.mktemp("funnel")
    made = catalogue(_corpus(home / "root", told), home / "out")
    assert made.summary["read"] == len(told) == len(made.kept) + len(made.rejected)
    assert (
        made.summary["kept"] == len(made.kept) == sum(fate in ("whole", "two", "picture") for _, fate in told)
    )
    assert sum(made.summary["rejected"].values()) == len(made.rejected)
    assert all(row["rule"] and row["message"] and row["step"] for row in made.rejected)
    assert sorted(row["position"] for row in (*made.kept, *made.rejected)) == list(range(len(told)))
    assert made.summary["questions"] == sum(
        1 + (fate == "two") for _, fate in told if fate in ("whole", "two", "picture")
    )


@FRESH
@given(GENERATED, st.integers(1, 9), st.sampled_from([1, 2, 7]), st.booleans())
def test_the_rows_do_not_depend_on_how_the_file_is_cut(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    told: list[tuple[Any, str]],
    records: int,
    chunk: int,
    array: bool,
) -> None:
    home = tmp_path_factory.mktemp("slices")
    root = _corpus(home / "root", told)
    names = ("data.jsonl",)
    if array:
        lines = [_line(name, "null" if fate == "broken" else fate) for name, fate in told]
        (root / "data.json").write_bytes(b"[" + b",\n".join(lines) + b"]")
        names = ("data.json",)
    whole = catalogue(root, home / "whole", names)
    with monkeypatch.context() as patch:
        patch.setattr(jsonfiles, "SLICE_RECORDS", records)
        patch.setattr(jsonfiles, "SLICE_BYTES", 100)
        patch.setattr("vita_data.catalog.read.CHUNK_ROWS", chunk)
        cut = catalogue(root, home / "cut", names)
    assert (cut.kept, cut.rejected) == (whole.kept, whole.rejected)
    assert _but_parts(cut.summary) == _but_parts(whole.summary)


def _but_parts(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if name != "parts"}


def test_parts_are_cut_by_the_size_of_the_text_and_hold_each_id_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_lines(tmp_path / "root", [_text(n % 40, f"answer {n}") for n in range(120)])
    one = catalogue(root, tmp_path / "one")
    monkeypatch.setattr("vita_data.catalog.task.BUCKET_BYTES", 1000)
    many = catalogue(root, tmp_path / "many")
    assert one.summary["parts"] == [0] and len(many.summary["parts"]) > 5
    assert sorted(many.kept, key=lambda row: row["key"]) == one.kept
    for part in many.summary["parts"]:
        keys = (
            files.read_table(str(tmp_path / "many" / merge.part_name(part)), ["key"])
            .column("key")
            .to_pylist()
        )
        assert keys == sorted(keys)


def test_a_picture_stored_as_it_came_is_referred_to_and_a_converted_one_lies_in_the_catalog(
    tmp_path: Path,
) -> None:
    root = write_lines(tmp_path / "root", [record("a", "Q", "A", "a.jpg"), record("b", "Q", "A", "b.png")])
    (root / "a.jpg").write_bytes(jpeg())
    (root / "b.png").write_bytes(jpeg(kind="GIF"))
    made = catalogue(root, tmp_path / "out")
    places = {row["native_id"]: row["media"][0] for row in made.kept}
    assert (places['"a"']["path"], places['"a"']["offset"]) == ("root:a.jpg", 0)
    assert places['"b"']["path"] == "catalog:media-00000.tar"
    for medium, folder in (
        (places['"a"'], root / "a.jpg"),
        (places['"b"'], tmp_path / "out" / "media-00000.tar"),
    ):
        data = folder.read_bytes()[medium["offset"] :][: medium["length"]]
        assert hashlib.sha256(data).digest() == medium["sha256"]


def test_nothing_of_the_work_is_left_and_the_summary_is_written_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_lines(tmp_path / "root", [_text(n) for n in range(3)])
    written: list[str] = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: written.append(os.path.basename(b)) or replace(a, b))
    catalogue(root, tmp_path / "out")
    assert written[-1] == "source.json"
    assert sorted(os.listdir(tmp_path / "out")) == [
        "building.json",
        "part-00000.parquet",
        "rejects-00000.parquet",
        "source.json",
    ]


def test_a_catalog_that_was_stopped_goes_on_with_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_lines(tmp_path / "root", [_text(n) for n in range(30)])
    monkeypatch.setattr(jsonfiles, "SLICE_BYTES", 500)
    whole = catalogue(root, tmp_path / "whole")

    class Stopped(Exception):
        pass

    def stopping(path: str, number: int) -> Any:
        if number == 3:
            raise Stopped
        return read_batch(path, number)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr("tests.factories.read_batch", stopping)
        catalogue(root, tmp_path / "out")
    done = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "work").glob("chunk-*")}
    assert len(done) == 3
    moved = tmp_path / "moved"
    (tmp_path / "out").rename(moved)
    seen: list[int] = []

    def counting(path: str, number: int) -> Any:
        known = files.exists(str(moved / "work" / f"batch-{number:05d}.json"))
        seen.extend([] if known else [number])
        return read_batch(path, number)

    monkeypatch.setattr("tests.factories.read_batch", counting)
    made = catalogue(root, moved)
    assert seen[0] == 3
    assert (made.kept, made.summary) == (whole.kept, whole.summary)


def _current(root: Path, folder: Path) -> dict[str, Any] | None:
    facts = {"source": "mine", "row": "Mine", "kind": "qa", "language": "en", "licence": "CC0-1.0"}
    facts |= {"adapter": "llava_json", "options": {}, "frames": {}, "case": "as_written"}
    facts |= {"media": asdict(MediaPlaces()), "seconds": asdict(Seconds())}
    names = finish.annotations_of(str(root), ["data.jsonl"], "mine")
    return finish.current_summary(str(folder), finish.catalog_digest(facts, str(root), names), str(root))


def test_a_finished_catalog_is_kept_until_its_annotations_change(tmp_path: Path) -> None:
    root = write_lines(tmp_path / "root", [_text("a")])
    made = catalogue(root, tmp_path / "out")
    assert _current(root, tmp_path / "out") == made.summary
    write_lines(root, [_text("a"), _text("b")])
    assert _current(root, tmp_path / "out") is None
    assert catalogue(root, tmp_path / "out").names == ["a", "b"]


def test_a_catalog_of_another_digest_is_replaced_whole(tmp_path: Path) -> None:
    root = write_lines(tmp_path / "root", [_text("a")])
    catalogue(root, tmp_path / "out")
    (tmp_path / "out" / "part-00007.parquet").touch()
    (tmp_path / "out" / "media-00099.tar").touch()
    catalogue(root, tmp_path / "out", id_key="name")
    assert not list((tmp_path / "out").glob("*7.parquet")) and not list((tmp_path / "out").glob("*.tar"))


def test_a_medium_that_comes_back_is_read_again(tmp_path: Path) -> None:
    root = write_lines(tmp_path / "root", [record("a", "Q", "A", "late.jpg"), _text("b")])
    made = catalogue(root, tmp_path / "out")
    assert made.rules == {"a": "media_missing"} and made.summary["lost"] == {"late.jpg": "no file"}
    assert _current(root, tmp_path / "out") is not None
    (root / "late.jpg").write_bytes(jpeg())
    assert _current(root, tmp_path / "out") is None
    assert catalogue(root, tmp_path / "out").names == ["a", "b"]


def test_a_medium_that_was_mended_is_read_again(tmp_path: Path) -> None:
    root = write_lines(tmp_path / "root", [record("a", "Q", "A", "cut.jpg"), _text("b")])
    (root / "cut.jpg").write_bytes(jpeg()[:300])
    assert catalogue(root, tmp_path / "out").rules == {"a": "image_truncated"}
    assert _current(root, tmp_path / "out") is not None
    (root / "cut.jpg").write_bytes(jpeg())
    assert _current(root, tmp_path / "out") is None
    assert catalogue(root, tmp_path / "out").names == ["a", "b"]


def test_an_annotation_that_is_replaced_while_it_is_read_stops_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_lines(tmp_path / "root", [_text("a"), _text("b")])

    def then_replaced(*given: Any) -> Any:
        write_lines(root, [_text("another"), _text("file")])
        return merge.merge_bucket(*given)

    monkeypatch.setattr("tests.factories.merge_bucket", then_replaced)
    with pytest.raises(SourceError, match=r"its annotation files in .* changed while they were read"):
        catalogue(root, tmp_path / "out")
    assert not (tmp_path / "out" / "source.json").exists()
    monkeypatch.undo()
    assert catalogue(root, tmp_path / "out").names == ["another", "file"]


def test_an_annotation_whose_name_is_no_text_is_named(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / os.fsdecode(b"caf\xe9.jsonl")).write_bytes(b"")
    with pytest.raises(SourceError, match=r"the file name 'caf\\udce9.jsonl' is no readable text"):
        finish.annotations_of(str(root), ["*.jsonl"], "mine")


def test_a_folder_named_as_a_picture_does_not_have_the_source_read_for_ever(tmp_path: Path) -> None:
    root = write_lines(
        tmp_path / "root", [record("a", "Q", "A", "folder.jpg"), record("b", "Q", "A", "gone.jpg")]
    )
    (root / "folder.jpg").mkdir()
    assert catalogue(root, tmp_path / "out").rules == {"a": "media_unreadable", "b": "media_missing"}
    assert _current(root, tmp_path / "out") is not None
    (root / "gone.jpg").symlink_to(tmp_path)
    assert _current(root, tmp_path / "out") is not None


def test_two_records_of_one_key_stop_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_lines(tmp_path / "root", [_text("a"), _text("b")])
    monkeypatch.setattr(merge, "sample_key", lambda source, *rest: f"{source}-{7:016x}")
    with pytest.raises(VitaError, match="two records have the key mine-0000000000000007; rename the source"):
        catalogue(root, tmp_path / "out")
    assert not (tmp_path / "out" / "source.json").exists()


@pytest.mark.parametrize(
    ("lost", "of", "tolerance", "stops"),
    [
        (0, 2, 0, False),
        (1, 2, 0, True),
        (1, 2, 0.01, False),
        (2, 200, 0.01, False),
        (3, 200, 0.01, True),
        (3, 200, 0.015, False),
        (200, 200, 1, False),
    ],
)
def test_the_tolerance_counts_what_could_not_be_read(
    lost: int, of: int, tolerance: float, stops: bool
) -> None:
    rejected = {"media/image_truncated": lost}
    summary = {"source": "mine", "read": of, "rejected": rejected, "kept": of - lost}
    if not stops:
        finish.check_tolerance(summary, tolerance)
        return
    with pytest.raises(SourceError, match=rf"source mine: {lost} of {of} records could not be read \("):
        finish.check_tolerance(summary, tolerance)


@pytest.mark.parametrize(
    ("rejected", "words"),
    [
        ({}, r"none of its 0 records can be used \(its files are empty\)"),
        ({"structure/roles_alternate": 9}, "9 roles_alt"),
    ],
)
def test_a_source_of_which_nothing_is_left_stops_the_build(rejected: dict[str, int], words: str) -> None:
    summary = {"source": "mine", "read": sum(rejected.values()), "rejected": rejected, "kept": 0}
    with pytest.raises(SourceError, match=words):
        finish.check_tolerance(summary, 0.99)
    finish.check_tolerance(summary, 1)


def test_annotations_are_looked_for_where_the_card_says(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"source mine: its folder .*nowhere is not there; fetch the corpus"
    ):
        finish.annotations_of(str(tmp_path / "nowhere"), ["*.json"], "mine")
    with pytest.raises(SourceError, match=r"no file matches \*\.json below"):
        finish.annotations_of(str(tmp_path), ["*.json"], "mine")
    with pytest.raises(SourceError, match="is an absolute path; write it relative"):
        finish.annotations_of(str(tmp_path), [str(tmp_path / "a.json")], "mine")


def test_an_annotation_that_two_globs_match_is_read_once(tmp_path: Path) -> None:
    write_lines(tmp_path / "root", [_text("a")])
    assert catalogue(tmp_path / "root", tmp_path / "out", ("*.jsonl", "data.*")).names == ["a"]


def test_a_thousand_mentions_of_one_picture_are_a_thousand_pictures(tmp_path: Path) -> None:
    root = write_lines(tmp_path / "root", [record("a", "Q", "A", *["a.jpg"] * 1000)])
    (root / "a.jpg").write_bytes(jpeg(16))
    (row,) = catalogue(root, tmp_path / "out").kept
    assert len(row["media"]) == 1000 and len(json.loads(row["record"])["image"]) == 1000


def test_a_conversation_of_a_hundred_thousand_turns_is_one_record(tmp_path: Path) -> None:
    told = {"id": "long", "conversations": record("", "Q", "A")["conversations"] * 50_000}
    made = catalogue(write_lines(tmp_path / "root", [told, _text("short")]), tmp_path / "out")
    assert made.summary["questions"] == 50_001


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_records(tmp_path: Path, data: bytes) -> None:
    write_lines(tmp_path / "root", [])
    (tmp_path / "root" / "data.jsonl").write_bytes(data)
    made: Catalogued = catalogue(tmp_path / "root", tmp_path / "out")
    assert (made.summary["read"], made.kept, made.rejected) == (0, [], [])


def test_more_rows_than_a_chunk_holds_are_all_there(tmp_path: Path) -> None:
    count = CHUNK_ROWS + 10
    made = catalogue(write_lines(tmp_path / "root", [_text(n) for n in range(count)]), tmp_path / "out")
    assert made.names == list(range(count))


def test_a_task_reads_back_as_it_was_saved(tmp_path: Path) -> None:
    facts: dict[str, Any] = {
        "source": "mine",
        "row": "M",
        "kind": "qa",
        "language": "en",
        "licence": "x",
        "adapter": "llava_json",
    }
    facts |= {"options": {}, "media": {}, "seconds": {}, "frames": {}, "case": "upper", "archives": None}
    task = CatalogTask(**facts, root="r", folder=str(tmp_path), slices=[], buckets=3)
    assert merge.load_task(task.save()) == task
