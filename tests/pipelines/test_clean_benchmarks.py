"""What was read and indexed of benchmarks: it stays while a stage was built against it, and goes when none is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.build import decontaminate
from pipelines.choice import RunnerChoice
from pipelines.graphs import GRAPHS
from pipelines.runners import run_graph
from pipelines.settings import BuildSettings
from tests.factories import record, run_build, stamps, write_mixture, write_source
from tests.pipelines.test_leaks import LONG, RIDDLE, scene, write_benchmark
from vita_data.clean import clean


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A corpus, and a build of it against a benchmark."""
    texts = [record(f"t{n}", f"What is {n} times {n}?", f"It is {n * n}.") for n in range(20)]
    write_source(tmp_path, "texts", [*texts, record("riddle", RIDDLE, "Seventy.")], scenario="Pure Text")
    write_benchmark(tmp_path, [(RIDDLE, None), ("What is there?", scene(1))])
    build(tmp_path)
    return tmp_path


def build(home: Path, **settings: Any) -> None:
    mixture = write_mixture(home, {"texts": "all"}, curate=True, benchmarks=["quiz"])
    run_build(mixture, home / "out", **({"against": str(home / "sets")} | settings))


def gone(home: Path) -> list[str]:
    return [one.path for one in clean(str(home / "out"))]


def kept(home: Path) -> dict[str, tuple[int, int]]:
    """Stamps of all but what says of the last build how it ended."""
    last = ("found.json", "measured.json")
    return {name: stamp for name, stamp in stamps(home / "out").items() if not name.endswith(last)}


def folders(home: Path, pattern: str) -> set[str]:
    return {str(path.relative_to(home / "out")) for path in (home / "out").glob(pattern)}


def test_what_a_stage_was_built_against_stays(home: Path) -> None:
    before = kept(home)
    assert gone(home) == []
    build(home)
    assert {**kept(home), ".lock": None} == {**before, ".lock": None}


def test_a_benchmark_that_was_replaced_goes_with_its_index_and_what_was_measured_of_it(home: Path) -> None:
    of_benchmarks = "benchmarks/index/*", "benchmarks/curate/*"
    old = {name for pattern in of_benchmarks for name in folders(home, pattern)}
    write_benchmark(home, [(RIDDLE, None), (LONG, scene(2))])
    build(home)
    assert len(old) == 2 and old < set(gone(home))
    before = kept(home)
    build(home)
    assert kept(home) == before
    build(home, against=None)
    assert {"/".join(name.split("/")[:2]) for name in gone(home)} >= {"benchmarks/index", "benchmarks/curate"}


def test_looking_for_other_benchmarks_does_not_take_from_a_stage_what_it_was_built_against(
    home: Path,
) -> None:
    before = kept(home)
    write_benchmark(home, [("Which of them is the last?", None)], "other")
    mixture = write_mixture(home, {"texts": "all"}, curate=True, benchmarks=["other"])
    settings = BuildSettings(
        stage="1.3", mixture=str(mixture), out=str(home / "out"), against=str(home / "sets")
    )

    def run(name: str, words: str, items: list[Any], total: int, folders: list[str]) -> None:
        run_graph(GRAPHS[name](items), RunnerChoice(), 1)

    assert decontaminate(settings, run, lambda words: None)["removed"] == 0
    gone(home)
    build(home)
    after = kept(home)
    assert {name: after[name] for name in before} == before


def test_counts_that_a_killed_step_left_go(home: Path) -> None:
    signals = "curate/*/*/signals-00000.parquet", "benchmarks/curate/*/*/signals-00000.parquet"
    places = [path.parent for pattern in signals for path in (home / "out").glob(pattern)]
    for place in places:
        (place / "progress").mkdir()
        (place / "progress" / "4711").write_text("12")
    assert {home / "out" / name for name in gone(home)} == {place / "progress" for place in places}
