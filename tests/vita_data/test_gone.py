"""Tables with rows to measure again: known by the list beside them, at whatever point the writing stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from vita_data.verdicts.gone import digest_of_measured, incomplete, rows_to_measure, written


def name(part: int) -> str:
    return f"part-{part}"


def put(path: str, gone: list[int], data: bytes = b"table") -> None:
    with written(path, gone) as stream:
        stream.write(data)


def test_a_table_is_whole_when_no_list_lies_beside_it(tmp_path: Path) -> None:
    path = str(tmp_path / name(0))
    assert rows_to_measure(path) is None
    put(path, [3, 5])
    assert rows_to_measure(path) == [3, 5]
    put(path, [5])
    assert rows_to_measure(path) == [5]
    put(path, [])
    assert rows_to_measure(path) == [] and [one.name for one in tmp_path.iterdir()] == [name(0)]


def test_rows_that_turn_out_to_be_gone_while_the_table_is_written_are_listed(tmp_path: Path) -> None:
    gone: list[int] = []
    with written(str(tmp_path / name(0)), gone) as stream:
        stream.write(b"table")
        gone.append(7)
    assert rows_to_measure(str(tmp_path / name(0))) == [7]


def test_what_stops_before_the_table_stands_leaves_its_rows_to_be_measured(tmp_path: Path) -> None:
    path = str(tmp_path / name(0))
    put(path, [3, 5], b"old")
    with pytest.raises(RuntimeError), written(path, [5]) as stream:
        stream.write(b"new")
        raise RuntimeError
    assert rows_to_measure(path) == [3, 5] and Path(path).read_bytes() == b"old"
    Path(path).unlink()
    assert rows_to_measure(path) is None  # a list without a table says nothing


def test_only_parts_with_something_to_measure_are_incomplete(tmp_path: Path) -> None:
    put(str(tmp_path / name(0)), [])
    put(str(tmp_path / name(1)), [2])
    assert incomplete(str(tmp_path), name, [0, 1, 2]) == [1, 2]


def test_incomplete_tables_have_a_name_of_their_own_that_goes_when_they_are_whole(tmp_path: Path) -> None:
    folder = str(tmp_path / "0123456789abcdef" / "photos")
    put(f"{folder}/{name(0)}", [])
    assert digest_of_measured(folder, name, [0]) == "0123456789abcdef"
    put(f"{folder}/{name(0)}", [1])
    once = digest_of_measured(folder, name, [0])
    put(f"{folder}/{name(0)}", [1, 2])
    assert len({once, digest_of_measured(folder, name, [0]), "0123456789abcdef"}) == 3
    put(f"{folder}/{name(0)}", [])
    assert digest_of_measured(folder, name, [0]) == "0123456789abcdef"
