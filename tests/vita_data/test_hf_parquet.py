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

from tests.factories import jpeg
from vita_data.errors import SourceError
from vita_data.sources.base import Fault, Native
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
        for q, a in (("Q", "A"), ("Q", None), ("", "A"))
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
