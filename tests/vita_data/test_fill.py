"""Media that change between the catalog pass and the writing of shards cost their samples, not the build."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.build import MOST_REDRAWS
from tests.factories import noise, run_build, shard_digests, stamps, two_sources
from vita_data import files
from vita_data.errors import VitaError
from vita_data.select.stage import draw_all
from vita_data.select.why import why
from vita_data.shards.prove import prove
from vita_data.shards.read import Stage


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with stage 1.3 built from it."""
    home = tmp_path_factory.mktemp("fill")
    run_build(two_sources(home), home / "out")
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage; times of change are kept, so the catalog stays current."""
    return Path(shutil.copytree(template, tmp_path / "home"))


def unfinish(home: Path, *shards: str) -> None:
    """What a build that was stopped before it had written these shards leaves."""
    for name in ("stage.json", *shards):
        (home / "out/stages/1.3" / name).unlink()


def picture_in(home: Path, shard: int, row: int, held: bool = False) -> tuple[str, Path]:
    """A sample of the stage and its picture in the corpus."""
    stage = Stage(home / "out/stages/1.3")
    sample = (stage.held_out or stage).sample(shard, row) if held else stage.sample(shard, row)
    number = sample.record["native_id"].removeprefix(sample.source)
    return sample.key, home / sample.source / f"{number}.png"


def rejects(home: Path) -> list[dict[str, object]]:
    found = []
    for source in ("asks", "tells"):
        found += files.read_table(f"{home}/out/stages/1.3/rejects/{source}.parquet").to_pylist()
    return found


@pytest.mark.parametrize("damage", ["vanished", "other bytes", "shorter", "a folder"])
def test_a_medium_that_is_not_what_it_was_makes_a_late_reject_and_the_stage_is_whole(
    home: Path, damage: str
) -> None:
    key, picture = picture_in(home, 1, 2)
    before = stamps(home / "out/stages/1.3", "shards/*")
    unfinish(home, "index/00001.parquet")
    data = picture.read_bytes()
    picture.unlink()
    if damage == "other bytes":
        noise(picture, "something else")
    elif damage == "shorter":
        picture.write_bytes(data[:1000])
    elif damage == "a folder":
        picture.mkdir()
    facts = run_build(home / "test.yaml", home / "out")
    assert [reject["key"] for reject in facts["late"]] == [key]
    assert [(row["key"], row["rule"], row["step"]) for row in rejects(home)] == [
        (key, "medium_changed", "write")
    ]
    said = prove(str(home / "out/stages/1.3"))
    assert said["ok"], said["errors"]
    fate = why(str(home / "out"), key)[0]
    assert (fate["kept"], fate["rule"]) == (False, "medium_changed")
    for line in facts["sources"]:
        assert line["read"] == line["kept"] + sum(line["rejected"].values())
        assert line["kept"] == line["available_samples"] + line["held_out"] + line["between"]
    after = stamps(home / "out/stages/1.3", "shards/*")
    assert after["shards/00000.tar"] == before["shards/00000.tar"]
    assert after["shards/00001.tar"] != before["shards/00001.tar"]


def test_a_medium_that_comes_back_is_drawn_at_the_next_build(home: Path) -> None:
    whole = shard_digests(home / "out/stages/1.3")
    key, picture = picture_in(home, 0, 5)
    unfinish(home, "index/00000.parquet")
    aside = picture.with_suffix(".aside")
    picture.rename(aside)
    assert run_build(home / "test.yaml", home / "out")["late"]
    assert run_build(home / "test.yaml", home / "out")["late"], "it is still away"
    assert shard_digests(home / "out/stages/1.3") != whole
    aside.rename(picture)
    assert run_build(home / "test.yaml", home / "out")["late"] == []
    assert shard_digests(home / "out/stages/1.3") == whole
    assert why(str(home / "out"), key)[0]["step"] == "drawn"


def test_a_held_out_medium_that_vanished_is_a_late_reject_too(home: Path) -> None:
    key, picture = picture_in(home, 0, 1, held=True)
    unfinish(home, "eval/index/00000.parquet")
    picture.unlink()
    facts = run_build(home / "test.yaml", home / "out")
    assert [reject["key"] for reject in facts["late"]] == [key]
    assert prove(str(home / "out/stages/1.3"))["ok"]
    assert sum(line["held_out"] for line in facts["sources"]) == sum(
        part["samples"] for part in files.read_json(f"{home}/out/stages/1.3/eval/stage.json")["shards"]
    )
    for line in facts["sources"]:
        assert line["kept"] == line["available_samples"] + line["held_out"] + line["between"]


def test_a_shard_is_not_written_again_from_the_same_rows(home: Path) -> None:
    before = stamps(home / "out/stages/1.3", "[sie]*/**/*.*")
    unfinish(home)
    run_build(home / "test.yaml", home / "out")
    after = stamps(home / "out/stages/1.3", "[sie]*/**/*.*")
    same = {name for name in before if name.endswith(("tar", "parquet"))}
    assert same and {name: after[name] for name in same} == {name: before[name] for name in same}


def test_media_that_go_on_vanishing_stop_the_build_with_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [picture_in(home, 0, row)[1] for row in range(MOST_REDRAWS + 1)]
    unfinish(home, *(f"index/{n:05d}.parquet" for n in range(3)))

    def lose_one_and_draw(*args: Any) -> Any:
        os.unlink(pictures.pop())
        return draw_all(*args)

    monkeypatch.setattr("pipelines.build.draw_all", lose_one_and_draw)
    with pytest.raises(VitaError, match="let the corpus rest"):
        run_build(home / "test.yaml", home / "out")
    assert len(pictures) == 1
