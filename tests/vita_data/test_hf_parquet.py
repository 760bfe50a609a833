"""Parquet is read a row group at a time; what is damaged costs its rows or is one error of ours."""

from __future__ import annotations

import base64
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import jpeg
from vita_data.errors import SourceError
from vita_data.sources.base import Fault, Medium, Native, transcript
from vita_data.sources.hf_parquet import HfParquet, ParquetOptions

TURNS = [{"from": "human", "value": "<image>\nQ"}, {"from": "gpt", "value": "A"}]
PICTURE = jpeg(8)


def _read(folder: Path, name: str = "data.parquet", **options: Any) -> list[Native | Fault]:
    adapter = HfParquet(ParquetOptions(**options))
    split = adapter.split(str(folder), name, str(folder))
    return [native for part in split.slices for native in adapter.read(str(folder), part)]


def _write(folder: Path, columns: dict[str, Any], **options: Any) -> Path:
    path = folder / "data.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


def _rows(count: int) -> dict[str, Any]:
    images = [{"bytes": PICTURE, "path": f"{n}.jpg"} for n in range(count)]
    return {"id": list(range(count)), "image": images, "conversations": [TURNS] * count}


@pytest.mark.parametrize("group", [1, 3, 100])
def test_rows_read_alike_whatever_the_size_of_a_row_group(tmp_path: Path, group: int) -> None:
    _write(tmp_path, _rows(10), row_group_size=group)
    natives = _read(tmp_path)
    assert [native.position for native in natives] == list(range(10))
    assert [native.native_id for native in natives] == [str(n) for n in range(10)]
    for native in natives:
        assert isinstance(native, Native) and native.turns == TURNS
        assert native.media[0].data == PICTURE


@pytest.mark.parametrize(
    "cell",
    [
        {"bytes": PICTURE, "path": None},
        PICTURE,
        base64.b64encode(PICTURE).decode(),
        [{"bytes": PICTURE, "path": "a.jpg"}],
        [PICTURE],
        {"bytes": base64.b64encode(PICTURE).decode(), "path": "a.jpg"},
    ],
)
def test_a_picture_may_be_a_struct_bytes_base64_or_a_list_of_them(tmp_path: Path, cell: Any) -> None:
    _write(tmp_path, {"image": [cell], "conversations": [TURNS]})
    (native,) = _read(tmp_path)
    assert isinstance(native, Native)
    assert [picture.data for picture in native.media] == [PICTURE]


def test_a_row_without_a_picture_is_a_text_row(tmp_path: Path) -> None:
    _write(tmp_path, {"image": pa.array([None], pa.binary()), "conversations": [TURNS]})
    (native,) = _read(tmp_path)
    assert isinstance(native, Native) and native.media == []


@pytest.mark.parametrize("cell", ["no base64!", 5, 10**12, 0.5, {"bytes": 10**12, "path": "a.jpg"}])
def test_a_picture_cell_that_holds_no_bytes_costs_its_row(tmp_path: Path, cell: Any) -> None:
    _write(tmp_path, {"image": [cell], "conversations": [TURNS]})
    (fault,) = _read(tmp_path)
    assert isinstance(fault, Fault) and fault.error.rule == "not_a_record"


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pa.array([b"\xff\x00"]), r'"b\'\\xff\\x00\'"'.replace(r"\'", "'")),
        (pa.array([18446744073709551615], pa.uint64()), "18446744073709551615"),
        (pa.array(["图"]), '"图"'),
        (pa.array([None], pa.string()), None),
        (pa.array([math.nan]), "NaN"),
        (pa.array([0], pa.timestamp("s")), '"1970-01-01 00:00:00"'),
    ],
)
def test_ids_of_any_column_type_become_text(tmp_path: Path, column: pa.Array, text: str | None) -> None:
    _write(tmp_path, {"id": column, "conversations": [TURNS]})
    (native,) = _read(tmp_path)
    assert native.native_id == text


def test_questions_and_answers_may_stand_in_columns(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {"image": [PICTURE] * 3, "q": ["Q", "Q", None], "a": ["A", None, "A"], "as": [["x", "y"]] * 3},
    )
    natives = _read(tmp_path, question_column="q", answer_column="a")
    assert [n.turns for n in natives if isinstance(n, Native)] == [
        [{"from": "human", "value": f"<image>\n{q}"}, {"from": "gpt", "value": a}]
        for q, a in (("Q", "A"), ("Q", ""), ("", "A"))
    ]
    first = _read(tmp_path, question_column="q", answer_column="as")[0]
    assert isinstance(first, Native) and first.turns[1]["value"] == "x"


@pytest.mark.parametrize(
    "options", [{}, {"question_column": "q"}, {"question_column": "id", "answer_column": "a"}]
)
def test_a_file_without_the_turns_is_named_with_the_columns_it_has(tmp_path: Path, options: Any) -> None:
    _write(tmp_path, {"id": [1], "texts": ["x"]})
    with pytest.raises(SourceError, match=r"data\.parquet has no column '\w+' but id, texts;"):
        _read(tmp_path, **options)


@pytest.mark.parametrize("left", [0, 4, 100, -1, -9])
def test_a_file_that_is_cut_short_is_one_error(tmp_path: Path, left: int) -> None:
    path = _write(tmp_path, _rows(10))
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(SourceError, match=r"data\.parquet is not a whole parquet file"):
        _read(tmp_path)


def test_a_row_group_that_cannot_be_decoded_costs_each_of_its_rows(tmp_path: Path) -> None:
    path = _write(tmp_path, _rows(9), row_group_size=3, compression="zstd", use_dictionary=False)
    start = pq.ParquetFile(path).metadata.row_group(1).column(1).data_page_offset
    data = bytearray(path.read_bytes())
    data[start : start + 60] = b"\xff" * 60
    path.write_bytes(data)
    natives = _read(tmp_path)
    assert [native.position for native in natives] == list(range(9))
    assert [isinstance(native, Fault) for native in natives] == [False] * 3 + [True] * 3 + [False] * 3


def test_text_that_is_not_utf8_costs_its_row(tmp_path: Path) -> None:
    raw = pa.array([b"good", b"caf\xe9", b"good"])
    texts = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    _write(tmp_path, {"q": texts, "a": ["A"] * 3})
    natives = _read(tmp_path, question_column="q", answer_column="a")
    assert [native.position for native in natives] == [0, 1, 2]
    assert isinstance(natives[1], Fault) and natives[1].error.rule == "not_utf8"
    assert all(isinstance(natives[n], Native) for n in (0, 2))


def test_a_row_group_that_ended_the_worker_twice_is_put_aside_whole(tmp_path: Path) -> None:
    _write(tmp_path, _rows(6), row_group_size=3)
    adapter = HfParquet(ParquetOptions())
    part = adapter.split(str(tmp_path), "data.parquet", "").slices[1]
    faults = list(adapter.read(str(tmp_path), type(part)(**{**vars(part), "aside": (3,)})))
    assert [(f.position, f.error.rule) for f in faults if isinstance(f, Fault)] == [
        (n, "worker_died") for n in (3, 4, 5)
    ]


@pytest.mark.parametrize(
    ("turns", "kind"),
    [
        (None, Fault),
        ("text", Fault),
        ([None], Fault),
        ([], Native),
        ([{"role": "user", "content": "Q"}], Native),
    ],
)
def test_any_cell_of_turns_is_a_record_or_a_fault(tmp_path: Path, turns: Any, kind: type) -> None:
    _write(tmp_path, {"conversations": [turns]})
    (found,) = _read(tmp_path)
    assert isinstance(found, kind)


def _native(folder: Path, columns: dict[str, Any], **options: Any) -> Native:
    _write(folder, columns)
    (native,) = _read(folder, **options)
    assert isinstance(native, Native), native
    return native


def test_a_question_that_has_its_placeholder_gets_no_other(tmp_path: Path) -> None:
    columns = {"image": [PICTURE], "q": ["Q\n<image>"], "answer": ["A"]}
    assert _native(tmp_path, columns, question_column="q").turns[0]["value"] == "Q\n<image>"


def test_pictures_may_stand_in_columns_of_their_own_and_in_the_order_that_the_question_names(
    tmp_path: Path,
) -> None:
    """MMMU: image_1 to image_7, options as Python prints a list, an answer that is a letter."""
    pictures = {f"image_{n}": [{"bytes": jpeg(8, n), "path": None} if n < 4 else None] for n in range(1, 8)}
    columns = {
        **pictures,
        "question": ["<image 2> is which?"],
        "options": ["['<image 1>', 'it\\'s']"],
        "answer": ["B"],
    }
    native = _native(
        tmp_path,
        columns,
        image_columns=[f"image_{n}" for n in range(1, 8)],
        question_column="{question}\n{choices}",
        choices="options",
        answer_is="letter",
        tokens={"image": "<image {n}>"},
    )
    assert [t["value"] for t in native.turns] == [
        "<image>\n<image> is which?\nA. <image>\nB. it's",
        "B. it's",
    ]
    assert [each.data for each in native.media] == [jpeg(8, n) for n in (3, 2, 1)]


def test_choices_and_an_index_make_the_question_and_the_answer(tmp_path: Path) -> None:
    """ScienceQA as Hugging Face has it."""
    columns = {
        "image": pa.array([None], pa.binary()),
        "question": ["Which?"],
        "hint": [""],
        "choices": [["x", "y"]],
        "answer": [1],
        "split": ["train"],
    }
    options = {"question_column": "{hint}\n{question}\n{choices}", "choices": "choices", "answer_is": "index"}
    native = _native(tmp_path, columns, **options, split_filter={"split": ["train"]})
    assert [t["value"] for t in native.turns] == ["Which?\nA. x\nB. y", "B. y"]
    (fault,) = _read(tmp_path, **options, split_filter={"split": ["val"]})
    assert isinstance(fault, Fault) and fault.error.rule == "other_split"


def test_pairs_of_the_cauldron_show_all_pictures_before_the_first_question(tmp_path: Path) -> None:
    pairs = [
        {"user": "Q1", "assistant": "A1", "source": "s"},
        {"user": "Q2", "assistant": "A2", "source": "s"},
    ]
    columns = {"images": [[{"bytes": jpeg(8, n), "path": None} for n in range(2)]], "texts": [pairs]}
    options = {"image_column": "images", "turns": "QA", "turns_column": "texts"}
    native = _native(tmp_path, columns, **options, keys={"q": "user", "a": "assistant"})
    assert [t["value"] for t in native.turns] == ["<image>\n<image>\nQ1", "A1", "Q2", "A2"]
    assert [each.data for each in native.media] == [jpeg(8, 0), jpeg(8, 1)]


def test_turns_as_json_text_and_as_parts_are_read(tmp_path: Path) -> None:
    assert _native(tmp_path, {"conversations": [json.dumps(TURNS)]}).turns == TURNS
    content = [{"type": "image", "text": None}, {"type": "text", "text": "Q"}]
    columns = {"images": [[PICTURE]], "messages": [[{"role": "user", "content": content}]]}
    options = {"image_column": "images", "turns": "messages", "turns_column": "messages"}
    native = _native(tmp_path, columns, **options)
    assert native.turns == [{"from": "user", "value": "<image>\nQ"}] and len(native.media) == 1
    named = [{"type": "image", "path": f"{n}.jpg"} for n in "ab"]
    _write(tmp_path, {"images": [[PICTURE]], "messages": [[{"role": "user", "content": named}]]})
    (fault,) = _read(tmp_path, **options)
    assert isinstance(fault, Fault) and fault.error.rule == "not_a_record"


def test_a_text_with_tokens_beside_its_pictures_is_a_caption(tmp_path: Path) -> None:
    """Data-Juicer: names in one column, bytes in another."""
    columns = {"images": [["../a.png"]], "text": ["<__dj__image> A bus."], "image_bytes": [[PICTURE]]}
    native = _native(
        tmp_path,
        columns,
        image_column="image_bytes",
        turns="text",
        tokens={"image": "<__dj__image>"},
        prompts=["Say it."],
    )
    assert [t["value"] for t in native.turns] == ["<image>\nSay it.", "A bus."]
    assert native.media[0].data == PICTURE


@pytest.mark.parametrize(
    ("cell", "options", "names"),
    [
        ({"bytes": None, "path": "a/b.jpg"}, {}, ["m/a/b.jpg"]),
        ("a.jpg", {}, ["m/a.jpg"]),
        (["a.jpg", "b.png"], {}, ["m/a.jpg", "m/b.png"]),
        ("abcd", {"image_encoding": "name"}, ["m/abcd"]),
        ({"bytes": None, "path": None}, {}, []),
        ("", {}, []),
        ([], {}, []),
    ],
)
def test_pictures_that_are_only_named_lie_beside_the_table(
    tmp_path: Path, cell: Any, options: Any, names: list[str]
) -> None:
    image = pa.array([cell], pa.list_(pa.string()) if cell == [] else None)
    native = _native(tmp_path, {"image": image, "conversations": [TURNS]}, media_root="m", **options)
    assert [each.name for each in native.media] == names


@pytest.mark.parametrize("cell", ["https://e.x/picture", {"bytes": None, "path": "http://e.x/a.jpg"}])
def test_an_address_is_no_picture(tmp_path: Path, cell: Any) -> None:
    _write(tmp_path, {"image": [cell], "conversations": [TURNS]})
    (fault,) = _read(tmp_path)
    assert isinstance(fault, Fault) and fault.error.rule == "media_by_url"


def test_films_and_sounds_are_embedded_as_pictures_are(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "<audio><video>Q"}, TURNS[1]]
    columns = {"v": [{"bytes": b"film", "path": "a.mp4"}], "s": [b"sound"], "conversations": [turns]}
    media = _native(tmp_path, columns, video_column="v", audio_column="s").media
    assert media == [Medium("audio", "row 0", b"sound"), Medium("video", "a.mp4", b"film")]


SPEECH = {"audio_column": "audio", "text_column": "text", "speaker_column": "who", "language_column": "lang"}


def test_a_sound_with_its_text_is_a_transcript(tmp_path: Path) -> None:
    sound = {"bytes": b"RIFF", "path": "a.wav", "sampling_rate": 16000}
    columns = {"id": ["u1"], "audio": [sound], "text": ["你好"], "who": [7], "lang": ["zh"]}
    native = _native(tmp_path, columns, **SPEECH)
    assert native == transcript(0, '"u1"', "你好", Medium("audio", "a.wav", b"RIFF"), "7", "zh")


def test_a_row_is_of_the_split_in_its_column_or_in_the_name_of_its_file(tmp_path: Path) -> None:
    columns = {"question": ["Q", "Q"], "answer": ["A", "A"], "split": ["dev", None]}
    name = "train-00000-of-00002.parquet"
    _write(tmp_path, columns).rename(tmp_path / name)
    found = _read(tmp_path, name, question_column="question")
    assert [native.split for native in found if isinstance(native, Native)] == ["dev", "train"]


@pytest.mark.parametrize(
    ("sound", "text"), [(None, "hi"), (b"RIFF", None), ([b"RIFF", b"RIFF"], "hi"), (b"RIFF", 3)]
)
def test_a_sound_without_a_text_or_the_other_way_round_is_refused(
    tmp_path: Path, sound: Any, text: Any
) -> None:
    audio = pa.array([sound], pa.binary() if sound is None else None)
    _write(tmp_path, {"audio": audio, "text": pa.array([text], pa.string() if text is None else None)})
    (fault,) = _read(tmp_path, audio_column="audio", text_column="text")
    assert isinstance(fault, Fault) and fault.error.rule == "not_a_record"


def test_columns_that_the_card_names_must_be_there(tmp_path: Path) -> None:
    _write(tmp_path, {"question": ["Q"], "answer": ["A"]})
    for options in (
        {"split_filter": {"split": ["train"]}, "question_column": "question"},
        {"question_column": "{hint} {question}"},
        {"question_column": "question", "choices": "options"},
        {"question_column": "question", "context": "{passage}"},
        {"turns": "text"},
        {"question_column": "question", "image_column": "picture"},
        {"question_column": "question", "image_columns": ["image_1"]},
        {"question_column": "question", "video_column": "film"},
        SPEECH,
    ):
        with pytest.raises(SourceError, match="has no column"):
            _read(tmp_path, **options)  # type: ignore[arg-type]


def test_a_text_column_without_sounds_is_a_complaint() -> None:
    complaint = ParquetOptions(text_column="text").complaint()
    assert complaint is not None and complaint[0] == "text_column"


CELL = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats()
    | st.text("a:/.<", max_size=6)
    | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.fixed_dictionaries({"bytes": inner, "path": inner})
        | st.fixed_dictionaries({"type": inner, "image": inner, "from": inner, "value": inner})
    ),
    max_leaves=4,
)
DIALECTS: list[dict[str, Any]] = [
    {},
    {"turns": "QA", "keys": {"q": "from", "a": "value"}},
    {"turns": "text", "keys": {"text": "conversations"}},
    {"turns": "data"},
    {"question_column": "{conversations} {image.path}", "answer_column": "image", "choices": "conversations"},
    {"audio_column": "image", "text_column": "conversations", "image_column": "conversations"},
]


@settings(max_examples=200, deadline=None)
@given(image=CELL, turns=CELL, options=st.sampled_from(DIALECTS))
def test_any_cells_end_in_natives_or_faults(
    tmp_path_factory: pytest.TempPathFactory, image: Any, turns: Any, options: Any
) -> None:
    folder = tmp_path_factory.mktemp("cells")
    try:
        _write(folder, {"image": [image], "conversations": [turns]})
    except (pa.ArrowException, TypeError, OverflowError):  # values that no column can hold together
        return
    (found,) = _read(folder, **options)
    assert isinstance(found, Native | Fault)


FUZZ = """
import json, random, sys
from vita_data.errors import VitaError
from vita_data.sources.base import Fault, Native
from vita_data.sources.hf_parquet import HfParquet, ParquetOptions
folder, rounds = sys.argv[1], int(sys.argv[2])
whole = open(folder + "/data.parquet", "rb").read()
chance = random.Random("parquet")
adapter, ends = HfParquet(ParquetOptions()), {}
for turn in range(rounds):
    data = bytearray(whole)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data)) if turn % 2 else chance.randrange(len(data) - 900, len(data))
        data[at] = chance.randrange(256)
    open(folder + "/bad.parquet", "wb").write(data)
    try:
        split = adapter.split(folder, "bad.parquet", folder)
        found = [native for part in split.slices for native in adapter.read(folder, part)]
        assert all(isinstance(native, (Native, Fault)) for native in found)
        end = "faults" if any(isinstance(native, Fault) for native in found) else "read"
    except VitaError:
        end = "refused"
    ends[end] = ends.get(end, 0) + 1
print(json.dumps(ends))
"""


def test_damaged_bytes_end_in_faults_or_one_error_of_ours(tmp_path: Path) -> None:
    _write(tmp_path, _rows(6), row_group_size=2)
    command = [sys.executable, "-c", FUZZ, str(tmp_path), "300"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert set(json.loads(run.stdout)) == {"read", "faults", "refused"}
