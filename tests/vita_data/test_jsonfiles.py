"""JSON arrays, objects and lines come out record by record, however they are cut and whatever they hold."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vita_data.errors import RecordError, SourceError
from vita_data.sources import jsonfiles, jsonvalues
from vita_data.sources.base import Split

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufdd0\ufdd1")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def _document(folder: Path, data: bytes, **options: Any) -> Split:
    (folder / "data.json").write_bytes(data)
    return jsonfiles.split_document(
        str(folder / "data.json"), "data.json", str(folder / "scratch"), **options
    )


def _lines(folder: Path, data: bytes) -> Split:
    (folder / "data.jsonl").write_bytes(data)
    return jsonfiles.split_lines(str(folder / "data.jsonl"), "data.jsonl")


def _read(split: Split) -> list[tuple[int, Any]]:
    return [(n, _plain(value)) for part in split.slices for n, value in jsonfiles.read_lines(part)]


def _plain(value: Any) -> Any:
    return f"{value.rule}!" if isinstance(value, RecordError) else value


@settings(max_examples=40, deadline=None)
@given(values=st.lists(JSON, max_size=12), ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_an_array_gives_the_values_that_were_written(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], ascii_only: bool, indent: int | None
) -> None:
    data = json.dumps(values, ensure_ascii=ascii_only, indent=indent).encode()
    split = _document(tmp_path_factory.mktemp("array"), data)
    assert _read(split) == list(enumerate(values))
    assert split.sha256 == hashlib.sha256(data).hexdigest()
    assert split.records == len(values)


@pytest.mark.parametrize("records", [1, 3, 7])
def test_an_array_reads_alike_however_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, records: int
) -> None:
    values = [{"id": n, "text": "€" * n} for n in range(20)]
    monkeypatch.setattr(jsonfiles, "SLICE_RECORDS", records)
    split = _document(tmp_path, json.dumps(values).encode())
    assert len(split.slices) == -(-20 // records)
    assert [part.first for part in split.slices] == list(range(0, 20, records))
    assert _read(split) == list(enumerate(values))


@pytest.mark.parametrize("size", [1, 40, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_read_alike_however_they_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, end: bytes, last: bool
) -> None:
    values = [{"id": n, "text": "€" * n} for n in range(20)]
    data = end.join(json.dumps(value).encode() for value in values) + (end if last else b"")
    monkeypatch.setattr(jsonfiles, "SLICE_BYTES", size)
    split = _lines(tmp_path, data)
    assert _read(split) == list(enumerate(values))
    assert split.sha256 == hashlib.sha256(data).hexdigest()


def test_an_object_gives_its_entries_by_name(tmp_path: Path) -> None:
    split = _document(tmp_path, b'{"a": [1], "b": {"c": 2.5}}', keyed=True)
    assert _read(split) == [(0, {"id": "a", "value": [1]}), (1, {"id": "b", "value": {"c": 2.5}})]


def test_an_array_may_lie_inside_an_object(tmp_path: Path) -> None:
    split = _document(
        tmp_path, b'{"data_root": "/x", "data_list": [1, 2], "more": [3]}', items_path="data_list"
    )
    assert _read(split) == [(0, 1), (1, 2)]


def test_a_byte_order_mark_is_no_part_of_the_first_record(tmp_path: Path) -> None:
    assert _read(_document(tmp_path, b'\xef\xbb\xbf[{"id": 1}]')) == [(0, {"id": 1})]
    assert _read(_lines(tmp_path, b'\xef\xbb\xbf{"id": 1}\n{"id": 2}')) == [(0, {"id": 1}), (1, {"id": 2})]


def test_numbers_of_any_size_are_read_in_an_array(tmp_path: Path) -> None:
    values = [2**64 - 1, -(2**80), 10**300, 0.1, 1e-300, 0]
    assert _read(_document(tmp_path, json.dumps(values).encode())) == list(enumerate(values))


def test_bytes_that_are_not_utf8_cost_the_record_that_holds_them(tmp_path: Path) -> None:
    bad = b'{"id": 2, "text": "caf\xe9"}'
    array = b'[{"id": 1}, ' + bad + b', {"id": 3}]'
    lines = b'{"id": 1}\n' + bad + b'\n{"id": 3}\n'
    expected = [(0, {"id": 1}), (1, "not_utf8!"), (2, {"id": 3})]
    assert _read(_document(tmp_path, array)) == expected
    assert _read(_lines(tmp_path, lines)) == expected


@pytest.mark.parametrize(
    "half", ["\\ud83d", "\\ude00", "\\uD83Dx\\uDE00", "\\ud83d\\ud83d\\ude00", "\\\\\\ud800"]
)
@pytest.mark.parametrize("block", [1, 5, 1 << 20])
def test_half_a_surrogate_pair_in_an_array_costs_its_record_and_never_turns_into_a_question_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half: str, block: int
) -> None:
    monkeypatch.setattr(jsonfiles, "_READ", block)
    data = f'[{{"t": "a{half}b"}}, {{"t": "\\ud83d\\ude00"}}, {{"t": "\\\\ud83d"}}]'.encode()
    assert _read(_document(tmp_path, data)) == [(0, "not_utf8!"), (1, {"t": "😀"}), (2, {"t": "\\ud83d"})]


@pytest.mark.parametrize(
    "end", [b"", b",", b'{"id": 3', b'{"id": 3, "x": "\xe4\xb8', b'{"id": tru', b"]]", b"] [4]"]
)
def test_an_array_that_is_cut_or_followed_by_more_stops_with_the_way_out(tmp_path: Path, end: bytes) -> None:
    with pytest.raises(SourceError, match=r"data\.json is cut or damaged after record 2 .*on_cut: keep"):
        _document(tmp_path, b'[{"id": 1}, {"id": 2}' + (b", " if end.startswith(b"{") else b"") + end)


def test_what_comes_before_a_cut_can_be_kept_and_the_cut_counts_as_a_record(tmp_path: Path) -> None:
    split = _document(tmp_path, b'[{"id": 1}, {"id": 2}, {"id": 3, "te', keep_cut=True)
    assert _read(split) == [(0, {"id": 1}), (1, {"id": 2}), (2, "annotation_cut!")]
    assert split.records == 3


def test_json_lines_named_as_an_array_are_told_from_a_damaged_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="format: jsonl"):
        _document(tmp_path, b'{"id": 1}\n{"id": 2}\n')


@pytest.mark.parametrize("data", [b'{"rows": []}', b'"text"', b"3"])
def test_a_document_of_another_shape_is_named(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceError, match="holds no array at 'its top'"):
        _document(tmp_path, data)


@pytest.mark.parametrize("data", [b"", b"   \n", b"\xef\xbb\xbf"])
def test_a_file_of_no_bytes_is_no_array(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceError, match="cut or damaged after record 0"):
        _document(tmp_path, data)
    assert _read(_lines(tmp_path, data)) == []


@pytest.mark.parametrize("data", [b"[]", b" [ ] \n", b"\xef\xbb\xbf[\n\n]"])
def test_an_empty_array_has_no_records(tmp_path: Path, data: bytes) -> None:
    assert _read(_document(tmp_path, data)) == []


def test_blank_lines_are_no_records_but_have_positions(tmp_path: Path) -> None:
    assert _read(_lines(tmp_path, b'\n{"id": 1}\n\r\n  \t\n{"id": 2}')) == [(1, {"id": 1}), (4, {"id": 2})]


@pytest.mark.parametrize("line", [b'{"id": ', b"nul", b"{'id': 1}", b"\x00", b'{"a": 1} {"b": 2}'])
def test_a_line_that_is_no_json_costs_itself_only(tmp_path: Path, line: bytes) -> None:
    assert _read(_lines(tmp_path, b"1\n" + line + b"\n3\n")) == [(0, 1), (1, "not_json!"), (2, 3)]


@pytest.mark.parametrize("depth", [10, 500])
def test_nested_records_are_read(tmp_path: Path, depth: int) -> None:
    record = b"[" * depth + b"]" * depth
    ten = json.loads(record)
    assert _read(_document(tmp_path, b"[" + record + b"]")) == [(0, ten)]
    assert _read(_lines(tmp_path, record)) == [(0, ten)]


def test_a_record_nested_beyond_measure_costs_itself_only(tmp_path: Path) -> None:
    record = b"[" * 5000 + b"]" * 5000
    expected = [(0, 1), (1, "not_json!"), (2, 3)]
    assert _read(_document(tmp_path, b"[1, " + record + b", 3]")) == expected
    assert _read(_lines(tmp_path, b"1\n" + record + b"\n3")) == expected


def test_a_number_of_ten_thousand_digits_is_refused_and_not_computed(tmp_path: Path) -> None:
    number = b"9" * 10_000
    assert _read(_lines(tmp_path, b"1\n" + number + b"\n3")) == [(0, 1), (1, "not_json!"), (2, 3)]
    with pytest.raises(SourceError, match="after record 1"):
        _document(tmp_path, b"[1, " + number + b", 3]")


WORDS = ("NaN", "Infinity", "-Infinity")
TRICKY = st.lists(
    st.sampled_from(
        [*WORDS, "N", "Na", "-Inf", "inity", '"', "\\", "\\\\", "\n", ",", "[", "u0022", "€", " "]
    ),
    max_size=6,
).map("".join)
NUMBERS = st.recursive(
    TRICKY | st.sampled_from([float("nan"), float("inf"), float("-inf"), 0, -7, 2.5, 1e300, None, True]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TRICKY, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(NUMBERS, max_size=5),
    block=st.sampled_from([1, 2, 3, 7, 50, 1 << 20]),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
def test_nan_and_infinity_read_in_an_array_as_in_lines_and_no_string_is_touched(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[Any],
    block: int,
    ascii_only: bool,
    indent: int | None,
) -> None:
    folder = tmp_path_factory.mktemp("nan")
    data = json.dumps(values, ensure_ascii=ascii_only, indent=indent).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonfiles, "_READ", block)
        split = _document(folder, data)
    lines = _read(_lines(folder, b"\n".join(json.dumps(value).encode() for value in values)))
    # repr tells NaN from null, infinity from a large number, and 1 from 1.0; it is equal where values are.
    assert repr(_read(split)) == repr(lines) == repr(list(enumerate(values)))
    assert (split.sha256, split.text_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert [part.first for part in split.slices] == [0][: len(values)]


@pytest.mark.parametrize("word", WORDS)
def test_what_is_no_number_may_stand_in_an_object_and_in_gzip(tmp_path: Path, word: str) -> None:
    data = f'{{"a": {word}, "NaN": {{"b": [{word}]}}}}'.encode()
    number = float(word)
    expected = [(0, {"id": "a", "value": number}), (1, {"id": "NaN", "value": {"b": [number]}})]
    assert repr(_read(_document(tmp_path, data, keyed=True))) == repr(expected)
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(f'[{word}, "{word}"]'.encode()))
    assert repr(list(jsonvalues.values(str(tmp_path / "a.json.gz")))) == repr([number, word])


@pytest.mark.parametrize(
    "text", ["-NaN", "1NaN", "1.NaN", "1eNaN", "NaN1", "NaNNaN", "--Infinity", "+Infinity", "nan", "{NaN: 1}"]
)
@pytest.mark.parametrize("block", [1, 1 << 20])
def test_what_only_looks_like_nan_is_no_json_either_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, block: int
) -> None:
    assert _read(_lines(tmp_path, text.encode())) == [(0, "not_json!")]
    monkeypatch.setattr(jsonfiles, "_READ", block)
    with pytest.raises(SourceError, match=r"is cut or damaged after record [12] "):
        _document(tmp_path, f'["NaN", {text}, 3]'.encode())


def test_a_cut_is_found_where_it_is_after_nan(tmp_path: Path) -> None:
    split = _document(tmp_path, b'[{"id": 1, "x": NaN}, {"id": 2}, {"id": 3, "x": Na', keep_cut=True)
    assert repr(_read(split)) == repr(
        [(0, {"id": 1, "x": float("nan")}), (1, {"id": 2}), (2, "annotation_cut!")]
    )


def test_no_record_can_pass_itself_off_as_a_fault(tmp_path: Path) -> None:
    values = [{"vita_fault": "annotation_cut"}, {"vita_fault": 3, "words": None}, "\\ufdd1not_json x"]
    assert _read(_document(tmp_path, json.dumps(values).encode())) == list(enumerate(values))
    assert _read(_lines(tmp_path, "\ufdd1".encode())) == [(0, "!")]


def test_a_place_that_is_put_aside_is_a_fault_and_is_not_parsed(tmp_path: Path) -> None:
    (part,) = _lines(tmp_path, b"1\n2\n3\n").slices
    aside = type(part)(**{**vars(part), "aside": (1,)})
    assert [(n, _plain(v)) for n, v in jsonfiles.read_lines(aside)] == [(0, 1), (1, "worker_died!"), (2, 3)]
