"""Tasks wait for one another, are skipped when nothing they read has changed, and go on after a failure."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vita_data import files
from vita_data.errors import VitaError
from vita_model.proof.tasks import Task, command, do_all, passed, seconds_of

SCRIPT = """
import pathlib, sys
needed, reads, writes = map(pathlib.Path, sys.argv[1:])
if not needed.exists():
    sys.exit("nothing there")
writes.write_text(reads.read_text() + "x")
"""


def task(name: str, folder: Path, after: tuple[str, ...], reads: str, needed: str) -> Task:
    """Writes what it reads and a letter more, where `needed` is there."""
    words = (sys.executable, "-c", SCRIPT, *(str(folder / file) for file in (needed, reads, name)))
    return Task(name, command, (words,), after, (folder / reads,), folder / name)


@pytest.fixture
def tasks(tmp_path: Path) -> list[Task]:
    (tmp_path / "start").write_text("")
    return [
        task("last", tmp_path, ("middle",), "middle", "allowed"),
        task("middle", tmp_path, ("first",), "first", "start"),
        task("first", tmp_path, (), "start", "start"),
    ]


def test_a_failure_is_told_with_its_log_and_the_same_call_goes_on_from_there(
    tasks: list[Task], tmp_path: Path
) -> None:
    states, said = tmp_path / "steps", list[str]()
    with pytest.raises(
        VitaError, match=r"last: its command has ended with status 1; what it said is in .*last\.log"
    ):
        do_all(tasks, states, 2, said.append)
    assert "nothing there" in (states / "last.log").read_text()
    assert [line.split()[0] for line in said if "of" in line] == ["first", "middle", "last"]
    (tmp_path / "allowed").write_text("")
    again = list[str]()
    do_all(tasks, states, 2, again.append)
    assert [line.split()[0] for line in again if "of" in line] == ["last"]
    assert (tmp_path / "last").read_text() == "xxx"
    assert set(seconds_of(tasks, states)) == {"first", "middle", "last"}


def test_what_follows_a_change_is_done_again_and_nothing_else(tasks: list[Task], tmp_path: Path) -> None:
    (tmp_path / "allowed").write_text("")
    do_all(tasks, tmp_path / "steps", 2, lambda words: None)
    (tmp_path / "first").write_text("other")
    said = list[str]()
    do_all(tasks, tmp_path / "steps", 2, said.append)
    assert [line.split()[0] for line in said if "of" in line] == ["middle", "last"]
    assert (tmp_path / "last").read_text() == "otherxx"


def test_what_is_done_already_is_passed_before_anything_new_is_begun(
    tasks: list[Task], tmp_path: Path
) -> None:
    states = tmp_path / "steps"
    with pytest.raises(VitaError):
        do_all(tasks, states, 1, lambda words: None)  # the last is not allowed yet
    (tmp_path / "allowed").write_text("")
    said = list[str]()
    do_all([*tasks, task("aside", tmp_path, (), "start", "start")], states, 1, said.append)
    assert [line.split()[0] for line in said if "of" in line] == ["last", "aside"]


def test_minutes_in_which_two_worked_count_once_and_those_between_two_calls_not(
    tasks: list[Task], tmp_path: Path
) -> None:
    for name, ended, seconds in ("first", 100.0, 100.0), ("middle", 120.0, 60.0), ("last", 1000.0, 30.0):
        files.write_json(str(tmp_path / f"{name}.json"), {"ended": ended, "seconds": seconds})
    assert passed(tasks, tmp_path) == 100 + 20 + 30
