"""Benchmark rows come out with the pictures that they hold, or that another row holds for them."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import jpeg
from vita_data.errors import SourceError
from vita_data.sources import delimited, jsonfiles
from vita_data.sources.base import Fault, Medium, Native
from vita_data.sources.vlmeval_tsv import VlmevalOptions, VlmevalTsv

PICTURES = [jpeg(8, n) for n in range(3)]
B64 = [base64.b64encode(picture).decode() for picture in PICTURES]


def _natives(folder: Path, data: bytes, **options: Any) -> list[Native | Fault]:
    (folder / "BENCH.tsv").write_bytes(data)
    adapter = VlmevalTsv(VlmevalOptions(**options))
    split = adapter.split(str(folder), "BENCH.tsv", str(folder / "scratch"))
    return [native for part in split.slices for native in adapter.read(str(folder), part)]


def _tsv(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(dict.fromkeys(key for row in rows for key in row)), delimiter="\t")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _bytes(found: Native | Fault) -> list[bytes | None]:
    assert isinstance(found, Native), found
    return [each.data for each in found.media]


CIRCULAR = [
    {"index": 5, "question": "Q5", "A": "x", "B": "y", "answer": "A", "image": B64[0]},
    {"index": 1000005, "question": "Q5", "A": "y", "B": "x", "answer": "B", "image": "5"},
    {"index": 6, "question": 'a "quoted"\nQ6', "hint": "H", "A": "x", "answer": "", "image": B64[1]},
    {"index": 7, "question": "Q7", "image": "1000006"},
    {"index": 1000006, "question": "Q6", "image": B64[2]},
]


@pytest.mark.parametrize("size", [1, 10_000_000])
def test_a_row_may_show_the_picture_of_another_wherever_that_row_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(jsonfiles, "SLICE_BYTES", size)
    found = _natives(tmp_path, _tsv(CIRCULAR))
    assert [each.position for each in found] == [0, 1, 2, 3, 4]
    assert [each.native_id for each in found] == ['"5"', '"1000005"', '"6"', '"7"', '"1000006"']
    shown = [PICTURES[0], PICTURES[0], PICTURES[1], PICTURES[2], PICTURES[2]]
    assert [_bytes(each) for each in found] == [[each] for each in shown]


def test_a_row_keeps_the_split_that_it_says(tmp_path: Path) -> None:
    rows = [{**CIRCULAR[0], "split": "dev"}, {**CIRCULAR[1], "split": ""}]
    assert [each.split for each in _natives(tmp_path, _tsv(rows)) if isinstance(each, Native)] == [
        "dev",
        None,
    ]


def test_hint_question_and_options_make_the_question(tmp_path: Path) -> None:
    found = _natives(tmp_path, _tsv(CIRCULAR))
    said = [[turn["value"] for turn in each.turns] for each in found if isinstance(each, Native)]
    assert said[0] == ["<image>\nQ5\nA. x\nB. y", "A"]
    assert said[2] == ['<image>\nH\na "quoted"\nQ6\nA. x', ""]


def test_a_test_set_has_no_answers(tmp_path: Path) -> None:
    (found,) = _natives(tmp_path, _tsv([{"index": 1, "question": "Q", "image": B64[0]}]))
    assert isinstance(found, Native) and found.turns[1] == {"from": "gpt", "value": None}


def test_a_reference_to_no_row_with_pictures_is_a_missing_picture(tmp_path: Path) -> None:
    rows = [{"index": 1, "question": "Q", "image": "900000"}, {"index": 2, "question": "Q", "image": "1"}]
    found = _natives(tmp_path, _tsv(rows))
    assert [each.error.rule for each in found if isinstance(each, Fault)] == ["media_missing"] * 2


@pytest.mark.parametrize("cell", [repr(B64[:2]), json.dumps(B64[:2])])
def test_several_pictures_are_a_list_in_the_cell(tmp_path: Path, cell: str) -> None:
    rows = [{"index": 1, "question": "Q", "image": cell, "image_path": "['a.jpg', 'b.jpg']"}]
    rows.append({"index": 2, "question": "Q", "image": "1", "image_path": ""})
    first, second = _natives(tmp_path, _tsv(rows))
    assert _bytes(first) == PICTURES[:2] == _bytes(second)
    assert isinstance(first, Native) and [each.name for each in first.media] == ["a.jpg", "b.jpg"]
    assert isinstance(second, Native) and second.turns[0]["value"] == "<image>\n<image>\nQ"


def test_pictures_may_be_files_and_a_row_may_have_none(tmp_path: Path) -> None:
    rows = [{"index": 1, "question": "Q", "image_path": "a.jpg"}, {"index": 2, "question": "Q"}]
    rows.append({"index": 3, "question": "Q", "image_path": "['b.jpg', 'c.jpg']"})
    found = _natives(tmp_path, _tsv(rows), media_root="images")
    names = [[each.name for each in native.media] for native in found if isinstance(native, Native)]
    assert names == [["images/a.jpg"], [], ["images/b.jpg", "images/c.jpg"]]


@pytest.mark.parametrize("cell", ["not base64 " * 9, "['" + "x" * 70, "[" + "?" * 70 + "]"])
def test_a_cell_of_no_picture_costs_its_row(tmp_path: Path, cell: str) -> None:
    rows = [{"index": 1, "question": "Q", "image": cell}, {"index": 2, "question": "Q", "image": B64[0]}]
    first, second = _natives(tmp_path, _tsv(rows))
    assert isinstance(first, Fault) and first.error.rule == "not_a_record"
    assert _bytes(second) == [PICTURES[0]]


def test_a_picture_of_many_megabytes_is_read(tmp_path: Path) -> None:
    data = bytes(range(256)) * (16 << 10)
    row = {"index": 1, "question": "Q", "image": base64.b64encode(data).decode()}
    assert _bytes(_natives(tmp_path, _tsv([row, {"index": 2, "question": "Q", "image": "1"}]))[1]) == [data]


def test_a_bad_row_costs_itself_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "ROW_BYTES", 4000)
    rows = [
        b"index\tquestion\timage",
        b"1\tQ\t",
        b"2\tcaf\xe9\t",
        b"",
        b"3\tQ",
        b'4\t"Q\t',
        b"5\t" + b"Q" * 5000 + b"\t",
    ]
    found = _natives(tmp_path, b"\xef\xbb\xbf" + b"\r\n".join([*rows, b"6\tQ\t"]))
    rules = {each.position: each.error.rule if isinstance(each, Fault) else "" for each in found}
    bad = "not_a_record"
    assert rules == {0: "", 1: "not_utf8", 3: bad, 4: bad, 5: bad, 6: ""}


@pytest.mark.parametrize("data", [b"", b"question\timage\nQ\t\n", b"index,question\n1,Q\n"])
def test_a_table_without_an_index_is_one_error(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceError, match="column"):
        _natives(tmp_path, data)


def test_a_row_that_is_put_aside_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "BENCH.tsv").write_bytes(_tsv(CIRCULAR))
    adapter = VlmevalTsv(VlmevalOptions())
    (part,) = adapter.split(str(tmp_path), "BENCH.tsv", str(tmp_path / "scratch")).slices
    found = list(adapter.read(str(tmp_path), type(part)(**{**vars(part), "aside": (1,)})))
    assert isinstance(found[1], Fault) and found[1].error.rule == "worker_died" and len(found) == 5


def test_a_file_that_is_cut_after_it_was_split_gives_faults(tmp_path: Path) -> None:
    whole = _tsv(CIRCULAR)
    (tmp_path / "BENCH.tsv").write_bytes(whole)
    adapter = VlmevalTsv(VlmevalOptions())
    (part,) = adapter.split(str(tmp_path), "BENCH.tsv", str(tmp_path / "scratch")).slices
    for left in range(0, len(whole), 29):
        (tmp_path / "BENCH.tsv").write_bytes(whole[:left])
        found = list(adapter.read(str(tmp_path), part))
        assert len(found) == 5 and all(isinstance(each, Native | Fault) for each in found)


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.sampled_from(["1", "2", B64[0], repr(B64), '"', "x", "", "é"]), max_size=5), max_size=5
    )
    | st.binary(max_size=40),
    media_root=st.sampled_from([".", "images"]),
)
def test_anything_ends_in_natives_faults_or_one_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, rows: Any, media_root: str
) -> None:
    head = b"index\tquestion\timage\timage_path\n"
    data = rows if isinstance(rows, bytes) else head + "\n".join("\t".join(row) for row in rows).encode()
    try:
        found = _natives(tmp_path_factory.mktemp("any"), data, media_root=media_root)
    except SourceError:
        return
    assert all(isinstance(each, Native | Fault) for each in found)
    assert all(isinstance(m, Medium) for each in found if isinstance(each, Native) for m in each.media)
