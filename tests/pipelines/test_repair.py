"""A stage that is not whole is built again to the same bytes, and one whose inputs changed is not taken for current."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines import build as building
from tests.factories import (
    picture_source,
    record,
    run_build,
    shard_digests,
    stamps,
    vita_data,
    write_mixture,
)
from tests.forgery import bytes_of, edit, flip, reseal
from vita_data import files
from vita_data.errors import ShardError, UsageError
from vita_data.select import finish
from vita_data.shards.prove import prove
from vita_data.shards.read import Stage


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small corpus with stage 1.3 built from it: one shard, one held out, a reject."""
    home = tmp_path_factory.mktemp("repair")
    picture_source(home, "asks", 24, side=40)
    add_lines(home, "asks", record("odd", "What?", "Nothing.", "none.png"))
    picture_source(home, "tells", 16, "Description", side=40)
    mixture = write_mixture(home, {"asks": "all", "tells": "all"}, holdout={"share": 0.05, "least": 2})
    run_build(mixture, home / "out")
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """A copy of the corpus and its build; times of change are kept, so the catalog stays current."""
    return Path(shutil.copytree(template, tmp_path / "home"))


def add_lines(home: Path, source: str, *records: dict[str, Any]) -> None:
    """Appends records to an annotation file."""
    with (home / source / "data.jsonl").open("a", encoding="utf-8") as stream:
        stream.writelines(json.dumps(each) + "\n" for each in records)


def stage_of(home: Path, stage: str = "1.3") -> Path:
    return home / "out/stages" / stage


def again(home: Path, stage: str = "1.3", **settings: Any) -> dict[str, Any]:
    return run_build(home / "test.yaml", home / "out", stage, **settings)


# --- a stage that lost something ---


@pytest.mark.slow
def test_a_lost_file_is_made_again_with_the_bytes_it_had(home: Path) -> None:
    whole = bytes_of(stage_of(home))
    assert len(whole) == 14
    for name in whole:
        (stage_of(home) / name).unlink()
        again(home)
        assert bytes_of(stage_of(home)) == whole, name


def test_a_lost_folder_is_made_again_with_the_bytes_it_had(home: Path) -> None:
    whole = bytes_of(stage_of(home))
    for name in ("shards", "index", "packs", "rejects", "eval", "eval/shards", "eval/index"):
        shutil.rmtree(stage_of(home) / name)
        again(home)
        assert bytes_of(stage_of(home)) == whole, name


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 30, 55, -10])
def test_a_file_with_a_changed_byte_is_made_again(home: Path, place: int) -> None:
    """All but shards, whose bytes no build looks at: `prove` names them, and without them they are made again."""
    whole = bytes_of(stage_of(home))
    for name, data in whole.items():
        flip(stage_of(home) / name, place if place <= 0 else place * len(data) // 100, 0x15)
        if name.endswith(".tar"):
            assert any(name in error for error in prove(str(stage_of(home)))["errors"])
            (stage_of(home) / name).unlink()
        again(home)
        assert bytes_of(stage_of(home)) == whole, name


def test_several_damages_at_once_are_mended_at_once(home: Path) -> None:
    whole = bytes_of(stage_of(home))
    for name in ("index/00000.parquet", "packs/00000.parquet", "rejects/tells.parquet", "eval/plan.json"):
        flip(stage_of(home) / name, len(whole[name]) // 2, 0xFF)
    for name in ("report.html", "croissant.json"):
        (stage_of(home) / name).unlink()
    (stage_of(home) / "ATTRIBUTION.md").write_text("All mine.")
    (stage_of(home) / "shards/00007.tar").write_bytes(b"a stranger")
    again(home)
    assert bytes_of(stage_of(home)) == whole


def test_a_damaged_record_that_no_digest_betrays_is_named_with_its_shard(home: Path) -> None:
    whole = bytes_of(stage_of(home))
    tar = stage_of(home) / "shards/00000.tar"
    (stage_of(home) / "stage.json").unlink()
    tar.write_bytes(bytes(len(whole["shards/00000.tar"])))
    with pytest.raises(ShardError, match=r"shards/00000\.tar: the record of .* remove that file and build"):
        again(home)
    tar.unlink()
    again(home)
    assert bytes_of(stage_of(home)) == whole


JUNK: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[:99],
    "empty": lambda data: b"",
    "a list": lambda data: b"[]",
    "a number": lambda data: b"7",
    "without keys": lambda data: b"{}",
    "an old one without digests": lambda data: json.dumps(
        {name: value for name, value in json.loads(data).items() if not name.endswith("digest")}
    ).encode(),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("names", [("plan.json",), ("stage.json",), ("plan.json", "stage.json")])
def test_damaged_json_of_its_own_stage_means_that_it_is_built_again(
    home: Path, junk: str, names: tuple[str, ...]
) -> None:
    whole = bytes_of(stage_of(home))
    for name in names:
        (stage_of(home) / name).write_bytes(JUNK[junk](whole[name]))
    again(home)
    assert bytes_of(stage_of(home)) == whole


@pytest.mark.parametrize("junk", JUNK)
def test_damaged_json_of_another_stage_stops_no_build(home: Path, junk: str) -> None:
    for name in ("plan.json", "stage.json"):
        path = stage_of(home) / name
        path.write_bytes(JUNK[junk](path.read_bytes()))
    again(home, "1.1")
    assert prove(str(stage_of(home, "1.1")))["ok"]


def test_a_stage_of_another_seed_is_refused_though_its_plan_is_damaged(home: Path) -> None:
    (stage_of(home) / "plan.json").write_bytes(b"{")
    with pytest.raises(UsageError, match="built with seed 0, not 7"):
        again(home, "1.1", seed=7)


# --- a build that was stopped ---


class Stopped(BaseException):
    """What a kill is to the lines after it."""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["atomic_write", "remove", "remove_tree"])
def test_a_build_stopped_at_any_change_of_a_file_leaves_no_stage_or_a_whole_one(
    home: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another plan is built over a finished stage and stopped at the n-th call, for every n."""
    folder, before = stage_of(home), bytes_of(stage_of(home))
    other = write_mixture(home, {"asks": 10, "tells": "all"}, holdout={"share": 0.1, "least": 1})
    run_build(other, home / "there")
    after = bytes_of(home / "there/stages/1.3")
    wanted, ended = 0, False
    while not ended:
        put_back(folder, before)
        with monkeypatch.context() as patched:
            patched.setattr(files, moment, stopping_after(wanted, getattr(files, moment)))
            try:
                run_build(other, home / "out")
                ended = True
            except (Stopped, RuntimeError) as stop:
                assert "Stopped" in repr(stop)
        for part in (folder, folder / "eval"):
            facts = opened(part)
            assert facts is None or finish.looks_whole(str(part), facts), (wanted, part)
        run_build(other, home / "out")
        assert bytes_of(folder) == after, wanted
        wanted += 1
    assert wanted > 2


def put_back(folder: Path, content: dict[str, bytes]) -> None:
    shutil.rmtree(folder)
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def stopping_after(calls: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """A function that does its work so many times and then stops everything."""
    left = [None] * calls

    def stopping(*arguments: Any, **named: Any) -> Any:
        if not left:
            raise Stopped
        left.pop()
        return real(*arguments, **named)

    return stopping


def opened(folder: Path) -> dict[str, Any] | None:
    """What a stage says, when a reader opens it."""
    try:
        return Stage(folder).facts
    except ShardError:
        return None


# --- inputs that changed ---


def test_records_that_only_add_rejects_change_rejects_report_and_counts_but_no_shard(home: Path) -> None:
    before, pages = stamps(stage_of(home), "*/**/*.tar"), bytes_of(stage_of(home))
    facts = files.read_json(f"{stage_of(home)}/stage.json")
    add_lines(home, "asks", record("late", "What?", "Nothing.", "gone.png"), record("bad", "", ""))
    said = again(home)
    old, new = ({line["source"]: line for line in each["sources"]} for each in (facts, said))
    assert new["asks"]["read"] == old["asks"]["read"] + 2
    assert sum(new["asks"]["rejected"].values()) == sum(old["asks"]["rejected"].values()) + 2
    assert new["tells"] == old["tells"]
    rows = files.read_table(f"{stage_of(home)}/rejects/asks.parquet").to_pylist()
    assert {json.loads(row["native_id"]) for row in rows} == {"odd", "late", "bad"}
    assert (stage_of(home) / "report.html").read_bytes() != pages["report.html"]
    assert stamps(stage_of(home), "*/**/*.tar") == before
    assert said["digest"] == facts["digest"], "what a training rests on is as it was"
    assert prove(str(stage_of(home)))["ok"]
    run_build(home / "test.yaml", home / "fresh")
    assert bytes_of(stage_of(home)) == bytes_of(home / "fresh/stages/1.3")


def test_a_reject_of_another_kind_in_place_of_one_is_told_too(home: Path) -> None:
    path = home / "asks/data.jsonl"
    path.write_text(path.read_text().replace('"none.png"', '"neverthere.png"'))
    again(home)
    (row,) = files.read_table(f"{stage_of(home)}/rejects/asks.parquet").to_pylist()
    assert row["media"] == ["neverthere.png"]


def test_a_source_that_left_the_mixture_leaves_no_rejects(home: Path) -> None:
    run_build(write_mixture(home, {"asks": "all"}), home / "out")
    assert [path.name for path in (stage_of(home) / "rejects").iterdir()] == ["asks.parquet"]
    assert prove(str(stage_of(home)))["ok"]


def picture_of(home: Path, held: bool, row: int = 0, stage: str = "1.3") -> Path:
    """The picture of a sample that is drawn, or held out."""
    opened = Stage(stage_of(home, stage))
    if held:
        assert opened.held_out is not None
        opened = opened.held_out
    sample = opened.sample(0, row)
    return home / sample.source / f"{sample.record['native_id'].removeprefix(sample.source)}.png"


@pytest.mark.parametrize("held", [False, True], ids=["drawn", "held out"])
def test_a_build_that_loses_media_gives_the_shards_of_one_that_never_had_them(home: Path, held: bool) -> None:
    for row in range(2):
        picture_of(home, held, row).unlink()
    for name in ("stage.json", "index/00000.parquet", "eval/index/00000.parquet"):
        (stage_of(home) / name).unlink()
    said = again(home)
    assert len(said["late"]) == 2
    fresh = run_build(home / "test.yaml", home / "fresh")
    assert shard_digests(stage_of(home)) == shard_digests(home / "fresh/stages/1.3")
    assert said["totals"] == fresh["totals"]
    for mine, other in zip(said["sources"], fresh["sources"], strict=True):
        for name in ("available", "available_samples", "planned", "held_out", "between", "kept", "written"):
            assert mine[name] == other[name], name
    assert prove(str(stage_of(home)))["ok"]


def test_what_one_stage_lost_is_lost_to_the_next_and_both_hold_out_the_same(home: Path) -> None:
    """Stage 1.1 takes captions alone: it would never notice that a held-out question has no picture any more."""
    held = Stage(stage_of(home)).held_out
    assert held is not None
    row = next(row for row, key in enumerate(held.shard(0).keys) if key.startswith("asks-"))
    picture_of(home, held=True, row=row).unlink()
    for name in ("stage.json", "eval/index/00000.parquet"):
        (stage_of(home) / name).unlink()
    lost = again(home)["late"]
    assert [reject["source"] for reject in lost] == ["asks"]
    assert again(home, "1.1")["late"] == lost
    rules = [files.read_json(f"{stage_of(home, stage)}/plan.json")["hold_out"] for stage in ("1.1", "1.3")]
    assert rules[0] == rules[1]
    run_build(home / "test.yaml", home / "fresh", "1.1")
    fresh = files.read_json(f"{home}/fresh/stages/1.1/plan.json")
    assert fresh["hold_out"] == rules[0]


@pytest.mark.slow
def test_late_rejects_are_remembered_when_the_plan_is_lost(home: Path) -> None:
    picture_of(home, held=False).unlink()
    for name in ("stage.json", "index/00000.parquet"):
        (stage_of(home) / name).unlink()
    again(home)
    whole = bytes_of(stage_of(home))
    for name in whole:
        (stage_of(home) / name).unlink()
        again(home)
        assert bytes_of(stage_of(home)) == whole, name


# --- what `_finished` looks at ---


def test_a_finished_stage_is_left_as_it_is(home: Path) -> None:
    before = stamps(home / "out")
    again(home)
    assert stamps(home / "out") == before


def test_a_stage_looks_whole_only_with_its_own_plan(home: Path) -> None:
    folder = str(stage_of(home))
    facts = Stage(folder).facts
    assert finish.looks_whole(folder, facts)
    edit(stage_of(home) / "plan.json", lambda plan: plan.update(seed=1))
    assert not finish.looks_whole(folder, facts)
    reseal(stage_of(home))
    assert not finish.looks_whole(folder, facts)


# --- the sample corpus and URLs ---


@pytest.mark.parametrize("given", [None, "memory://elsewhere/corpus"])
def test_a_sample_corpus_is_not_made_in_a_url(
    tmp_path: Path, given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"`vita-data sample DIR`, and give that folder with --data-root"):
        run_build("sample", "memory://build", data_root=given)
    assert list(tmp_path.iterdir()) == []


def test_a_file_url_on_the_command_line_is_the_folder(home: Path) -> None:
    call = ("build", "--stage", "1.3", "--mixture", home / "test.yaml", "--workers", 1, "--json")
    done = vita_data(*call, "--out", f"file://{home}/out", "--data-root", f"file://{home}")
    assert done.returncode == 0, done.stderr
    assert f"{home}/out/stages/1.3 was built before" in done.stderr and "file://" not in done.stderr
    said = json.loads(done.stdout)
    assert (said["out"], said["held_out"]) == (f"{home}/out", 3)


def test_a_build_takes_the_step_versions_into_its_plan(home: Path) -> None:
    steps = files.read_json(f"{stage_of(home)}/plan.json")["steps"]
    assert set(steps) == {"fill", "pack", "stage"} and building.STEPS.items() <= steps.items()
