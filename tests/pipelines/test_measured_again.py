"""Media that cannot be reached while they are measured: the build goes on, and the next one measures them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.build import build
from pipelines.choice import RunnerChoice
from pipelines.graphs import GRAPHS
from pipelines.runners import run_graph
from pipelines.settings import BuildSettings
from tests.factories import picture_source, write_mixture
from vita_data import files


def built(mixture: Path, out: Path, graph: str, away: Sequence[Path] = ()) -> None:
    """Builds while some files are away during the steps of one graph."""

    def run(name: str, words: str, items: list[Any], total: int, folders: list[str]) -> None:
        moved = [(path, path.with_suffix(".away")) for path in away if name == graph]
        for path, place in moved:
            path.rename(place)
        run_graph(GRAPHS[name](items), RunnerChoice(), 1)
        for path, place in moved:
            place.rename(path)

    build(BuildSettings(stage="1.3", mixture=str(mixture), out=str(out)), run, lambda words: None)


def signals(out: Path) -> pa.Table:
    (path,) = out.glob("curate/*/*/signals-*.parquet")
    return files.read_table(str(path))


def hashed(table: pa.Table) -> int:
    return sum(None not in hashes for hashes in table.column("hashes").to_pylist())


def lists(out: Path) -> list[Path]:
    return list(out.glob("curate/**/*.gone.json"))


def test_what_was_gone_is_measured_by_the_next_build_and_nothing_else_is(tmp_path: Path) -> None:
    picture_source(tmp_path, "asks", 20)
    mixture = write_mixture(tmp_path, {"asks": "all"}, curate=True)
    pictures = [tmp_path / "asks" / f"{number}.png" for number in range(20)]
    built(mixture, tmp_path / "clean", "signals")
    assert hashed(signals(tmp_path / "clean")) == 20 and not lists(tmp_path / "clean")

    out = tmp_path / "out"
    built(mixture, out, "signals", pictures[:3])
    assert hashed(signals(out)) == 17 and len(lists(out)) == 1
    folders = judged(out)
    built(mixture, out, "signals", pictures[2:])  # those that are measured already are not looked at
    assert hashed(signals(out)) == 19 and len(lists(out)) == 1
    built(mixture, out, "signals")
    assert not lists(out) and signals(out).equals(signals(tmp_path / "clean"))
    assert (
        len(judged(out)) == len(folders) + 2
    )  # no verdict on incomplete signals is taken for one on whole ones


def judged(out: Path) -> set[Path]:
    return {path.parent for path in out.glob("curate/*/*/judged-*.parquet")}
