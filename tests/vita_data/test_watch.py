"""A record that ends its worker twice is put aside; nobody else is blamed, and nothing goes on for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.choice import RunnerChoice
from pipelines.settings import BuildSettings
from pipelines.supervise import supervised_build
from tests.factories import record, write_lines, write_mixture, write_source
from vita_data import files
from vita_data.catalog import watch
from vita_data.catalog.watch import Watch
from vita_data.errors import SourceError, VitaError

LONG = "图" * 400 + "/data.jsonl"


def _dies_at(work: Path, *place: Any) -> None:
    code = (
        "import os, sys, json; from vita_data.catalog.watch import Watch; "
        f"Watch({str(work)!r}).at(*json.loads(sys.argv[1])); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, json.dumps(place)], check=False)


def test_the_second_death_at_a_place_puts_it_aside(tmp_path: Path) -> None:
    for deaths, aside in ((1, set()), (2, {("a.json", 7, "judge")})):
        _dies_at(tmp_path, "a.json", 7, "judge")
        places = watch.places_of_the_dead(str(tmp_path))
        assert places == [("a.json", 7, "judge")]
        watch.blame(str(tmp_path), places)
        assert watch.put_aside(str(tmp_path)) == aside, deaths


def test_a_place_that_ends_workers_although_it_is_aside_stops_the_build(tmp_path: Path) -> None:
    for _ in range(2):
        watch.blame(str(tmp_path), [("a.json", 7, "read")])
    with pytest.raises(
        SourceError, match=r"a\.json: record 7 ended the worker again although it was put aside"
    ):
        watch.blame(str(tmp_path), [("a.json", 7, "read")])


def test_between_two_records_nobody_is_to_blame(tmp_path: Path) -> None:
    place = Watch(str(tmp_path))
    place.at("a.json", 1, "judge")
    place.idle()
    assert watch.places_of_the_dead(str(tmp_path)) == []


def test_a_worker_that_is_done_leaves_no_note(tmp_path: Path) -> None:
    place = Watch(str(tmp_path))
    place.at("a.json", 1, "judge")
    place.done()
    place.at("a.json", 2, "judge")
    assert watch.places_of_the_dead(str(tmp_path)) == [] and not watch.put_aside(str(tmp_path))


def test_a_short_note_after_a_long_one_is_read_as_it_is(tmp_path: Path) -> None:
    place = Watch(str(tmp_path))
    place.at(LONG, 123456789, "judge")
    place.at("b.json", 5, "read")
    assert watch.places_of_the_dead(str(tmp_path)) == [("b.json", 5, "read")]
    place.done()


def test_of_two_workers_only_the_dead_one_is_blamed(tmp_path: Path) -> None:
    living = Watch(str(tmp_path))
    living.at("a.json", 1, "judge")
    _dies_at(tmp_path, "a.json", 7, "judge")
    watch.mark_the_dead([str(tmp_path)])
    assert watch.places_of_the_dead(str(tmp_path)) == [("a.json", 7, "judge")]
    living.done()


def test_where_nobody_knows_who_died_nobody_is_blamed(tmp_path: Path) -> None:
    for n in range(2):
        _dies_at(tmp_path, "a.json", n, "judge")
    assert watch.places_of_the_dead(str(tmp_path)) == []
    assert list((tmp_path / "inflight").iterdir()) == []


def test_notes_of_a_build_that_was_killed_are_forgotten(tmp_path: Path) -> None:
    _dies_at(tmp_path, "a.json", 1, "judge")
    watch.forget_notes(str(tmp_path))
    assert watch.places_of_the_dead(str(tmp_path)) == []


def test_a_remote_work_folder_has_no_notes() -> None:
    place = Watch("memory://source/w")
    place.at("a.json", 1, "judge")
    place.done()
    assert not files.exists("memory://source/w/inflight")


ADAPTER = '''
import os, signal, time
from vita_data.sources.base import Fault, Medium, Native, worker_died
from vita_data.sources.llava_json import LlavaJson, LlavaOptions

class Base:
    def __init__(self, options):
        self.inner, self.options = LlavaJson(LlavaOptions()), options

    def split(self, root, annotation, scratch):
        return self.inner.split(root, annotation, scratch)

    def die(self):
        os._exit(3) if self.options["how"] == "exit" else os.kill(os.getpid(), getattr(signal, self.options["how"]))
        time.sleep(60)  # another thread may take the signal: this one must not go on meanwhile

class Picky(Base):
    """Dies over one record, unless it is put aside."""

    def read(self, root, part):
        for native in self.inner.read(root, part):
            if native.position in part.aside:
                yield Fault(native.position, worker_died())
                continue
            if part.annotation == "a.jsonl" and native.position == 1203:
                self.die()
            yield native

class Stubborn(Base):
    """Dies over one record, whatever it is told."""

    def read(self, root, part):
        for native in self.inner.read(root, part):
            if part.annotation == "a.jsonl" and native.position == 1203:
                self.die()
            yield native

class DeadlyName(str):
    def replace(self, *given):
        os._exit(3)

class Deadly(Base):
    """Yields a record that ends the worker when its medium is opened."""

    def read(self, root, part):
        for native in self.inner.read(root, part):
            if part.annotation == "a.jsonl" and native.position == 1203:
                pictures = [Medium("image", DeadlyName("a.jpg"))]
                native = Native(native.position, native.native_id, native.turns, pictures)
            yield native

class Tiny(Base):
    """Dies over the second record of one of many files: while it reads it, or when its medium is opened."""

    def read(self, root, part):
        for native in self.inner.read(root, part):
            if native.position in part.aside:
                native = Fault(native.position, worker_died())
            elif (part.annotation, native.position) == ("t17.jsonl", 1):
                self.die()
            elif (part.annotation, native.position) == ("t23.jsonl", 1):
                pictures = [Medium("image", DeadlyName("a.jpg"))]
                native = Native(native.position, native.native_id, native.turns, pictures)
            yield native

class Healthy(Base):
    def read(self, root, part):
        return self.inner.read(root, part)

class Chatty(Healthy):
    def __init__(self, options):
        super().__init__(options)
        print('{"say": "hello"}\\n{"error": 1', flush=True)

class Raising(Base):
    def read(self, root, part):
        for native in self.inner.read(root, part):
            if part.annotation == "a.jsonl" and native.position == 1203:
                raise KeyError("a column")
            yield native
'''


TWO_FILES = {"a": 1300, "b": 1300}


def _build(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    reader: str,
    how: str,
    workers: int,
    records: dict[str, int] = TWO_FILES,
) -> tuple[Any, list[str]]:
    monkeypatch.chdir(home)
    (home / "my_adapter.py").write_text(ADAPTER)
    write_source(
        home, "mine", [], adapter=f"my_adapter:{reader}", options={"how": how}, annotations=["*.jsonl"]
    )
    for name, count in records.items():
        told = [record(f"{name}{n}", "Q", f"A {n}") for n in range(count)]
        write_lines(home / "mine", told, f"{name}.jsonl")
    said: list[str] = []
    settings = BuildSettings("1.3", str(write_mixture(home, {"mine": "all"})), str(home / "out"))
    settings = BuildSettings(**{**vars(settings), "runner": RunnerChoice(workers=workers)})
    try:
        facts = supervised_build(settings, lambda message: said.append(message.get("say", "")))
    except VitaError as error:
        return error, said
    table = files.read_table(str(home / "out/stages/1.3/rejects/mine.parquet"))
    return (facts, table.select(["annotation", "position", "step", "rule"]).to_pylist()), said


@pytest.mark.slow
@pytest.mark.parametrize(("reader", "workers"), [("Picky", 1), ("Deadly", 2)])
def test_a_record_that_ends_its_worker_twice_is_a_reject_and_the_build_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str, workers: int
) -> None:
    (facts, rejects), said = _build(tmp_path, monkeypatch, reader, "SIGSEGV", workers)
    assert facts["sources"][0]["read"] == 2600
    assert rejects == [{"annotation": "a.jsonl", "position": 1203, "step": "read", "rule": "worker_died"}]
    assert len([words for words in said if "a worker died at a.jsonl record 1203" in words]) == 2


@pytest.mark.slow
def test_records_that_end_a_worker_are_found_within_a_batch_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = {f"t{number:02d}": 3 for number in range(40)} | {"z": 2100}
    (facts, rejects), said = _build(tmp_path, monkeypatch, "Tiny", "SIGSEGV", 2, tiny)
    assert facts["sources"][0]["read"] == 40 * 3 + 2100
    found = {(row["annotation"], row["position"], row["step"], row["rule"]) for row in rejects}
    assert found == {(f"t{number}.jsonl", 1, "read", "worker_died") for number in (17, 23)}
    for number in (17, 23):
        assert sum(f"a worker died at t{number}.jsonl record 1" in words for words in said) == 2


@pytest.mark.slow
def test_an_adapter_that_dies_over_what_was_put_aside_stops_the_build_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, _ = _build(tmp_path, monkeypatch, "Stubborn", "exit", 1)
    assert isinstance(error, SourceError)
    assert "a.jsonl: record 1203 ended the worker again although it was put aside" in str(error)


@pytest.mark.slow
def test_an_adapter_that_raises_is_named_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, said = _build(tmp_path, monkeypatch, "Raising", "", 1)
    assert isinstance(error, VitaError) and not any("died" in words for words in said)
    assert "adapter my_adapter:Raising failed on a.jsonl (KeyError: 'a column')" in str(error)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_is_killed_from_outside_stops_the_build_and_costs_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    for _ in range(3):
        error, said = _build(tmp_path, monkeypatch, "Picky", "SIGKILL", workers)
        assert isinstance(error, VitaError) and not any("going on" in words for words in said)
        assert "ended from outside (signal 9) while it was at a.jsonl record 1203" in str(error)
    (facts, rejects), _ = _build(tmp_path, monkeypatch, "Healthy", "", workers)
    assert rejects == [] and facts["sources"][0]["read"] == 2600


def test_what_an_adapter_prints_is_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (_, rejects), said = _build(tmp_path, monkeypatch, "Chatty", "", 1)
    assert rejects == [] and "hello" not in str(said)
