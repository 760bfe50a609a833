"""Whatever is changed in a stage, in whichever of its files, is found; what cannot be read is one sentence."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.factories import picture_source, record, run_build, write_mixture, write_source
from tests.forgery import edit, edit_table, flip, reseal
from vita_data import files
from vita_data.cli.main import main
from vita_data.errors import ShardError
from vita_data.records.schema import INDEX
from vita_data.shards.prove import prove
from vita_data.shards.read import Stage
from vita_model.cli.main import main as model

FLIPS = 12
COLUMNS: dict[str, Any] = {
    "shard": 1,
    "questions": 7,
    "text_tokens": 3,
    "visual_tokens": 3,
    "audio_tokens": 3,
    "length": 3,
    "grids": [{"cols": 3, "rows": 1}],
    "seconds": 0.5,
    "sound_samples": 3,
    "source": "nobody",
    "language": "zh",
    "licence": "MIT",
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One shard, one that is held out, and a reject of each source."""
    home = tmp_path_factory.mktemp("everything")
    picture_source(home, "asks", 24, side=40)
    lines = (home / "asks/data.jsonl").read_text()
    (home / "asks/data.jsonl").write_text(lines + json.dumps(record("odd", "?", "!", "none.png")) + "\n")
    words = [record(n, f"Say {n}.", f"{n}.") for n in range(20)]
    write_source(home, "words", [*words, record("odd", "", "")], scenario="Pure Text")
    mixture = write_mixture(home, {"asks": "all", "words": "all"}, holdout={"share": 0.05, "least": 2})
    run_build(mixture, home / "out")
    return home / "out/stages/1.3"


@pytest.fixture
def stage(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "stage"))


def names_of(stage: Path) -> list[str]:
    return sorted(str(path.relative_to(stage)) for path in stage.rglob("*") if path.is_file())


def test_the_stage_has_a_file_of_every_kind(good: Path) -> None:
    assert prove(str(good))["ok"]
    kinds = {name.rpartition("/")[0] + "/" + name.rpartition(".")[2] for name in names_of(good)}
    parts = {f"{place}/{kind}" for place, kind in (("shards", "tar"), ("index", "parquet"))}
    parts |= {f"eval/{part}" for part in parts} | {"packs/parquet", "rejects/parquet"}
    assert kinds == parts | {"/json", "/html", "/md", "eval/json"}


def places_in(whole: bytes, name: str) -> Iterator[tuple[int, int]]:
    """(byte, bits) of damages; in JSON only those that change what it says."""
    chance = random.Random(name)
    found = 0
    while found < FLIPS:
        at, bits = chance.randrange(len(whole)), chance.randrange(1, 256)
        if name.endswith(".json") and _reads_alike(whole, at, bits):
            continue
        yield at, bits
        found += 1


def _reads_alike(whole: bytes, at: int, bits: int) -> bool:
    damaged = bytearray(whole)
    damaged[at] ^= bits
    try:
        return bool(json.loads(damaged) == json.loads(whole))
    except ValueError:
        return False


def test_one_changed_byte_in_any_file_is_found(stage: Path) -> None:
    for name in names_of(stage):
        for at, bits in places_in((stage / name).read_bytes(), name):
            whole = flip(stage / name, at, bits)
            said = prove(str(stage))
            (stage / name).write_bytes(whole)
            assert not said["ok"], f"byte {at} of {name} changed by {bits} and nobody saw it"
            assert Path(name).name in said["errors"][0], (name, said["errors"])
    assert prove(str(stage))["ok"]


def test_any_file_that_is_missing_empty_or_cut_is_found(stage: Path) -> None:
    for name in names_of(stage):
        path = stage / name
        whole = path.read_bytes()
        for damage in (path.unlink, lambda: path.write_bytes(b""), lambda: path.write_bytes(whole[:-2])):  # noqa: B023
            damage()
            try:
                said = prove(str(stage))
            except ShardError as error:
                assert name == str(error).split(" has no ")[1].split(",")[0]
            else:
                assert not said["ok"] and Path(name).name in said["errors"][0]
            path.write_bytes(whole)


@pytest.mark.parametrize("part", ["index/00000", "eval/index/00000"])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_of_the_index_that_is_not_what_the_record_says_is_found(
    stage: Path, part: str, column: str
) -> None:
    other = COLUMNS[column]
    edit_table(stage, part, lambda rows: [rows[0], {**rows[1], column: other}, *rows[2:]])
    reseal(stage)
    said = prove(str(stage))
    assert any(f"{column} of " in error and f"says {other}" in error for error in said["errors"]), said[
        "errors"
    ]


def test_every_column_of_the_index_is_tried() -> None:
    assert {*COLUMNS, "key", "members"} == set(INDEX.names)


@pytest.mark.parametrize("name", ["plan.json", "stage.json", "eval/plan.json", "eval/stage.json"])
def test_any_value_of_the_two_files_that_is_changed_or_left_out_is_found(stage: Path, name: str) -> None:
    whole = (stage / name).read_bytes()
    for key in json.loads(whole):
        for change in (lambda facts: facts.update({key: "other"}), lambda facts: facts.pop(key)):  # noqa: B023
            edit(stage / name, change)
            said = prove(str(stage))
            (stage / name).write_bytes(whole)
            assert not said["ok"] and name in said["errors"][0], (key, said["errors"])


def test_rejects_that_are_left_out_are_missed_by_the_funnel(stage: Path) -> None:
    edit_table(stage, "rejects/asks", lambda rows: rows[1:])
    reseal(stage)
    assert "rejects/asks.parquet" in prove(str(stage))["errors"][0]


def test_packs_of_another_number_window_or_capacity_are_found(stage: Path) -> None:
    for column in ("pack", "window"):
        edit_table(stage, "packs/00000", lambda rows: [{**rows[0], column: 5}, *rows[1:]])  # noqa: B023
        reseal(stage)
        assert "packs/00000.parquet: its packs are not numbered" in prove(str(stage))["errors"][0]
        edit_table(stage, "packs/00000", lambda rows: [{**rows[0], column: 0}, *rows[1:]])  # noqa: B023
    edit(stage / "stage.json", lambda facts: facts["packs"].update(capacity=9))
    reseal(stage)
    assert "capacity is 2048, stage.json says 9" in prove(str(stage))["errors"][0]


def test_an_unequal_number_of_written_samples_in_stage_json_is_found(stage: Path) -> None:
    edit(stage / "stage.json", lambda facts: facts["sources"][0]["written"].update(text_tokens=1))
    reseal(stage)
    assert any("text_tokens are written, stage.json says 1" in error for error in prove(str(stage))["errors"])


# --- what cannot be read ---

DAMAGES: dict[str, Callable[[Path], Any]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "empty": lambda path: path.write_bytes(b""),
    "null": lambda path: path.write_bytes(b"null"),
    "a list": lambda path: path.write_bytes(b"[1, 2]"),
    "an empty object": lambda path: path.write_bytes(b"{}"),
    "no UTF-8": lambda path: path.write_bytes(b'{"digest": "\xff"}'),
    "a lone surrogate": lambda path: path.write_bytes(
        b'{"digest": "x", "facts_digest": "x", "a": "\\ud800"}'
    ),
    "a number for its digest": lambda path: edit(path, lambda facts: facts.update(digest=7)),
}


@pytest.mark.parametrize("name", ["plan.json", "stage.json"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_json_is_one_sentence_of_every_command(stage: Path, damage: str, name: str) -> None:
    DAMAGES[damage](stage / name)
    proved, packed = invoked("prove", stage, "--json"), invoked("pack", stage)
    said = json.loads(proved.stdout)
    assert (proved.exit_code, said["ok"], said["sources"]) == (1, False, [])
    ordered = CliRunner().invoke(model, ["order", "--data", str(stage), "--steps", "0:1"])
    for words in (said["errors"][0], packed.stderr, ordered.stderr):
        assert f"{stage}/{name}" in words and words.rstrip().endswith("build the stage again.")
    for told in (packed, ordered):
        assert told.exit_code == 1 and told.stderr.count("\n") == 1


def invoked(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("name", ["plan.json", "stage.json"])
def test_a_stage_json_beside_another_plan_is_no_stage(stage: Path, name: str) -> None:
    """What a build that was killed between the two would leave."""
    edit(stage / "plan.json", lambda plan: plan.update(seed=9))
    forged = files.read_json(f"{stage}/stage.json")
    reseal(stage)
    files.write_json(f"{stage}/stage.json", forged)
    with pytest.raises(ShardError, match=r"stage\.json is not of the plan in plan\.json"):
        Stage(stage)
    assert "stage.json is not of the plan" in prove(str(stage))["errors"][0]


@pytest.mark.parametrize("damage", ["cut", "empty"])
@pytest.mark.parametrize("part", ["index/00000", "packs/00000"])
def test_a_damaged_table_is_one_sentence_for_its_reader(stage: Path, part: str, damage: str) -> None:
    DAMAGES[damage](stage / f"{part}.parquet")
    opened = Stage(stage)
    with pytest.raises(ShardError, match=f"{part}.parquet is damaged"):
        opened.shard(0) if part.startswith("index") else opened.packs()


# --- remarks ---


def test_other_versions_of_libraries_are_a_remark_and_no_error(stage: Path) -> None:
    assert prove(str(stage))["remarks"] == []
    edit(stage / "stage.json", lambda facts: facts["versions"].update(pillow="1.0", other="2.0"))
    reseal(stage)
    told = invoked("prove", stage)
    assert told.exit_code == 0 and told.stdout.splitlines()[-1].startswith("proved")
    said = json.loads(invoked("prove", stage, "--json").stdout)
    assert said["ok"] and "other 2.0 (here unknown), pillow 1.0 (here " in said["remarks"][0]
    assert f"remark: {said['remarks'][0]}" in told.stderr


def test_tokens_of_another_template_are_not_compared_and_that_is_said(stage: Path) -> None:
    edit(stage / "plan.json", lambda plan: plan.update(template_digest="0" * 16))
    edit(stage / "eval/plan.json", lambda plan: plan.update(template_digest="0" * 16))
    reseal(stage)
    said = prove(str(stage))
    assert "tokens were not counted again" in said["remarks"][0]
    assert [error for error in said["errors"] if "tokens of" in error] == []


# --- pack ---


def test_damaged_packs_are_packed_again_to_the_same_bytes(stage: Path, good: Path) -> None:
    whole = (stage / "packs/00000.parquet").read_bytes()
    flip(stage / "packs/00000.parquet", len(whole) // 3, 255)
    assert not prove(str(stage))["ok"]
    assert invoked("pack", stage).exit_code == 0
    for name in ("packs/00000.parquet", "stage.json"):
        assert (stage / name).read_bytes() == (good / name).read_bytes()
    assert prove(str(stage))["ok"]


def test_a_damaged_index_is_not_packed_from(stage: Path) -> None:
    flip(stage / "index/00000.parquet", 100, 255)
    told = invoked("pack", stage)
    assert told.exit_code == 1 and "index/00000.parquet is not what was built" in told.stderr


def test_the_held_out_part_is_not_packed(stage: Path) -> None:
    told = invoked("pack", stage / "eval")
    assert told.exit_code == 1 and "give the stage's folder" in told.stderr
    assert prove(str(stage))["ok"]
