"""What happened to a sample: every fate has its words and its measures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.factories import noise, record, run_build, write_mixture, write_source
from vita_data import files
from vita_data.cli.main import main
from vita_data.errors import UsageError
from vita_data.records.key import sample_key, selection_hash
from vita_data.select.why import why
from vita_data.shards.read import Stage

WORDS = "Tell me about the picture with the number"


def key_of(source: str, native_id: object) -> str:
    return sample_key(source, "data.jsonl", json.dumps(native_id), 0)


@pytest.fixture(scope="module", params=["rejects of mine"])
def out(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stages 1.1 and 1.3 of a source with one sample of every fate, in a folder with a misleading name."""
    home: Path = tmp_path_factory.mktemp("why") / request.param
    told: list[Any] = [record(f"p{n}", f"{WORDS} {n}.", f"It is {n}.", f"{n}.png") for n in range(60)]
    for number in range(60):
        noise(home / "pictures" / f"{number}.png", number, 40)
    told += [record(f"both{n}", WORDS, "Two pictures.", f"{n}.png", f"{(n + 1) % 60}.png") for n in range(60)]
    told.append(record("endless", "Count.", " ".join(map(str, range(3000)))))
    told.append(record("lost", WORDS, "Nothing.", "lost.png"))
    told.append(record("mute", WORDS, ""))
    told.append(record(7, "A number?", "Yes."))
    write_source(home, "pictures", told)
    write_source(
        home, "captions", [record(f"c{n}", "Say something.", f"Word {n}.") for n in range(30)], "Description"
    )
    mixture = write_mixture(home, {"captions": "all", "pictures": 40}, holdout={"share": 0.05, "least": 5})
    for stage in ("1.1", "1.3"):
        run_build(mixture, home / "out", stage)
    return home / "out"


def drawn_keys(stage: Stage) -> set[str]:
    return {key for number in range(stage.shard_count) for key in stage.shard(number).keys}


def fate(out: Path, key: str, stage: str = "1.3") -> dict[str, Any]:
    (said,) = why(str(out), key, stage)
    assert {"key", "source", "kept", "step", "rule", "value", "threshold", "message", "location"} <= set(said)
    return said


@pytest.mark.parametrize(
    ("native_id", "step", "rule"),
    [
        ("lost", "media", "media_missing"),
        ("mute", "structure", "empty_answer"),
        ("endless", "measure", "too_long"),
    ],
)
def test_a_reject_is_told_with_its_rule_and_its_place(
    out: Path, native_id: str, step: str, rule: str
) -> None:
    said = fate(out, key_of("pictures", native_id))
    assert (said["kept"], said["step"], said["rule"]) == (False, step, rule)
    assert re.fullmatch(rf'data.jsonl, record \d+, id "{native_id}"', said["location"])
    assert said["message"].endswith(".")


def test_a_sample_that_is_too_long_is_told_with_length_and_limit(out: Path) -> None:
    said = fate(out, key_of("pictures", "endless"))
    assert int(said["value"]) > int(said["threshold"]) == 2048


def test_a_drawn_sample_is_told_with_the_shard_and_row_where_it_lies(out: Path) -> None:
    stage = Stage(out / "stages/1.3")
    for row, key in enumerate(stage.shard(0).keys[:5]):
        said = fate(out, key)
        assert (said["kept"], said["step"]) == (True, "drawn")
        assert f"row {row} of shards/00000.tar" in said["message"]


def test_a_held_out_sample_is_told_with_its_shard(out: Path) -> None:
    held = Stage(out / "stages/1.3").held_out
    assert held is not None
    said = fate(out, held.shard(0).keys[3])
    assert (said["kept"], said["step"]) == (True, "held-out")
    assert "row 3 of eval/shards/00000.tar" in said["message"]


def test_a_sample_that_was_not_drawn_has_its_exact_rank_and_the_limit(out: Path) -> None:
    stage = Stage(out / "stages/1.3")
    drawn = drawn_keys(stage)
    assert stage.held_out is not None
    away = drawn_keys(stage.held_out)
    ids = [f"p{n}" for n in range(60)] + [f"both{n}" for n in range(60)] + [7]
    fates = {
        key: fate(out, key) for key in (key_of("pictures", name) for name in ids) if key not in drawn | away
    }
    between = {key for key, said in fates.items() if said["step"] == "held-out"}
    order = sorted(
        (key_of("pictures", name) for name in ids if key_of("pictures", name) not in away | between),
        key=lambda key: (selection_hash(0, key), key),
    )
    (line,) = (line for line in stage.plan["sources"] if line["source"] == "pictures")
    limit = line["planned_samples"]
    assert set(order[:limit]) == {key for key in drawn if key.startswith("pictures")}
    for rank, key in enumerate(order[limit:], limit + 1):
        said = fates[key]
        assert (said["kept"], said["step"], said["value"], said["threshold"]) == (
            True,
            "select",
            str(rank),
            str(limit),
        )
        assert said["message"].startswith("kept, not drawn")


def test_a_sample_that_shares_a_picture_with_the_held_out_is_told_so_and_has_no_rank(out: Path) -> None:
    facts = files.read_json(f"{out}/stages/1.3/stage.json")
    (expected,) = (line["between"] for line in facts["sources"] if line["source"] == "pictures")
    said = [fate(out, key_of("pictures", f"both{n}")) for n in range(60)]
    between = [each for each in said if "some of its media are held out" in each["message"]]
    assert len(between) == expected > 0
    assert all(each["value"] is None and each["kept"] for each in between)


def test_a_stage_that_takes_nothing_of_the_source_says_so(out: Path) -> None:
    assert "takes nothing of its source" in fate(out, key_of("pictures", "p1"), "1.1")["message"]


def test_without_a_stage_every_built_one_answers(out: Path) -> None:
    said = why(str(out), key_of("captions", "c1"))
    assert [row["stage"] for row in said] == ["1.1", "1.3"]


@pytest.mark.parametrize("name", ["p1", '"p1"', "7"])
def test_a_native_id_does_as_well_as_a_key(out: Path, name: str) -> None:
    (said,) = why(str(out), name, "1.3")
    assert said["key"] == key_of("pictures", json.loads(name) if name != "p1" else name)


def test_a_late_record_of_a_catalog_that_was_read_again_has_no_rank(out: Path, tmp_path: Path) -> None:
    import shutil

    home = Path(shutil.copytree(out.parent, tmp_path / "home"))
    with (home / "pictures/data.jsonl").open("a") as stream:
        stream.write(json.dumps(record("new", "New?", "Yes.")) + "\n")
    run_build(home / "test.yaml", home / "out", "1.1")
    said = {row["stage"]: row["message"] for row in why(str(home / "out"), "new")}
    assert "before its source was read again" in said["1.3"]


@pytest.mark.parametrize(
    ("name", "stage", "words"),
    [
        ("pictures-0123456789abcdef", None, "no sample of"),
        ("no-such-thing", None, "no sample of"),
        ("p1", "1.2", "stage 1.2 is not built"),
        ("p1", "9.9", "built are: 1.1, 1.3"),
    ],
)
def test_an_unknown_name_or_stage_is_a_wrong_call(
    out: Path, name: str, stage: str | None, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        why(str(out), name, stage)
    result = CliRunner().invoke(
        main, ["why", name, "--out", str(out), *(["--stage", stage] if stage else [])]
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_folder_without_a_build_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no catalog"):
        why(str(tmp_path), "x")


def test_the_command_prints_words_for_people_and_one_object_for_machines(out: Path) -> None:
    call = ["why", key_of("pictures", "endless"), "--out", str(out), "--stage", "1.3"]
    words = CliRunner().invoke(main, call)
    assert words.exit_code == 0
    assert "rejected in stage 1.3" in words.stdout and "rule too_long: measured" in words.stdout
    said = json.loads(CliRunner().invoke(main, [*call, "--json"]).stdout)
    assert {"key", "source", "kept", "step", "rule", "value", "threshold", "message", "location"} <= set(said)
