"""A good stage is proved; whatever is changed in it is found."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import run_build, two_sources
from tests.forgery import edit, edit_table, reseal
from vita_data import files
from vita_data.cli.main import main
from vita_data.errors import ShardError
from vita_data.records.canon import canonical_bytes
from vita_data.shards.prove import prove
from vita_data.shards.tar import TarWriter, padded, walk
from vita_data.shards.write import content_digest


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("prove")
    run_build(two_sources(home), home / "out")
    return home / "out/stages/1.3"


@pytest.fixture
def stage(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "stage"))


def asked_of_the_command(stage: Path) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON of `vita-data prove`."""
    result = CliRunner().invoke(main, ["prove", str(stage), "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_a_good_stage_is_proved_with_its_counts(good: Path) -> None:
    status, said = asked_of_the_command(good)
    assert (status, said["ok"], said["errors"]) == (0, True, [])
    plan = files.read_json(f"{good}/plan.json")
    for line, wanted in zip(said["sources"], plan["sources"], strict=True):
        assert line["written"] == line["planned"] == wanted["planned"] >= line["asked"]
        assert line["unit"] == "questions"
    assert said["questions"] == sum(line["written"] for line in said["sources"])


def test_a_stage_is_proved_from_a_url(good: Path) -> None:
    assert prove(f"file://{good}")["ok"]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_one_changed_byte_anywhere_in_a_tar_is_found(good: Path, data: st.DataObject) -> None:
    tar = data.draw(st.sampled_from(sorted(good.glob("**/*.tar"))))
    whole = tar.read_bytes()
    spans = [(offset, offset + size) for _, offset, size in _members(whole)]
    headers = [at for start, _ in spans for at in range(start - 512, start)]
    padding = [at for _, end in spans for at in range(end, end + -end % 512)]
    at = data.draw(st.integers(0, len(whole) - 1) | st.sampled_from(headers) | st.sampled_from(padding))
    damaged = bytearray(whole)
    damaged[at] ^= data.draw(st.integers(1, 255))
    try:
        tar.write_bytes(damaged)
        said = prove(str(good))
    finally:
        tar.write_bytes(whole)
    assert not said["ok"]
    assert tar.name in said["errors"][0]


def _members(tar: bytes) -> list[tuple[str, int, int]]:
    return list(walk(io.BytesIO(tar)))


def rewrite(
    stage: Path, change: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]], shard: int = 0
) -> None:
    """Changes the members of a shard and mends its digest in stage.json: a careful forger."""
    path = stage / f"shards/{shard:05d}.tar"
    data = path.read_bytes()
    members = change([(name, data[offset : offset + size]) for name, offset, size in _members(data)])
    with path.open("wb") as stream:
        tar = TarWriter(stream)
        for name, content in members:
            tar.add(name, content)
        tar.close()
    edit(stage / "stage.json", lambda facts: facts["shards"][shard].update(_digest(path)))


def _digest(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as tar:
        members = [(m.name, hashlib.sha256(tar.extractfile(m).read()).digest()) for m in tar]  # type: ignore[union-attr]
    return {"digest": content_digest(members), "bytes": path.stat().st_size}


def of_version(member: bytes, version: int) -> bytes:
    return canonical_bytes({**json.loads(member), "version": version})


def swap_media(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Two pictures of equal length under each other's name."""
    by_size: dict[int, int] = {}
    for n, (name, data) in enumerate(members):
        if name.endswith(".png"):
            if padded(len(data)) in by_size:
                other = by_size[padded(len(data))]
                members[n], members[other] = (name, members[other][1]), (members[other][0], data)
                return members
            by_size[padded(len(data))] = n
    raise AssertionError("no two pictures of one length")


def first(rows: list[dict[str, Any]], **changes: Any) -> list[dict[str, Any]]:
    return [{**rows[0], **changes}, *rows[1:]]


def add_a_file(stage: Path, name: str) -> None:
    (stage / name).write_bytes(b"")


def repeat_shard(stage: Path) -> None:
    """The first shard once more as a fourth one, its packs and all the rest as they were."""
    number = len(json.loads((stage / "stage.json").read_text())["shards"])
    for kind in ("shards/{}.tar", "index/{}.parquet"):
        shutil.copy(stage / kind.format("00000"), stage / kind.format(f"{number:05d}"))
    edit(stage / "stage.json", lambda facts: facts["shards"].append({**facts["shards"][0], "number": number}))


def cut(path: Path, share: float = 0.5) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(512))


def train_on_held_out(stage: Path) -> None:
    """The first shard in place of the held-out one."""
    for kind in ("shards/00000.tar", "index/00000.parquet"):
        shutil.copy(stage / kind, stage / "eval" / kind)
    edit(
        stage / "eval/stage.json",
        lambda facts: facts["shards"][0].update(_digest(stage / "shards/00000.tar")),
    )


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "two members swapped": (
        lambda s: rewrite(s, lambda m: [m[2], m[3], m[0], m[1], *m[4:]]),
        "the index says",
    ),
    "two pictures swapped": (lambda s: rewrite(s, swap_media), "other bytes than its digest"),
    "a member left out": (lambda s: rewrite(s, lambda m: m[:-1]), "the index says"),
    "a member added": (lambda s: rewrite(s, lambda m: [*m, ("x.json", b"{}")]), "is not in the index"),
    "spaces in a record": (
        lambda s: rewrite(s, lambda m: [(m[0][0], m[0][1] + b" "), *m[1:]]),
        "the index says",
    ),
    "a record of another version": (
        lambda s: rewrite(s, lambda m: [(m[0][0], of_version(m[0][1], 1)), *m[1:]]),
        "is of version 1, not",
    ),
    "a shard dropped": (lambda s: (s / "shards/00001.tar").unlink(), "00001.tar is missing"),
    "all shards dropped": (lambda s: shutil.rmtree(s / "shards"), "cannot be read as a shard"),
    "a shard not in stage.json": (
        lambda s: edit(s / "stage.json", lambda f: f["shards"].pop()),
        "stage.json",
    ),
    "a shard cut": (lambda s: cut(s / "shards/00001.tar"), "cannot be read as a shard"),
    "a shard lengthened": (
        lambda s: lengthen(s / "shards/00000.tar"),
        "cannot be read as a shard",
    ),
    "a digest edited": (
        lambda s: edit(s / "stage.json", lambda f: f["shards"][0].update(digest="0")),
        "stage.json says 0",
    ),
    "a file added": (lambda s: add_a_file(s, "shards/00099.tar"), "00099.tar"),
    "an index added": (lambda s: add_a_file(s, "index/extra.parquet"), "extra.parquet"),
    "an attribution in the held-out part": (
        lambda s: add_a_file(s, "eval/ATTRIBUTION.md"),
        "eval/ATTRIBUTION.md",
    ),
    "packs added": (lambda s: add_a_file(s, "packs/00009.parquet"), "00009.parquet"),
    "a held-out shard added": (lambda s: add_a_file(s, "eval/shards/00007.tar"), "00007.tar"),
    "a shard repeated": (repeat_shard, "was already in shard 0"),
    "planned edited": (
        lambda s: edit(s / "plan.json", lambda p: p["sources"][0].update(planned=3)),
        "the plan says planned 3 and counts",
    ),
    "the amount planned edited": (
        lambda s: edit(s / "plan.json", lambda p: p["sources"][0]["amounts"].update(planned=3)),
        "3 questions were planned",
    ),
    "samples edited": (
        lambda s: edit(s / "plan.json", lambda p: p["sources"][1].update(planned_samples=3)),
        "were planned",
    ),
    "a source renamed": (
        lambda s: edit(s / "plan.json", lambda p: p["sources"][0].update(source="b")),
        "does not name",
    ),
    "an index cut": (lambda s: cut(s / "index/00000.parquet"), "cannot be read as a shard"),
    "an index missing": (lambda s: (s / "index/00002.parquet").unlink(), "index/00002.parquet is missing"),
    "all indexes missing": (lambda s: shutil.rmtree(s / "index"), "index/00001.parquet is missing"),
    "a row of the index missing": (
        lambda s: edit_table(s, "index/00000", lambda r: r[:-1]),
        "is not in the index",
    ),
    "questions in the index": (
        lambda s: edit_table(s, "index/00000", lambda r: first(r, questions=9)),
        "the index says 9",
    ),
    "a key in the index": (
        lambda s: edit_table(s, "index/00000", lambda r: first(r, key="asks-0")),
        "calls itself",
    ),
    "packs cut": (lambda s: cut(s / "packs/00000.parquet"), "cannot be read as packs"),
    "packs missing": (lambda s: (s / "packs/00000.parquet").unlink(), "packs/00000.parquet is missing"),
    "a pack missing": (lambda s: edit_table(s, "packs/00000", lambda r: r[1:]), "is in no pack"),
    "a pack twice": (lambda s: edit_table(s, "packs/00000", lambda r: [*r, r[0]]), "more than one pack"),
    "tokens of a pack": (lambda s: edit_table(s, "packs/00000", lambda r: first(r, tokens=1)), "tokens"),
    "held-out samples gone": (lambda s: shutil.rmtree(s / "eval"), "held out"),
    "held-out samples trained on": (train_on_held_out, "held out and trained on"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_the_exit_status_is_1(stage: Path, damage: str) -> None:
    change, words = DAMAGES[damage]
    change(stage)
    reseal(stage)
    status, said = asked_of_the_command(stage)
    assert (status, said["ok"]) == (1, False)
    assert any(words in error for error in said["errors"]), said["errors"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_whose_digests_are_not_mended_is_found_too(stage: Path, damage: str) -> None:
    DAMAGES[damage][0](stage)
    status, said = asked_of_the_command(stage)
    assert (status, said["ok"]) == (1, False)
    assert all(str(stage) in error for error in said["errors"][:1]), said["errors"]


def test_a_folder_without_a_finished_stage_is_an_error_of_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["prove", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stderr.startswith("vita-data: ") and result.stderr.count("\n") == 1


def test_the_held_out_part_is_proved_with_its_stage_and_not_alone(stage: Path) -> None:
    with pytest.raises(ShardError, match="is the held-out part of a stage"):
        prove(str(stage / "eval"))
