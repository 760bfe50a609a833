"""Flat rows of any container become a question with its answer, and a table is never cut inside a row."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vita_data.errors import RecordError, SourceError
from vita_data.sources import delimited, jsonfiles
from vita_data.sources.base import Fault, Medium, Native, Split
from vita_data.sources.delimited import Form, cells, read_rows, split_rows
from vita_data.sources.qa_rows import QaRows, QaRowsOptions, choice_list, fill

ROW = {"question": "Q", "answer": "A"}


def _natives(folder: Path, name: str, data: bytes | str, **options: Any) -> list[Native | Fault]:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    adapter = QaRows(QaRowsOptions(**options))
    split = adapter.split(str(folder), name, str(folder / "scratch"))
    return [native for part in split.slices for native in adapter.read(str(folder), part)]


def _native(folder: Path, row: Any, **options: Any) -> Native:
    (native,) = _natives(folder, "data.jsonl", json.dumps(row), **options)
    assert isinstance(native, Native), native
    return native


def _said(folder: Path, row: Any, **options: Any) -> list[str]:
    return [turn["value"] for turn in _native(folder, row, **options).turns]


def _rule(folder: Path, row: Any, **options: Any) -> str:
    (fault,) = _natives(folder, "data.jsonl", json.dumps(row), **options)
    assert isinstance(fault, Fault), fault
    return fault.error.rule


# Containers


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("a.json", json.dumps([ROW, ROW]), {}),
        ("a.json", json.dumps({"meta": {}, "rows": [ROW, ROW]}), {"items_path": "rows"}),
        ("a.json", json.dumps({"1": ROW, "2": ROW}), {"format": "object"}),
        ("a.jsonl", json.dumps(ROW) + "\n" + json.dumps(ROW), {}),
        ("a.csv", "question,answer\nQ,A\nQ,A\n", {}),
        ("a.tsv", "question\tanswer\nQ\tA\nQ\tA", {}),
        ("a.csv", "Q|A\r\nQ|A", {"delimiter": "|", "columns": ["question", "answer"]}),
        ("a.txt", "Q: A\nQ: A\n", {"pattern": "(?P<question>.*): (?P<answer>.*)"}),
    ],
)
def test_the_same_rows_read_alike_in_every_container(
    tmp_path: Path, name: str, text: str, options: Any
) -> None:
    natives = _natives(tmp_path, name, text, **options)
    assert [native.position for native in natives] == [0, 1]
    for native in natives:
        assert isinstance(native, Native)
        assert [turn["value"] for turn in native.turns] == ["Q", "A"]


def test_an_objects_names_are_ids_and_may_stand_in_the_names_of_pictures(tmp_path: Path) -> None:
    """ScienceQA: the answer points into the choices, and only some problems have a picture."""
    problem = {
        "choices": ["Asia", "Europe"],
        "answer": 1,
        "hint": "",
        "question": "Where?",
        "lecture": "## L",
    }
    problems = {
        "7": {**problem, "image": "image.png", "split": "train"},
        "8": {**problem, "image": None, "split": "train", "hint": "A map."},
        "9": {**problem, "image": None, "split": "test"},
    }
    first, second, third = _natives(
        tmp_path,
        "problems.json",
        json.dumps(problems),
        format="object",
        question="{hint}\n{question}\n{choices}",
        choices="choices",
        answer_is="index",
        image="{split}/{id}/{image}",
        media_root="images",
        split_filter={"split": ["train"]},
    )
    assert isinstance(first, Native) and (first.native_id, first.split) == ('"7"', "train")
    assert first.media == [Medium("image", "images/train/7/image.png")]
    assert [t["value"] for t in first.turns] == ["<image>\nWhere?\nA. Asia\nB. Europe", "B. Europe"]
    assert isinstance(second, Native) and second.media == []
    assert second.turns[0]["value"] == "A map.\nWhere?\nA. Asia\nB. Europe"
    assert isinstance(third, Fault) and (third.error.rule, third.native_id) == ("other_split", '"9"')


def test_chartqa_names_its_columns_otherwise(tmp_path: Path) -> None:
    row = {"imgname": "1.png", "query": "Sum?", "label": "[63, 26]"}
    native = _native(tmp_path, row, question="query", answer="label", image="imgname", media_root="png")
    assert native.media == [Medium("image", "png/1.png")]
    assert native.turns[1]["value"] == "[63, 26]"  # a text that looks like a list


def test_the_answer_to_a_conversation_about_a_document_may_stand_in_a_column_of_its_own(
    tmp_path: Path,
) -> None:
    said = [{"role": "user", "content": "Q1"}, {"role": "assistant", "content": "A1"}]
    row = {"document": "D", "messages": [*said, {"role": "user", "content": "Q2"}], "answers": ["A2", "A3"]}
    options = {"messages": "messages", "context": "{document}", "answer": "answers"}
    assert _said(tmp_path, row, **options) == ["D\nQ1", "A1", "Q2", "A2"]
    assert _said(tmp_path, {**row, "messages": said}, **options) == ["D\nQ1", "A1"]
    assert _said(tmp_path, {**row, "document": None}, **options)[0] == "Q1"
    assert _rule(tmp_path, {**row, "messages": None}, **options) == "not_a_record"


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("cc12m.tsv", 'http://e.x/1.jpg\ta "sign"\nhttp://e.x/2.jpg\t"Go\n', {"columns": ["url", "caption"]}),
        ("wukong_100m_0.csv", 'url,caption\nhttp://e.x/1.jpg,"一只,猫"\nhttp://e.x/2.jpg,x\n', {}),
    ],
)
def test_pools_of_addresses_hold_no_files(tmp_path: Path, name: str, text: str, options: Any) -> None:
    quotes = "literal" if options else "rfc4180"
    found = _natives(
        tmp_path, name, text, **options, quotes=quotes, image="url", answer="caption", prompts=["Describe."]
    )
    assert [each.error.rule for each in found if isinstance(each, Fault)] == ["media_by_url"] * 2


@pytest.mark.parametrize(
    ("name", "text", "options", "expected"),
    [
        (
            "captions_val2014.json",
            json.dumps({"images": [], "annotations": [{"image_id": 42, "id": 7, "caption": "A dog."}]}),
            {"items_path": "annotations", "image": "COCO_val2014_{image_id:012}.jpg"},
            ("7", "COCO_val2014_000000000042.jpg", "A dog."),
        ),
        (
            "caption_train.json",
            json.dumps([{"url": "", "image_id": "a.jpg", "caption": ["一只狗。", "一条狗。"]}]),
            {"image": "image_id"},
            (None, "a.jpg", "一只狗。"),
        ),
        (
            "flickr8kzhm.caption.txt",
            "\ufeffb.jpg#zhm#0 一只 狗\n",
            {"pattern": r"(?P<image>[^#]+)#\w+#\d+ (?P<caption>.*)"},
            (None, "b.jpg", "一只 狗"),
        ),
        ("clips.csv", "id,image,caption\n1,a.jpg,x\n", {}, ('"1"', "a.jpg", "x")),
    ],
)
def test_captions_are_answers_to_a_prompt(
    tmp_path: Path, name: str, text: str, options: Any, expected: Any
) -> None:
    (native,) = _natives(tmp_path, name, text, answer="caption", prompts=["Describe."], **options)
    assert isinstance(native, Native)
    assert native.turns[0]["value"] == "<image>\nDescribe."
    assert (native.native_id, native.media[0].name, native.turns[1]["value"]) == expected


def test_a_clip_of_a_film_is_asked_about(tmp_path: Path) -> None:
    row = {"video_id": "v1", "q": "Q", "a": "A", "start": 3, "end": 1.5}
    native = _native(tmp_path, row, question="q", answer="a", video="{video_id}.mp4", media_root="videos")
    assert native.media == [Medium("video", "videos/v1.mp4", None, 1.5, 3.0)]
    assert native.turns[0]["value"] == "<video>\nQ"


# Questions and answers


def test_a_placeholder_that_the_question_has_is_not_put_there_again(tmp_path: Path) -> None:
    for question in ("<image>\nQ", "Q\n<image>"):
        assert _said(tmp_path, {"question": question, "answer": "A", "image": "a.jpg"})[0] == question


def test_numbered_tokens_of_a_question_become_placeholders(tmp_path: Path) -> None:
    row = {"question": "Q <image1> of <image1> and <image2>", "answer": "A", "image": "a.jpg"}
    assert _said(tmp_path, row, tokens={"image": "<image{n}>"})[0] == "Q <image> of <image1> and <image2>"


@pytest.mark.parametrize(
    ("answer", "options", "expected"),
    [
        (1, {"answer_is": "index"}, "B. y"),
        ("1", {"answer_is": "index"}, "B. y"),
        ("b", {"answer_is": "letter", "letters": "abc"}, "b. y"),
        ("(C)", {"answer_is": "letter"}, "C. z"),
        ("A", {"answer_is": "letter", "answer_form": "{letter}"}, "A"),
        (0, {"answer_is": "index", "answer_form": "{choice} ({answer}, {topic})"}, "x (0, T)"),
        ("y", {}, "y"),
        ("y", {"answer_form": "{letter}. {choice}"}, "B. y"),
        ("free", {"answer_form": "{letter}\n{answer}"}, "free"),
        (None, {"answer_is": "index"}, ""),
        (math.nan, {}, ""),
    ],
)
def test_an_answer_may_be_a_text_an_index_or_a_letter(
    tmp_path: Path, answer: Any, options: Any, expected: str
) -> None:
    row = {"question": "Q", "options": ["x", "y", "z"], "answer": answer, "topic": "T"}
    assert _said(tmp_path, row, choices="options", **options)[1] == expected


@pytest.mark.parametrize("answer", [3, -1, "B", "1.0", True, [7], "99999999999"])
def test_an_index_that_points_to_no_choice_is_refused(tmp_path: Path, answer: Any) -> None:
    row = {"question": "Q", "options": ["x", "y", "z"], "answer": answer}
    assert _rule(tmp_path, row, choices="options", answer_is="index") == "not_a_record"


@pytest.mark.parametrize("answer", ["D", "1", "AB", "!"])
def test_a_letter_that_points_to_no_choice_is_refused_where_there_are_choices(
    tmp_path: Path, answer: str
) -> None:
    row = {"question": "Q", "options": ["x", "y", "z"], "answer": answer}
    assert _rule(tmp_path, row, choices="options", answer_is="letter") == "not_a_record"
    assert _said(tmp_path, {**row, "options": []}, choices="options", answer_is="letter")[1] == answer


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (["a", 1, None], ["a", "1", ""]),
        ("['a', \"it's\", 'b\\'c', 3]", ["a", "it's", "b'c", "3"]),
        ('["a", "x\\ny"]', ["a", "x\ny"]),
        ({"text": ["a", "b"], "label": ["A", "B"]}, ["a", "b"]),
        ("[]", []),
        ("", []),
        (None, []),
        (3, []),
    ],
)
def test_choices_are_a_list_however_it_is_written(value: Any, texts: list[str]) -> None:
    assert choice_list(value) == texts


@pytest.mark.parametrize("value", ["a, b", "['a'", "['a' 'b']", "['a', __import__('os')]x", "[[1], [2]]"])
def test_choices_that_are_no_list_are_refused(value: str) -> None:
    with pytest.raises(RecordError):
        choice_list(value)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip), max_size=5))
def test_a_list_as_json_writes_it_comes_back(texts: list[str]) -> None:
    plain = [text for text in texts if text.isprintable() and "\\" not in text]
    assert choice_list(json.dumps(plain, ensure_ascii=False)) == plain
    assert choice_list(repr(plain)) == plain


def test_more_choices_than_letters_are_refused(tmp_path: Path) -> None:
    row = {"question": "Q", "options": ["x", "y", "z"], "answer": "A"}
    assert _rule(tmp_path, row, choices="options", letters="AB") == "not_a_record"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{a}", "1"),
        ("{a:03} {missing}", "001 "),
        ("x\n{empty}\n{none}\n{nan}", "x"),
        ("Hint: {empty}\n{a}", "1"),
        ("{inner.deep}", "d"),
        ("{dotted.name}", "dot"),
        ("{list}", "first"),
        ("{object}", '{"k": "v"}'),
        ("", ""),
    ],
)
def test_a_template_is_filled_with_fields_and_leaves_empty_lines_out(template: str, said: str) -> None:
    row = {"a": 1, "empty": "", "none": None, "nan": math.nan, "inner": {"deep": "d"}, "dotted.name": "dot"}
    assert fill(template, {**row, "list": ["first", "second"], "object": {"k": "v"}}) == said


def test_a_row_without_the_columns_of_the_card_is_refused_with_those_it_has(tmp_path: Path) -> None:
    (fault,) = _natives(tmp_path, "data.json", json.dumps([{"query": "Q", "label": "A"}]))
    assert isinstance(fault, Fault)
    assert "'question'" in str(fault.error) and "query, label" in str(fault.error)


def test_a_column_of_pictures_that_the_card_names_must_be_there_but_may_be_empty(tmp_path: Path) -> None:
    for image in ("picture", "{picture}.jpg"):
        assert _rule(tmp_path, {**ROW, "image": "a.jpg"}, image=image) == "not_a_record"
        for empty in (None, "", [], math.nan):
            assert _native(tmp_path, {**ROW, "picture": empty}, image=image).media == []


@pytest.mark.parametrize("row", [None, 3, "text", [], [ROW], {}])
def test_what_is_no_row_is_refused(tmp_path: Path, row: Any) -> None:
    assert _rule(tmp_path, row) == "not_a_record"


@pytest.mark.parametrize("image", [3, {"path": "a"}, [None], [[]], True])
def test_a_picture_named_by_no_text_is_refused(tmp_path: Path, image: Any) -> None:
    assert _rule(tmp_path, {**ROW, "image": image}) == "not_a_record"


def test_a_row_is_of_the_split_that_a_column_says_or_else_its_file(tmp_path: Path) -> None:
    only = {"split_filter": {"pid_split": ["minival"]}}
    assert _native(tmp_path, {**ROW, "pid_split": "minival"}, **only).split == "minival"
    assert _native(tmp_path, {**ROW, "split": 0}).split is None
    (native,) = _natives(tmp_path, "train/train_human.json", json.dumps([ROW]))
    assert isinstance(native, Native) and native.split == "train_human"


def test_rows_of_other_splits_are_put_aside_by_name(tmp_path: Path) -> None:
    only = {"split_filter": {"split": ["train", "0"]}}
    assert _rule(tmp_path, {**ROW, "split": "test"}, **only) == "other_split"
    assert _rule(tmp_path, ROW, **only) == "not_a_record"
    assert _said(tmp_path, {**ROW, "split": 0}, **only) == ["Q", "A"]


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": ""},
        {"delimiter": '"'},
        {"pattern": "("},
        {"pattern": "(.*)"},
        {"answer_is": "index"},
        {"tokens": {"picture": "x"}},
    ],
)
def test_options_that_cannot_work_are_refused_by_name(options: Any) -> None:
    complaint = QaRowsOptions(**options).complaint()
    assert complaint is not None and complaint[0].partition(".")[0] in options


# Tables


def _table(folder: Path, data: bytes, form: Form) -> Split:
    (folder / "data.csv").write_bytes(data)
    return split_rows(str(folder / "data.csv"), "data.csv", form)


def _rows(split: Split, form: Form) -> list[tuple[int, Any]]:
    found = [each for part in split.slices for each in read_rows(part, form)]
    return [(n, f"{row.rule}!" if isinstance(row, RecordError) else list(row.values())) for n, row in found]


CELL = st.text(st.sampled_from(['"', ",", "\n", "a", " ", "€", "\t"]), max_size=5)


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL), max_size=8), size=st.sampled_from([1, 30, 10_000]))
def test_a_table_that_csv_wrote_comes_back_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], size: int
) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_MINIMAL).writerows(rows)
    form = Form(columns=("a", "b"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonfiles, "SLICE_BYTES", size)
        split = _table(tmp_path_factory.mktemp("csv"), buffer.getvalue().encode(), form)
        found = _rows(split, form)
    assert found == [(n, list(row)) for n, row in enumerate(rows)]
    assert split.records == len(rows)


@settings(max_examples=200)
@given(text=st.text(st.sampled_from(['"', ",", "a", "b"]), min_size=1, max_size=12))
def test_a_line_has_the_cells_that_csv_reads(text: str) -> None:
    if delimited._ends_open(text.encode(), b",", False):
        with pytest.raises(csv.Error):  # strict: an end inside a quoted field, or text behind a closed one
            list(csv.reader([text], strict=True))
    else:
        assert cells(text, Form()) == next(csv.reader([text]), [""])


@pytest.mark.parametrize("size", [1, 10_000])
def test_a_quote_that_never_closes_costs_its_line_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(jsonfiles, "SLICE_BYTES", size)
    form = Form(columns=("a", "b"))
    data = b'0,5" tall\n1,"x\ny"\n2,"never\n3,z\n\n4,w\n'
    expected: list[Any] = [(0, ["0", '5" tall']), (1, ["1", "x\ny"]), (2, "not_a_record!"), (3, ["3", "z"])]
    expected.append((5, ["4", "w"]))
    assert _rows(_table(tmp_path, data, form), form) == expected


@pytest.mark.parametrize("size", [1, 10_000])
def test_a_row_beyond_all_measure_costs_itself_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(delimited, "ROW_BYTES", 20)
    monkeypatch.setattr(jsonfiles, "SLICE_BYTES", size)
    form = Form(columns=("a", "b"))
    data = b"1,2\n3," + b"x" * 50 + b'\n5,6\n7,"' + b"y\n" * 20 + b'"\n9,' + b"z" * 18
    found = _rows(_table(tmp_path, data, form), form)
    assert found[:3] == [(0, ["1", "2"]), (1, "not_a_record!"), (2, ["5", "6"])]
    assert found[3] == (3, "not_a_record!") and found[-1] == (24, "not_a_record!")


def test_a_quote_that_closes_in_a_line_beyond_all_measure_makes_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "ROW_BYTES", 20)
    form = Form(columns=("a", "b"))
    data = b'1,"y\nz"' + b"x" * 50 + b"\n3,4\n"
    bad = "not_a_record!"
    assert _rows(_table(tmp_path, data, form), form) == [(0, bad), (1, bad), (2, ["3", "4"])]


def test_a_row_of_many_megabytes_is_read(tmp_path: Path) -> None:
    long = "x" * (3 << 20)
    form = Form(delimiter="\t", columns=("a", "b"))
    assert _rows(_table(tmp_path, f'1\t"{long}\n"\n'.encode(), form), form) == [(0, ["1", long + "\n"])]


def test_many_open_quotes_take_no_longer_than_as_many_lines(tmp_path: Path) -> None:
    form = Form(columns=("a", "b"))
    split = _table(tmp_path, b'"a""b,\n' * 60_001, form)
    found = _rows(split, form)  # every second line closes what the one before it opened
    assert len(found) == 30_001 and found[-1] == (30_000, "not_a_record!")


def test_marks_line_ends_and_bytes_that_are_not_utf8_cost_nothing_else(tmp_path: Path) -> None:
    form = Form()
    data = b'\xef\xbb\xbf"a",b\r\n1,2\r\n\r\ncaf\xe9,4\r\n5\r\n6,7,8\r\n,\r\n9,10'
    expected = [(0, ["1", "2"]), (2, "not_utf8!"), (3, "not_a_record!"), (4, "not_a_record!"), (5, ["", ""])]
    assert _rows(_table(tmp_path, data, form), form) == [*expected, (6, ["9", "10"])]


def test_quotes_that_are_text_end_no_field_and_the_last_column_takes_the_rest(tmp_path: Path) -> None:
    form = Form(delimiter="|", quoted=False)
    data = b'file|text\na.wav|He said "hi\nb.wav|pipe | inside\nc.wav|\nd.wav\n"e.wav"|"x"\n'
    assert _rows(_table(tmp_path, data, form), form) == [
        (0, ["a.wav", 'He said "hi']),
        (1, ["b.wav", "pipe | inside"]),
        (2, ["c.wav", ""]),
        (3, "not_a_record!"),
        (4, ['"e.wav"', '"x"']),
    ]


@pytest.mark.parametrize("data", [b"", b'"never\n1,2\n', b"a,a\n1,2\n", b"caf\xe9,b\n1,2\n"])
def test_a_table_whose_first_row_names_no_columns_is_one_error(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceError, match="does not name its columns"):
        _natives(tmp_path, "data.csv", data)


def test_a_row_that_is_put_aside_is_a_fault_and_is_not_parsed(tmp_path: Path) -> None:
    form = Form(columns=("a",))
    (part,) = _table(tmp_path, b"1\n2\n3\n", form).slices
    aside = type(part)(**{**vars(part), "aside": (1,)})
    rules = [row.rule if isinstance(row, RecordError) else row["a"] for _, row in read_rows(aside, form)]
    assert rules == ["1", "worker_died", "3"]


# Anything


VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["a.jpg", "<image1>", "[1]", "train"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "x"]), inner, max_size=2)
    ),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ["id", "question", "answer", "choices", "image", "video", "split", "start", "end", "messages"]
)
OPTIONS: list[dict[str, Any]] = [
    {},
    {"choices": "choices", "answer_is": "index", "split_filter": {"split": ["train"]}},
    {"choices": "choices", "answer_is": "letter", "tokens": {"image": "<image{n}>"}},
    {"messages": "messages", "context": "{answer.text}\n{id}", "image": "{id:05}/{image}.jpg"},
]


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(VALUE | st.dictionaries(KEYS, VALUE, max_size=6), max_size=4),
    options=st.sampled_from(OPTIONS),
)
def test_any_json_ends_in_natives_or_faults(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], options: Any
) -> None:
    lines = "\n".join(map(json.dumps, rows))
    found = _natives(tmp_path_factory.mktemp("any"), "data.jsonl", lines, **options)
    assert len(found) == len(rows) and all(isinstance(each, Native | Fault) for each in found)


@settings(max_examples=150, deadline=None)
@given(
    data=st.binary(max_size=80)
    | st.text(st.sampled_from('",\n\r\ta{[}]:1é\ufeff'), max_size=60).map(str.encode),
    name=st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.json", "dict.json"]),
    cut=st.sampled_from(["error", "keep"]),
)
def test_any_bytes_end_in_natives_faults_or_one_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str, cut: Any
) -> None:
    form: Any = "object" if name == "dict.json" else "auto"
    try:
        found = _natives(tmp_path_factory.mktemp("bytes"), name, data, format=form, on_cut=cut)
    except SourceError:
        return
    assert all(isinstance(each, Native | Fault) for each in found)
