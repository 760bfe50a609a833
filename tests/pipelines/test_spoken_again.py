"""Stage 2.2 built again: what was spoken is never spoken twice, and the bytes are the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.graphs import GRAPHS
from tests.factories import run_build, shard_digests, stamps
from tests.spoken import spoken_corpus
from vita_data.errors import VitaError
from vita_data.files import read_table


def test_a_build_again_speaks_nothing_and_writes_nothing(tmp_path: Path, calls: Path) -> None:
    mixture = spoken_corpus(tmp_path)
    facts = run_build(mixture, tmp_path / "out", "2.2")
    spoken = calls.read_text()
    tables = list((tmp_path / "out/speech").glob("*/*.parquet"))
    assert 0 < sum(len(read_table(str(path))) for path in tables) == len(spoken.splitlines())
    before = stamps(tmp_path / "out/stages")
    assert run_build(mixture, tmp_path / "out", "2.2") == facts
    assert stamps(tmp_path / "out/stages") == before
    digests = shard_digests(tmp_path / "out/stages/2.2")
    shutil.rmtree(tmp_path / "out/stages")
    run_build(mixture, tmp_path / "out", "2.2")
    assert shard_digests(tmp_path / "out/stages/2.2") == digests
    assert calls.read_text() == spoken


@pytest.mark.slow
def test_spoken_questions_are_the_same_bytes_on_two_processes_and_without_a_cache(
    tmp_path: Path, calls: Path
) -> None:
    mixture = spoken_corpus(tmp_path)
    for workers in (1, 2):
        run_build(mixture, tmp_path / str(workers), "2.2", workers)
    digests = shard_digests(tmp_path / "1/stages/2.2")
    assert digests == shard_digests(tmp_path / "2/stages/2.2") != {}
    shutil.rmtree(tmp_path / "1")
    run_build(mixture, tmp_path / "1", "2.2")
    assert shard_digests(tmp_path / "1/stages/2.2") == digests


def test_a_sound_that_was_damaged_in_the_cache_is_named_and_costs_no_sample(
    tmp_path: Path, calls: Path
) -> None:
    mixture = spoken_corpus(tmp_path)
    run_build(mixture, tmp_path / "out", "2.2")
    digests = shard_digests(tmp_path / "out/stages/2.2")
    shutil.rmtree(tmp_path / "out/stages")
    tar = sorted((tmp_path / "out/speech").glob("*/*.tar"))[0]
    data = tar.read_bytes()
    tar.write_bytes(data.replace(b"fLaC", b"fLaX"))
    with pytest.raises(VitaError, match=f"{tar.name} is damaged; remove it"):
        run_build(mixture, tmp_path / "out", "2.2")
    tar.unlink()
    run_build(mixture, tmp_path / "out", "2.2")
    assert shard_digests(tmp_path / "out/stages/2.2") == digests


class Killed(BaseException):
    """What a kill is to the lines after it."""


@pytest.mark.parametrize("step", ["speak", "fit", "voice", "fill"])
def test_a_build_stopped_before_a_step_goes_on_with_what_was_spoken(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    mixture = spoken_corpus(tmp_path)
    run_build(mixture, tmp_path / "whole", "2.2")
    whole = calls.read_text().splitlines()
    calls.unlink()
    whole_graph = GRAPHS[step]

    def stopped(items: list[Any]) -> Any:
        raise Killed

    monkeypatch.setitem(GRAPHS, step, stopped)
    with pytest.raises(Killed):
        run_build(mixture, tmp_path / "out", "2.2")
    assert not (tmp_path / "out/stages/2.2/stage.json").exists()
    monkeypatch.setitem(GRAPHS, step, whole_graph)
    run_build(mixture, tmp_path / "out", "2.2")
    assert shard_digests(tmp_path / "out/stages/2.2") == shard_digests(tmp_path / "whole/stages/2.2")
    assert sorted(calls.read_text().splitlines()) == sorted(whole)
