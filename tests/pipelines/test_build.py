"""Whole builds: the same bytes whatever happens on the way, and the counts of the answer key."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.factories import (
    ENVIRONMENT,
    command,
    picture_source,
    record,
    run_build,
    shard_digests,
    stamps,
    two_sources,
    vita_data,
    write_mixture,
    write_source,
)
from tests.pipelines.conftest import SPEECH_STAGES
from vita_data import files
from vita_data.errors import QuotaError, UsageError
from vita_data.shards.prove import prove
from vita_data.shards.read import Stage

GOLDEN = Path(__file__).parents[1] / "golden" / "sample_shards.json"


def keys_of(stage: Stage | None) -> list[str]:
    """Every key of a stage, shard after shard."""
    assert stage is not None
    return [key for number in range(stage.shard_count) for key in stage.shard(number).keys]


def of_source(keys: list[str], source: str) -> set[str]:
    return {key for key in keys if key.rsplit("-", 1)[0] == source}


# --- the same bytes ---


@pytest.mark.slow
def test_another_folder_and_another_number_of_workers_give_the_same_bytes(
    built: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(built / "sample", tmp_path / "elsewhere", symlinks=True, copy_function=shutil.copy)
    run_build("sample", tmp_path / "out", workers=1, data_root=str(copy))
    assert shard_digests(tmp_path / "out/stages/1.3") == shard_digests(built / "stages/1.3")


@pytest.mark.slow
def test_every_step_on_two_processes_gives_the_same_bytes(tmp_path: Path) -> None:
    mixture = two_sources(tmp_path)
    run_build(mixture, tmp_path / "one", workers=1)
    run_build(mixture, tmp_path / "two", workers=2)
    assert shard_digests(tmp_path / "two/stages/1.3") == shard_digests(tmp_path / "one/stages/1.3")


def kill_when(words: str, call: list[str], delay: float) -> None:
    """Starts a build and kills its command, as `kill -9` does, a moment after it says `words`."""
    process = subprocess.Popen(call, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            break
    assert process.wait() == -signal.SIGKILL, f"it ended before it said {words!r}"
    process.stderr.close()


@pytest.mark.slow
def test_a_build_killed_at_three_steps_goes_on_and_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    call = command("build", "--stage", "1.3", "--out", out, "--data-root", built / "sample", "--workers", 2)
    for words, delay in (("reading 9 of 9", 2.0), ("putting the drawn", 0.1), ("writing shards", 0.1)):
        kill_when(words, call, delay)
        assert not (out / "stages/1.3/stage.json").exists()
    done = vita_data("build", "--stage", "1.3", "--out", out, "--data-root", built / "sample")
    assert done.returncode == 0, done.stderr
    assert "reading" not in done.stderr, "what was catalogued is not read again"
    assert shard_digests(out / "stages/1.3") == shard_digests(built / "stages/1.3")
    assert prove(str(out / "stages/1.3"))["ok"]
    assert not list(out.glob("**/*.tmp-*")), "no half-written file is left"


@pytest.mark.slow
def test_the_death_of_the_command_ends_the_process_that_builds(built: Path, tmp_path: Path) -> None:
    call = command(
        "build", "--stage", "1.3", "--out", tmp_path / "out", "--data-root", built / "sample", "--workers", 2
    )
    kill_when("reading 9 of 9", call, 1.0)
    left = [str(tmp_path)]
    for _ in range(50):
        left = _processes_naming(str(tmp_path))
        if not left:
            break
        time.sleep(0.1)
    before = stamps(tmp_path / "out")
    time.sleep(1.5)
    assert stamps(tmp_path / "out") == before, "something still writes"


def _processes_naming(folder: str) -> list[str]:
    """Processes that have a file below a folder open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            names = [os.readlink(link) for link in (process / "fd").iterdir()]
        except OSError:
            continue
        found += [process.name for name in names if name.startswith(folder)]
    return found


@pytest.mark.slow
def test_a_finished_build_run_again_writes_nothing_and_takes_seconds(built: Path) -> None:
    before = stamps(built)
    started = time.monotonic()
    done = vita_data("build", "--stage", "1.3", "--out", built)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 15
    assert stamps(built) == before


def test_another_seed_draws_other_samples_and_is_refused_in_the_same_folder(tmp_path: Path) -> None:
    from vita_data.errors import UsageError

    mixture = two_sources(tmp_path)
    run_build(mixture, tmp_path / "zero", "1.1")
    run_build(mixture, tmp_path / "seven", "1.1", seed=7)
    zero, seven = (Stage(tmp_path / name / "stages/1.1") for name in ("zero", "seven"))
    assert set(keys_of(zero)) != set(keys_of(seven))
    assert set(keys_of(zero.held_out)) == set(keys_of(seven.held_out))
    with pytest.raises(UsageError, match="built with seed 0, not 7"):
        run_build(mixture, tmp_path / "zero", "1.1", seed=7)


@pytest.mark.parametrize("place", ["file", "folder"])
def test_what_an_earlier_build_had_more_of_is_removed(tmp_path: Path, place: str) -> None:
    out = tmp_path / "out"
    mixture = two_sources(tmp_path)
    name = f"file://{out}" if place == "file" else str(out)
    assert len(run_build(mixture, name)["shards"]) == 3
    facts = run_build(
        write_mixture(tmp_path, {"asks": 10, "tells": 10}, holdout={"share": 0, "least": 0}), name
    )
    assert len(facts["shards"]) == 1
    assert sorted(path.name for path in (out / "stages/1.3").glob("*/*.*")) == ["00000.parquet"] * 2 + [
        "00000.tar", "asks.parquet", "tells.parquet",
    ]  # fmt: skip
    assert prove(name + "/stages/1.3")["ok"]


def test_a_stage_that_would_have_no_samples_says_what_it_lacks(tmp_path: Path) -> None:
    picture_source(tmp_path, "asks", 12)
    with pytest.raises(QuotaError, match=r"stage 1\.1 takes caption data, of which the mixture has none"):
        run_build(write_mixture(tmp_path, {"asks": "all"}), tmp_path / "out", "1.1")


def test_the_order_of_a_mixture_and_a_source_behind_it_change_no_others_selection(tmp_path: Path) -> None:
    two_sources(tmp_path)
    picture_source(tmp_path, "more", 30, "Description")
    hold = {"share": 0.01, "least": 5}
    amounts: dict[str, int | str] = {"asks": 40, "tells": "all", "more": "all"}
    chosen, digests = {}, {}
    for name, order in (
        ("ab", ["asks", "tells"]),
        ("ba", ["tells", "asks"]),
        ("abc", ["asks", "tells", "more"]),
    ):
        mixture = write_mixture(tmp_path, {source: amounts[source] for source in order}, name, holdout=hold)
        run_build(mixture, tmp_path / name)
        stage = Stage(tmp_path / name / "stages/1.3")
        chosen[name] = [
            of_source(keys, source)
            for keys in (keys_of(stage), keys_of(stage.held_out))
            for source in ("asks", "tells")
        ]
        digests[name] = shard_digests(tmp_path / name / "stages/1.3")
    assert all(chosen["ab"])
    assert chosen["ab"] == chosen["ba"] == chosen["abc"]
    assert digests["ab"] == digests["ba"] != digests["abc"]


# --- the counts ---


@pytest.fixture(scope="module")
def answers(built: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((built / "sample/answer-key.json").read_text(encoding="utf-8"))
    return found


def leaving(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """What curation takes of a source where no benchmarks are looked for."""
    return [each for each in answer["curated"] if each["rule"] and "benchmark" not in each]


STAGES_OF_ALL = ("1.3", *SPEECH_STAGES[:1])  # between them they have a line for every source
NOT_YET = {"sample-negative-audio"}


def stage_lines(built: Path, stage: str) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = files.read_json(f"{built}/stages/{stage}/stage.json")["sources"]
    return lines


@pytest.mark.slow
def test_every_source_keeps_the_samples_and_questions_of_the_answer_key(
    built: Path, answers: dict[str, Any]
) -> None:
    facts = {line["source"]: line for stage in STAGES_OF_ALL for line in stage_lines(built, stage)}
    assert set(facts) == set(answers["sources"]) - NOT_YET
    for source, line in facts.items():
        answer = answers["sources"][source]
        assert line["kept"] == answer["samples"] - len(leaving(answer))
        assert line["read"] == answer["samples"] + len(answer["rejects"])
        summary = files.read_json(f"{built}/catalog/{source}/source.json")
        assert summary["questions"] == answer["questions"]
        if line["unit"] == "hours":  # a lossy codec or a resampler may add or lose a few samples a sound
            seconds = summary["sound_samples"] / line["unit_size"] * 3600
            assert seconds == pytest.approx(answer["seconds"], abs=0.05 * answer["samples"])
        assert line["read"] == line["kept"] + sum(line["rejected"].values())
        assert line["kept"] == line["available_samples"] + line["held_out"] + line["between"]


@pytest.mark.slow
def test_every_planted_reject_is_rejected_at_its_position_by_its_rule(
    built: Path, answers: dict[str, Any]
) -> None:
    lines = {line["source"]: stage for stage in STAGES_OF_ALL for line in stage_lines(built, stage)}
    for source, stage in lines.items():
        answer = answers["sources"][source]
        rows = files.read_table(f"{built}/stages/{stage}/rejects/{source}.parquet").to_pylist()
        found = sorted((row["annotation"], row["position"], row["rule"]) for row in rows)
        assert found == sorted(
            (each["annotation"], each["position"], each["rule"])
            for each in answer["rejects"] + leaving(answer)
        )
        ids = {(row["annotation"], row["position"]): row["native_id"] for row in rows}
        for each in answer["rejects"]:
            if "native_id" in each:
                assert json.loads(ids[each["annotation"], each["position"]]) == each["native_id"]


@pytest.mark.slow
def test_a_fifth_of_the_captions_lies_in_all_and_is_the_same_in_two_stages(built: Path) -> None:
    first, second, third = (Stage(built / "stages" / stage) for stage in ("1.1", "1.2", "1.3"))
    keys = {stage: set(keys_of(each)) for stage, each in (("1.1", first), ("1.2", second), ("1.3", third))}
    captions = {line["source"] for line in first.plan["sources"] if line["asked"]}
    assert len(captions) == 4
    assert set() < keys["1.1"] < keys["1.2"]
    assert {key for key in keys["1.3"] if key.rsplit("-", 1)[0] in captions} == keys["1.1"]
    for line in first.plan["sources"]:
        assert line["planned"] >= line["asked"] == -(-line["available"] * (line["source"] in captions) // 5)


def contents_of(built: Path) -> dict[str, set[bytes]]:
    """Key -> digests of the pixels of its media, of all that the catalogs keep."""
    found = {}
    for part in built.glob("catalog/*/part-*.parquet"):
        table = files.read_table(str(part), ["key", "media"])
        for row in table.to_pylist():
            found[row["key"]] = {medium["content"] for medium in row["media"]}
    return found


@pytest.mark.slow
def test_held_out_samples_are_the_same_in_every_stage_and_none_is_trained_on(built: Path) -> None:
    stages = [Stage(built / "stages" / stage) for stage in ("1.1", "1.2", "1.3")]
    held = [set(keys_of(stage.held_out)) for stage in stages]
    everyone = held[2]
    assert all(everyone)
    assert held[0] == held[1] == {key for key in everyone if key.rsplit("-", 1)[0] in _captions(stages[0])}
    contents = contents_of(built)
    away = set().union(*(contents[key] for key in everyone))
    for stage in stages:
        trained = set(keys_of(stage))
        assert not trained & everyone
        assert not away & set().union(*(contents[key] for key in trained))
    for line in stages[2].facts["sources"]:
        assert line["held_out"] == len(of_source(list(everyone), line["source"]))
        assert line["held_out"] >= min(20, int(0.1 * line["kept"])) or line["between"]


def _captions(stage: Stage) -> set[str]:
    return {line["source"] for line in stage.plan["sources"] if line["asked"]}


@pytest.mark.slow
def test_pure_text_is_left_out_on_demand_and_the_rest_stays_as_it_was(built: Path, tmp_path: Path) -> None:
    for name in ("catalog", "curate", "sample"):
        shutil.copytree(built / name, tmp_path / "out" / name, symlinks=True)
    run_build("sample", tmp_path / "out", pure_text=False)
    with_text, without = Stage(built / "stages/1.3"), Stage(tmp_path / "out/stages/1.3")
    text = of_source(keys_of(with_text), "sample-text")
    assert text
    assert set(keys_of(without)) == set(keys_of(with_text)) - text
    assert not of_source(keys_of(without.held_out), "sample-text")


# --- the golden bytes ---

JPEG = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxO"
    "UlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P"
    "T09PT09PT0//wAARCAAMABADASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUF"
    "BAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVW"
    "V1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi"
    "4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAEC"
    "AxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVm"
    "Z2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq"
    "8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDIooooA//Z"
)
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAOCAIAAACZwRr8AAAAIElEQVR4nGM8IWfDgBsw4ZGjorTFwyOY0oyDwmmDThoAaXcEPK7L"
    "DCIAAAAASUVORK5CYII="
)


def fixed_corpus(home: Path) -> Path:
    """A corpus whose every byte is written here, with media that are stored as they are."""
    (home / "fixed").mkdir(parents=True)
    (home / "fixed/a.jpg").write_bytes(base64.b64decode(JPEG))
    (home / "fixed/b.png").write_bytes(base64.b64decode(PNG))
    told = [
        record("one", "What is it?", "A grey field.", "a.jpg"),
        record(2, "图里有什么？", "一块颜色。", "b.png"),
        record("both", "Compare them.", "One is grey, one is not.", "a.jpg", "b.png"),
        record(None, "No picture?", "None – café."),
        record("one", "Again?", "Again.", "a.jpg"),
        *(record(n, f"What is {n} + {n}?", f"It is {2 * n}.") for n in range(40)),
    ]
    write_source(home, "fixed", told)
    return write_mixture(home, {"fixed": 36}, holdout={"share": 0.1, "least": 2})


def step_versions() -> dict[str, int]:
    """The VERSION of every step that has a say in these bytes."""
    from vita_data.catalog import task
    from vita_data.packs import window
    from vita_data.records import schema
    from vita_data.select import fill, measure, stage

    steps = {"catalog": task, "fill": fill, "measure": measure, "packs": window, "stage": stage}
    return {name: module.VERSION for name, module in steps.items()} | {"record": schema.RECORD_VERSION}


def test_bytes_are_those_of_the_steps_versions(tmp_path: Path) -> None:
    run_build(fixed_corpus(tmp_path), tmp_path / "out")
    stage = Stage(tmp_path / "out/stages/1.3")
    now = {
        "versions": step_versions(),
        "shards": shard_digests(tmp_path / "out/stages/1.3"),
        "packs": [[pack.tokens, *(place.key for place in pack.samples)] for pack in stage.packs()],
    }
    then = json.loads(GOLDEN.read_text(encoding="utf-8"))
    if now == then:
        return
    assert now["versions"] != then["versions"], (
        "shards or packs changed: raise the VERSION of the step that changed them"
    )
    pytest.fail(f"a VERSION was raised: put this into {GOLDEN.name}\n{json.dumps(now, indent=1)}")


@pytest.mark.slow
def test_the_death_of_the_building_process_is_told_and_leaves_no_worker(built: Path, tmp_path: Path) -> None:
    call = command(
        "build", "--stage", "1.3", "--out", tmp_path / "out", "--data-root", built / "sample", "--workers", 2
    )
    process = subprocess.Popen(
        call, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert any("reading 9 of 9" in line for line in process.stderr)
    workers: list[int] = []
    for _ in range(200):
        building, *workers = _descendants(process.pid)
        if len(workers) >= 2:
            break
        time.sleep(0.05)
    assert len(workers) >= 2
    os.kill(building, signal.SIGKILL)
    _, errors = process.communicate(timeout=30)
    assert process.returncode in (0, 1), errors  # gone on by itself, or told when no record is to blame
    for _ in range(100):  # a killed process takes a moment to go
        if not any(_runs(pid) for pid in workers):
            break
        time.sleep(0.05)
    assert [pid for pid in workers if _runs(pid)] == []


def _runs(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be counted as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _descendants(pid: int) -> list[int]:
    """Processes below a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *_descendants(child)]
    return found


def test_a_stage_that_lost_a_file_is_not_taken_for_whole(tmp_path: Path) -> None:
    mixture = two_sources(tmp_path)
    run_build(mixture, tmp_path / "out")
    stage = tmp_path / "out/stages/1.3"
    whole = shard_digests(stage)
    for damage in (
        lambda: (stage / "shards/00001.tar").unlink(),
        lambda: os.truncate(stage / "shards/00000.tar", 1000),
        lambda: (stage / "eval/index/00000.parquet").unlink(),
        lambda: (stage / "report.html").unlink(),
    ):
        damage()
        run_build(mixture, tmp_path / "out")
        assert shard_digests(stage) == whole and (stage / "report.html").exists()
        assert prove(str(stage))["ok"]


def test_another_mixture_is_refused_in_the_same_folder(tmp_path: Path) -> None:
    run_build(two_sources(tmp_path), tmp_path / "out")
    other = write_mixture(tmp_path, {"asks": "all"}, name="other")
    with pytest.raises(UsageError, match="was built from mixture test, not other; choose another --out"):
        run_build(other, tmp_path / "out", "1.1")
