"""Files appear whole or not at all, are named alike by path and URL, and are found by glob or by name."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data import files
from vita_data.errors import SourceError, VitaError

PART = st.text("abc.0 ", min_size=1).filter(lambda text: text.strip("/. "))


@given(PART, PART)
def test_joining_path_parts_is_the_same_in_one_step_or_two(one: str, two: str) -> None:
    assert files.join(files.join("/root", one), two) == files.join("/root", one, two)
    assert files.join("gs://bucket/", one) == f"gs://bucket/{one}"


def test_nothing_is_left_of_a_file_whose_writing_failed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    with pytest.raises(KeyError), files.atomic_write(str(path)) as stream:
        stream.write(b"half")
        raise KeyError
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_failed_write_leaves_the_file_of_before(tmp_path: Path) -> None:
    files.write_bytes(str(tmp_path / "file"), b"before")
    with pytest.raises(KeyError), files.atomic_write(str(tmp_path / "file")) as stream:
        stream.write(b"after")
        raise KeyError
    assert (tmp_path / "file").read_bytes() == b"before"


def test_two_threads_writing_one_file_leave_one_of_the_two(tmp_path: Path) -> None:
    texts = [bytes([n]) * 300_000 for n in range(4)]
    threads = [
        threading.Thread(target=files.write_bytes, args=(str(tmp_path / "file"), text)) for text in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file").read_bytes() in texts
    assert os.listdir(tmp_path) == ["file"]


def test_a_path_below_a_file_is_said_to_be_no_place_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for write in (files.make_folder, lambda path: files.write_bytes(path, b"")):
        with pytest.raises(VitaError, match="cannot be written"):
            write(str(tmp_path / "file" / "below"))


def test_json_and_tables_come_back_as_they_were_written(tmp_path: Path) -> None:
    value = {"name": "图片 🐈", "list": [1, 2.5, None, True]}
    files.write_json(str(tmp_path / "a.json"), value)
    assert files.read_json(str(tmp_path / "a.json")) == value
    table = pa.table({"n": [1, 2, 3], "s": ["a", None, "c"]})
    for name in ("one", "two"):
        files.write_table(str(tmp_path / name), table)
    assert files.read_table(str(tmp_path / "one")).equals(table)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_range_beyond_the_end_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    reader = files.RangeReader()
    assert reader.read(str(tmp_path / "file"), 3, 4) == b"3456"
    with pytest.raises(SourceError, match="ends before byte 12"):
        reader.read(str(tmp_path / "file"), 8, 4)
    reader.close()


def test_reading_a_thousand_files_keeps_few_of_them_open(tmp_path: Path) -> None:
    reader = files.RangeReader(limit=8)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(50):
        (tmp_path / str(number)).write_bytes(bytes([number]))
    for number in range(1000):
        assert reader.read(str(tmp_path / str(number % 50)), 0, 1) == bytes([number % 50])
    assert len(os.listdir("/proc/self/fd")) <= before + 8
    reader.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_pipe_where_a_file_was_is_an_error_and_no_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError):
        files.RangeReader().read(str(tmp_path / "pipe"), 0, 4)


def test_globs_find_files_in_order_and_no_folders(tmp_path: Path) -> None:
    for name in ("b/two.json", "b/one.json", "a/three.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "folder.json").mkdir()
    assert files.matching(str(tmp_path), "*/*.json") == ["a/three.json", "b/one.json", "b/two.json"]
    assert files.matching(str(tmp_path), "**/one.json") == ["b/one.json"]
    assert files.matching(str(tmp_path), "*.parquet") == []


def test_a_name_with_brackets_is_taken_as_it_stands(tmp_path: Path) -> None:
    for name in ("ai2d(gpt4v)[1]/data.json", "1/data.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert files.matching(str(tmp_path), "ai2d(gpt4v)[1]/data.json") == ["ai2d(gpt4v)[1]/data.json"]
    assert files.matching(str(tmp_path / "ai2d(gpt4v)[1]"), "*.json") == ["data.json"]


def test_urls_are_written_read_and_listed_like_paths() -> None:
    url = "memory://test-files/deep/a.json"
    files.write_json(url, [1, 2])
    assert files.exists(url) and files.read_json(url) == [1, 2]
    assert files.matching("memory://test-files", "deep/*.json") == ["deep/a.json"]
    assert files.RangeReader().read(url, 1, 2) == files.read_bytes(url)[1:3]
    assert files.identity(url)["size"] == len(files.read_bytes(url))


def test_a_scheme_without_a_driver_is_named(tmp_path: Path) -> None:
    with pytest.raises(VitaError, match="nosuch://bucket/file cannot be opened"):
        files.exists("nosuch://bucket/file")


def test_a_folder_is_one_process_at_a_time(tmp_path: Path) -> None:
    with files.locked(str(tmp_path / "out")):
        code = f"from vita_data import files\nwith files.locked({str(tmp_path / 'out')!r}): pass"
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert "another build is writing to" in other.stderr
    with files.locked(str(tmp_path / "out")):
        pass
