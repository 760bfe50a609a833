"""OCR labels become a question for the text of a picture, and the legible text in reading order."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vita_data.errors import SourceError, VitaError
from vita_data.sources.base import Fault, Native
from vita_data.sources.ocr_json import OcrJson, OcrOptions, _reading_order


def _box(left: float, top: float, width: float = 40, height: float = 10) -> list[list[float]]:
    return [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]


def _word(text: Any, polygon: Any = None, **more: Any) -> dict[str, Any]:
    return {"transcription": text, "points": polygon, **more}


def _read(folder: Path, value: Any, **options: Any) -> list[Native | Fault]:
    (folder / "labels.json").write_text(json.dumps(value), encoding="utf-8")
    adapter = OcrJson(OcrOptions(**options))
    split = adapter.split(str(folder), "labels.json", str(folder / "scratch"))
    return [native for part in split.slices for native in adapter.read(str(folder), part)]


def _answer(folder: Path, words: list[Any], **options: Any) -> str:
    (native,) = _read(folder, {"gt_0": words}, **options)
    assert isinstance(native, Native)
    return str(native.turns[1]["value"])


def test_lsvt_names_a_picture_and_asks_for_its_text(tmp_path: Path) -> None:
    (native,) = _read(tmp_path, {"gt_0": [_word("大家", _box(0, 0))]}, media_root="images")
    assert isinstance(native, Native)
    assert native.native_id == '"gt_0"'
    assert [picture.name for picture in native.media] == ["images/gt_0.jpg"]
    assert native.turns[0]["value"].startswith("<image>\n")
    assert native.turns[1] == {"from": "gpt", "value": "大家"}


def test_anyword_lists_its_pictures(tmp_path: Path) -> None:
    row = {"img_name": "a.png", "annotations": [{"text": "hi", "polygon": _box(0, 0)}]}
    options = {"layout": "list", "text_key": "text", "polygon_key": "polygon", "media_root": "imgs"}
    (native,) = _read(tmp_path, {"data_root": "/x", "data_list": [row]}, **options)
    assert isinstance(native, Native)
    assert (native.media[0].name, native.turns[1]["value"]) == ("imgs/a.png", "hi")


def _lines(folder: Path, data: bytes, **options: Any) -> list[Native | Fault]:
    (folder / "Label.txt").write_bytes(data)
    adapter = OcrJson(OcrOptions(**options))
    split = adapter.split(str(folder), "Label.txt", str(folder / "scratch"))
    return [native for part in split.slices for native in adapter.read(str(folder), part)]


def test_ppocrlabel_names_a_picture_and_then_its_words(tmp_path: Path) -> None:
    words = [_word("难", _box(0, 0), difficult=True), _word("b", _box(0, 40)), _word("a\tx", _box(0, 20))]
    line = "\ufeffimages/a.jpg\t" + json.dumps(words, ensure_ascii=False)
    options: dict[str, Any] = {"layout": "tabbed", "image_suffix": "", "skip_if": {"difficult": True}}
    (native,) = _lines(tmp_path, line.encode() + b"\r\n", **options)
    assert isinstance(native, Native) and native.native_id == '"images/a.jpg"'
    assert (native.media[0].name, native.turns[1]["value"]) == ("images/a.jpg", "a\tx\nb")


@pytest.mark.parametrize(
    "line", ["a.jpg", "a.jpg\t", "a.jpg\t[", "a.jpg\t{}", "\t[]", "a.jpg\t[{}]", "a\t[1]\tx"]
)
def test_a_line_without_a_picture_or_its_words_costs_itself_only(tmp_path: Path, line: str) -> None:
    data = f'b.jpg\t[{{"transcription": "x", "points": []}}]\n{line}\n'.encode()
    first, second = _lines(tmp_path, data, layout="tabbed", image_suffix="")
    assert isinstance(first, Native) and first.turns[1]["value"] == "x"
    assert isinstance(second, Fault) and (second.position, second.error.rule) == (1, "not_a_record")


def test_wildreceipt_has_a_picture_a_line_and_boxes_of_plain_numbers(tmp_path: Path) -> None:
    words = [
        {"box": [0, 40, 9, 40, 9, 30, 0, 30], "text": "b"},
        {"box": [0, 9, 9, 9, 9, 0, 0, 0], "text": "a"},
    ]
    options = {"layout": "lines", "image_key": "file_name", "text_key": "text", "polygon_key": "box"}
    (native,) = _lines(
        tmp_path, json.dumps({"file_name": "a.jpeg", "annotations": words}).encode(), **options
    )
    assert isinstance(native, Native)
    assert (native.media[0].name, native.turns[1]["value"]) == ("a.jpeg", "a\nb")


def test_mmocr_lists_instances_with_boxes_of_two_corners(tmp_path: Path) -> None:
    words = [{"bbox": [0, 30, 9, 40], "text": "b"}, {"bbox": [0, 0, 9, 9], "text": "a", "ignore": False}]
    words.append({"bbox": [0, 50, 9, 60], "text": "c", "ignore": True})
    options = {"layout": "list", "image_key": "img_path", "instances_key": "instances", "text_key": "text"}
    row = {"img_path": "a.jpg", "instances": words}
    value = {"metainfo": {}, "data_list": [row, {"img_path": "b.jpg", "instances": [{"bbox": [0, 0, 1, 1]}]}]}
    found, fault = _read(tmp_path, value, **options, polygon_key="bbox", skip_if={"ignore": True})
    assert isinstance(found, Native) and found.turns[1]["value"] == "a\nb"
    assert isinstance(fault, Fault) and fault.error.rule == "not_a_record"  # found in it, but never spelled


def test_an_address_is_no_picture(tmp_path: Path) -> None:
    (fault,) = _read(tmp_path, {"http://e.x/a": [_word("a")]})
    assert isinstance(fault, Fault) and fault.error.rule == "media_by_url"


def test_words_are_read_line_by_line_from_the_left(tmp_path: Path) -> None:
    words = [("d", 60, 21), ("b", 60, 2), ("c", 0, 20), ("a", 0, 0)]
    assert _answer(tmp_path, [_word(text, _box(x, y)) for text, x, y in words]) == "a\nb\nc\nd"
    assert _answer(tmp_path, [_word(text, _box(x, y)) for text, x, y in words], order="file") == "d\nb\nc\na"


BOX = st.tuples(*[st.floats(-50, 500)] * 3).map(lambda box: (box[0], box[0] + abs(box[1]) / 5, box[2]))


@given(st.lists(st.none() | BOX, max_size=20))
def test_reading_order_drops_and_doubles_no_word(boxes: list[Any]) -> None:
    words = [(box, number, str(number)) for number, box in enumerate(boxes)]
    assert sorted(word[1] for word in _reading_order(words)) == list(range(len(words)))


@given(st.permutations(range(12)))
def test_reading_order_does_not_depend_on_the_order_of_the_labels(order: list[int]) -> None:
    boxes = [((n // 4) * 20.0, (n // 4) * 20.0 + 10, (n % 4) * 50.0) for n in range(12)]
    read = _reading_order([(boxes[n], place, str(n)) for place, n in enumerate(order)])
    assert [text for _, _, text in read] == [str(n) for n in range(12)]


def test_what_cannot_be_read_is_left_out_of_the_answer(tmp_path: Path) -> None:
    words = [_word("yes", _box(0, 0)), _word("###", _box(0, 20)), _word(" ", _box(0, 40))]
    words.append(_word("smudged", _box(0, 60), illegibility=True))
    assert _answer(tmp_path, words, skip_if={"illegibility": True}) == "yes"


@pytest.mark.parametrize(
    "polygon",
    [
        None,
        [],
        "box",
        5,
        [1, 2],
        [[1]],
        [{"x": 1, "y": 2}],
        [[10**400, 1]],
        {"a": 1},
        [[None, None]],
        [["nan", "nan"]],
        [["inf", 0]],
        [1, 2, 3],
        [1, 2, 3, "x"],
        "1234",
        [1, 2, [3, 4]],
        [math.nan] * 4,
    ],
)
def test_a_box_that_is_none_leaves_its_word_at_the_end(tmp_path: Path, polygon: Any) -> None:
    words = [_word("last", polygon), _word("first", _box(0, 90))]
    text = "a\t" + json.dumps(words)
    (native,) = _lines(tmp_path, text.encode(), layout="tabbed")
    assert isinstance(native, Native) and native.turns[1]["value"] == "first\nlast"


@pytest.mark.parametrize("words", [None, "text", 3, {}, [None], [3], [{}], [_word(None)], [_word(["a"])]])
def test_an_entry_that_is_no_list_of_words_is_refused(tmp_path: Path, words: Any) -> None:
    (fault,) = _read(tmp_path, {"gt_0": words})
    assert isinstance(fault, Fault) and fault.error.rule == "not_a_record"


@pytest.mark.parametrize(
    "row", [None, 3, "text", [], {}, {"img_name": 3, "annotations": []}, {"img_name": "a"}]
)
def test_a_row_without_a_name_or_words_is_refused(tmp_path: Path, row: Any) -> None:
    (fault,) = _read(tmp_path, {"data_list": [row]}, layout="list")
    assert isinstance(fault, Fault) and fault.error.rule == "not_a_record"


def test_the_question_of_a_picture_depends_on_nothing_but_its_name(tmp_path: Path) -> None:
    labels = {f"gt_{n}": [_word("a")] for n in range(40)}
    asked = {n.native_id: n.turns[0]["value"] for n in _read(tmp_path, labels) if isinstance(n, Native)}
    back = dict(reversed(labels.items()))
    assert asked == {n.native_id: n.turns[0]["value"] for n in _read(tmp_path, back) if isinstance(n, Native)}
    assert len(set(asked.values())) == len(OcrOptions().prompts)


def test_damaged_bytes_end_in_faults_or_one_error_of_ours(tmp_path: Path) -> None:
    whole = json.dumps(
        {f"gt_{n}": [_word("字\U0001f408", _box(n, 0)), _word("###", None)] for n in range(3)}
    ).encode()
    chance = random.Random("ocr")
    adapter = OcrJson(OcrOptions())
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 2)] = chance.choice(
                [bytes([chance.randrange(256)]), b"", b"[", b"]", b'"', b"\\ud800", b"1e999", b"null"]
            )
        (tmp_path / "labels.json").write_bytes(data)
        try:
            split = adapter.split(str(tmp_path), "labels.json", str(tmp_path / "scratch"))
            natives = [native for part in split.slices for native in adapter.read(str(tmp_path), part)]
        except VitaError:
            continue
        assert all(isinstance(native, Native | Fault) for native in natives)


VALUE = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text("字#a", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["transcription", "points", "img_name", "annotations"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(rows=st.binary(max_size=60) | st.lists(VALUE, max_size=4), layout=st.sampled_from(["tabbed", "lines"]))
def test_any_lines_end_in_natives_or_faults(
    tmp_path_factory: pytest.TempPathFactory, rows: Any, layout: str
) -> None:
    head = "a.jpg\t" if layout == "tabbed" else ""
    data = rows if isinstance(rows, bytes) else "\n".join(head + json.dumps(row) for row in rows).encode()
    found = _lines(tmp_path_factory.mktemp("any"), data, layout=layout)
    assert all(isinstance(each, Native | Fault) for each in found)
    assert isinstance(rows, bytes) or len(found) == len(rows)


@settings(max_examples=100, deadline=None)
@given(
    data=st.binary(max_size=40) | VALUE.map(json.dumps).map(str.encode),
    layout=st.sampled_from(["keyed", "list"]),
)
def test_any_document_ends_in_natives_faults_or_one_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, layout: str
) -> None:
    try:
        found = _lines(tmp_path_factory.mktemp("any"), data, layout=layout, items_path="", on_cut="keep")
    except SourceError:
        return
    assert all(isinstance(each, Native | Fault) for each in found)
