"""Donut's pages become a question for their text, however deep the text is wrapped in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import jpeg
from vita_data.errors import SourceError
from vita_data.sources.base import Fault, Medium, Native
from vita_data.sources.donut import Donut, DonutOptions

TRUTH = json.dumps({"gt_parse": {"text_sequence": "one two"}})


def _natives(folder: Path, name: str, data: bytes, **options: Any) -> list[Native | Fault]:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return _read(folder, name, **options)


def _read(folder: Path, name: str, **options: Any) -> list[Native | Fault]:
    adapter = Donut(DonutOptions(**options))
    split = adapter.split(str(folder), name, str(folder / "scratch"))
    return [native for part in split.slices for native in adapter.read(str(folder), part)]


def _row(folder: Path, row: Any, **options: Any) -> Native | Fault:
    (found,) = _natives(folder, "train/metadata.jsonl", json.dumps(row).encode(), **options)
    return found


def test_a_page_lies_beside_its_metadata_and_is_asked_for_its_text(tmp_path: Path) -> None:
    found = _row(tmp_path, {"file_name": "a/1.jpg", "ground_truth": TRUTH})
    assert isinstance(found, Native) and (found.native_id, found.split) == ('"a/1.jpg"', "train")
    assert found.media == [Medium("image", "train/a/1.jpg")]
    question, answer = (turn["value"] for turn in found.turns)
    assert question.removeprefix("<image>\n") in DonutOptions().prompts and answer == "one two"
    elsewhere = _row(tmp_path, {"file_name": "1.jpg", "ground_truth": TRUTH}, media_root=".")
    assert isinstance(elsewhere, Native) and elsewhere.media[0].name == "1.jpg"


def test_the_question_of_a_page_depends_on_nothing_but_its_name(tmp_path: Path) -> None:
    rows = [json.dumps({"file_name": f"{n}.jpg", "ground_truth": TRUTH}) for n in range(30)]
    said = [
        {n.native_id: n.turns[0]["value"] for n in natives if isinstance(n, Native)}
        for natives in (
            _natives(tmp_path, "metadata.jsonl", "\n".join(order).encode()) for order in (rows, rows[::-1])
        )
    ]
    assert said[0] == said[1] and len(set(said[0].values())) == len(DonutOptions().prompts)


@pytest.mark.parametrize(
    "truth",
    [
        TRUTH,
        json.dumps(TRUTH),
        {"gt_parse": {"text_sequence": "one two"}},
        json.dumps({"gt_parse": json.dumps({"text_sequence": "one two"})}),
    ],
)
def test_json_inside_json_is_taken_out(tmp_path: Path, truth: Any) -> None:
    found = _row(tmp_path, {"file_name": "1.jpg", "ground_truth": truth})
    assert isinstance(found, Native) and found.turns[1]["value"] == "one two"


@pytest.mark.parametrize(
    "truth",
    [
        None,
        "",
        "one two",
        TRUTH[:-2],
        "[" * 3000,
        json.dumps({"gt_parse": {}}),
        json.dumps({"gt_parse": {"text_sequence": None}}),
        json.dumps({"gt_parse": {"text_sequence": []}}),
        json.dumps({"gt_parse": []}),
        {"text_sequence": "x"},
        3,
    ],
)
def test_a_ground_truth_without_the_text_is_refused(tmp_path: Path, truth: Any) -> None:
    found = _row(tmp_path, {"file_name": "1.jpg", "ground_truth": truth})
    assert isinstance(found, Fault) and found.error.rule == "not_a_record"


@pytest.mark.parametrize("name", [None, "", 3, ["1.jpg"]])
def test_a_page_without_a_name_is_refused(tmp_path: Path, name: Any) -> None:
    found = _row(tmp_path, {"file_name": name, "ground_truth": TRUTH})
    assert isinstance(found, Fault) and found.error.rule == "not_a_record"


def test_questions_of_a_page_are_asked_once_whatever_answers_are_right(tmp_path: Path) -> None:
    parses = [("Q1", "A1"), ("Q1", "a1"), ("Q2", "A2")]
    truth = json.dumps({"gt_parses": [{"question": q, "answer": a} for q, a in parses]})
    found = _row(tmp_path, {"file_name": "1.jpg", "ground_truth": truth}, gt_path="gt_parses")
    assert isinstance(found, Native)
    assert [turn["value"] for turn in found.turns] == ["<image>\nQ1", "A1", "Q2", "A2"]


def test_synthdog_holds_its_pages_in_parquet(tmp_path: Path) -> None:
    pages = [{"bytes": jpeg(8, n), "path": f"{n}.jpg"} for n in range(3)]
    pages[2]["bytes"] = None  # a page that is only named
    table = {"image": [*pages, None], "ground_truth": [TRUTH, json.dumps(TRUTH), TRUTH, TRUTH]}
    pq.write_table(pa.table(table), tmp_path / "train-00000.parquet", row_group_size=2)
    found = _read(tmp_path, "train-00000.parquet", media_root="pages")
    assert [each.position for each in found] == [0, 1, 2, 3]
    assert [each.media[0].data for each in found[:3] if isinstance(each, Native)] == [
        jpeg(8, 0),
        jpeg(8, 1),
        None,
    ]
    assert isinstance(found[2], Native) and found[2].media[0].name == "pages/2.jpg"
    assert isinstance(found[0], Native) and found[0].turns[0]["value"].startswith("<image>\n")
    assert isinstance(found[3], Fault) and found[3].error.rule == "not_a_record"


def test_a_parquet_file_without_ground_truth_is_one_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"x"]}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="has no column 'ground_truth'"):
        _read(tmp_path, "a.parquet")


def test_no_prompts_are_a_complaint() -> None:
    assert DonutOptions(prompts=()).complaint() is not None


VALUE = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=4) | st.just("a.jpg"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["gt_parse", "text_sequence", "question", "answer"]), inner, max_size=3
        )
        | inner.map(json.dumps)
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(
    rows=st.binary(max_size=80)
    | st.lists(VALUE | st.fixed_dictionaries({"file_name": VALUE, "ground_truth": VALUE}), max_size=4),
    path=st.sampled_from(["gt_parse.text_sequence", "gt_parse", "gt_parse.gt_parse.question"]),
)
def test_anything_ends_in_natives_or_faults(
    tmp_path_factory: pytest.TempPathFactory, rows: Any, path: str
) -> None:
    data = rows if isinstance(rows, bytes) else "\n".join(map(json.dumps, rows)).encode()
    found = _natives(tmp_path_factory.mktemp("any"), "metadata.jsonl", data, gt_path=path)
    assert all(isinstance(each, Native | Fault) for each in found)
    assert isinstance(rows, bytes) or len(found) == len(rows)
