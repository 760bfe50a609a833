"""The verb that frees disk: it takes what no stage refers to, and nothing that anybody could miss."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.factories import run_build, stamps, vita_data, write_mixture
from tests.spoken import SPEECH, stage_card, texts
from vita_data.clean import clean
from vita_data.errors import ShardError, UsageError
from vita_data.files import locked
from vita_data.shards.prove import prove
from vita_data.speech.function import end_functions


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, and a build of 1.3 and 2.2 from it."""
    home = tmp_path_factory.mktemp("clean")
    texts(home, count=24, most=1)
    stage_card(home)
    (home / "said.py").write_text(ENGINE)
    for stage in ("1.3", "2.2"):
        build(home, stage)
    return home


ENGINE = """
import io
import numpy as np, soundfile

def tone(text, language, voice, speed):
    buffer = io.BytesIO()
    soundfile.write(buffer, (9000 * np.sin(np.arange(9000) * 0.05)).astype("int16"), 16000, format="WAV")
    return buffer.getvalue()
"""


def build(home: Path, stage: str, version: str = "1", **card: Any) -> dict[str, Any]:
    speech = {**SPEECH, "engine": "said:tone", "version": version}
    mixture = write_mixture(home, {"texts": "all"}, speech=speech, **card)
    before = os.getcwd()
    os.chdir(home)  # where one works is where an engine of one's own is looked for
    try:
        return run_build(mixture, home / "out", stage)
    finally:
        os.chdir(before)
        end_functions()


@pytest.fixture
def home(whole: Path, tmp_path: Path) -> Path:
    """A copy of that folder, for a test alone; the build's own paths do not matter to what is cleaned."""
    shutil.copytree(whole, tmp_path / "home")
    return tmp_path / "home"


def kinds(out: Path, dry_run: bool = False) -> dict[str, str]:
    return {one.path: one.kind for one in clean(str(out), dry_run)}


def folders(out: Path, kind: str) -> set[str]:
    return {f"{kind}/{path.name}" for path in (out / kind).iterdir() if path.is_dir()}


def test_a_build_that_was_never_changed_has_nothing_to_spare(home: Path) -> None:
    before = stamps(home / "out")
    assert kinds(home / "out") == {}
    assert {**stamps(home / "out"), ".lock": None} == {**before, ".lock": None}


def test_speech_by_an_engine_that_was_replaced_goes_and_the_stage_that_is_there_stays_whole(
    home: Path,
) -> None:
    out = home / "out"
    (old,) = folders(out, "speech")
    facts = build(home, "2.2", version="2")
    before = stamps(out)
    bytes_of = sum(path.stat().st_size for path in (out / old).iterdir())
    (found,) = clean(str(out), dry_run=True)
    assert (found.path, found.kind, found.bytes) == (old, "speech", bytes_of)
    assert {**stamps(out), ".lock": None} == {**before, ".lock": None}
    assert kinds(out) == {old: "speech"}
    assert old not in folders(out, "speech") and len(folders(out, "speech")) == 1
    assert prove(str(out / "stages/2.2"))["ok"] and build(home, "2.2", version="2") == facts
    assert kinds(out) == {}


def measures(out: Path, stage: str) -> str:
    """The folder of measures that a stage was made from."""
    (digest,) = json.loads((out / "stages" / stage / "plan.json").read_text())["measures"].values()
    return f"curate/{digest}"


def test_measures_go_when_the_last_stage_that_was_made_from_them_is_built_anew(home: Path) -> None:
    out = home / "out"
    old = {stage: measures(out, stage) for stage in ("1.3", "2.2")}
    texts(home, count=30, most=1)  # the corpus grows, so it is read and measured again
    for stage in ("1.3", "2.2"):
        build(home, stage)
        assert kinds(out) == {old[stage]: "measures"}
        assert prove(str(out / "stages" / stage))["ok"]
    assert folders(out, "curate") == {measures(out, stage) for stage in ("1.3", "2.2")}


def test_what_a_build_measured_that_was_stopped_before_its_plan_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*facts: Any) -> Any:
        raise Killed

    texts(home, count=30, most=1)
    before = folders(home / "out", "curate")
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.build.make_plan", killed)
        with pytest.raises(Killed):
            build(home, "1.3")
    assert len(folders(home / "out", "curate")) == len(before) + 1
    assert kinds(home / "out") == {}
    assert len(folders(home / "out", "curate")) == len(before) + 1


def test_the_cache_of_a_stopped_build_stays(home: Path) -> None:
    (home / "out/stages/2.2/stage.json").unlink()
    assert kinds(home / "out") == {}


def old_folder(out: Path, name: str, *references: str) -> str:
    """A folder of measures from before every plan, whose task names others."""
    folder = out / "curate" / name
    folder.mkdir()
    path = folder / "task.json"
    path.write_text(
        json.dumps({"folder": str(folder), "others": [f"/elsewhere/{each}/x" for each in references]})
    )
    os.utime(path, (0, 0))
    return f"curate/{name}"


def test_what_is_in_use_is_followed_from_folder_to_folder(home: Path) -> None:
    out = home / "out"
    used = measures(out, "1.3")
    below, unused = old_folder(out, "a" * 16), old_folder(out, "b" * 16)
    task = out / used / "texts/task.json"
    task.write_text(json.dumps({**json.loads(task.read_text()), "signals": f"/moved/{below}/texts"}))
    needed, other = old_folder(out, "c" * 16), old_folder(out, "d" * 16, Path(used).name, Path(unused).name)
    needs = out / "curate/needs-1.3.json"
    needs.write_text(json.dumps([*json.loads(needs.read_text()), Path(needed).name]))
    (out / "curate/needs-1.1.json").write_text(json.dumps([Path(unused).name]))  # of a stage that is gone
    assert kinds(out) == {unused: "measures", other: "measures", "curate/needs-1.1.json": "temporary"}
    assert {below, needed} <= folders(out, "curate")


def test_what_killed_writers_and_the_reading_of_corpora_left_goes(home: Path) -> None:
    out = home / "out"
    (speech,) = folders(out, "speech")
    catalog = "catalog/texts"
    left = {
        f"{speech}/0-of-9-abc.tar": "temporary",
        f"{speech}/0-of-9-abc.parquet.tmp-1-2": "temporary",
        f"{catalog}/part-00000.parquet.tmp-1-2": "temporary",
        f"{catalog}/work/split-1.json": "temporary",
        f"{catalog}/members/0123.arrow": "listing",
        f"{catalog}/members/0123.json": "listing",
        "speech/0123456789abcdef.json": "temporary",
        "curate/.tmp-clean/0123456789abcdef/part-00000.parquet": "temporary",
    }
    stay = [
        f"{catalog}/members/0123.tar",
        "catalog/unread/work/task.json",
        "catalog/unread/members/0123.arrow",
        "stages/1.3/shards/00001.tar.tmp-1-2",
        "curate/notes/mine.txt",
        "speech/mine.txt",
    ]
    for name in [*left, *stay]:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("{}")
    before = stamps(out)
    found = kinds(out)
    expected = {
        name: kind for name, kind in left.items() if "/work/" not in name and "/.tmp-clean/" not in name
    }
    assert found == {**expected, f"{catalog}/work": "temporary", "curate/.tmp-clean": "temporary"}
    after = stamps(out)
    assert {name for name in before if name not in after} == set(left)
    assert all(before[name] == stamp for name, stamp in after.items() if name != ".lock")


def is_refused(out: Path, words: str) -> bool:
    """Whether cleaning says so, and leaves everything as it was."""
    before = stamps(out)
    with pytest.raises((UsageError, ShardError), match=words):
        clean(str(out))
    return {**stamps(out), ".lock": None} == {**before, ".lock": None}


def damage(name: str) -> Callable[[Path], None]:
    def cut(out: Path) -> None:
        path = out / name
        path.write_bytes(path.read_bytes()[:-10])

    return cut


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda out: shutil.rmtree(out / "stages"), "holds no stage, so nothing says what is in use"),
        (damage("stages/1.3/plan.json"), "stages/1.3/plan.json is not as it was written"),
        (
            lambda out: (out / "stages/1.3/plan.json").unlink(),
            "stages/1.3/plan.json is not as it was written",
        ),
    ],
    ids=["no stage", "damaged plan", "lost plan"],
)
def test_where_nobody_can_say_what_is_in_use_nothing_goes(
    home: Path, change: Callable[[Path], None], words: str
) -> None:
    old_folder(home / "out", "a" * 16)
    change(home / "out")
    assert is_refused(home / "out", words)


def test_nothing_goes_while_a_build_runs_or_from_a_folder_that_is_not_local(home: Path) -> None:
    old_folder(home / "out", "a" * 16)
    with locked(str(home / "out")):
        assert is_refused(home / "out", "another build is writing")
    with pytest.raises(UsageError, match="not on a local disk"):
        clean("memory://bucket/out")


def test_the_command_says_what_went_and_how_many_bytes_that_freed(home: Path) -> None:
    out = home / "out"
    unused = old_folder(out, "a" * 16)
    size = (out / unused / "task.json").stat().st_size
    said = json.loads(vita_data("clean", out, "--dry-run", "--json").stdout)
    row = {"path": unused, "kind": "measures", "bytes": size}
    assert said == {"out": str(out), "dry_run": True, "removed": [row], "bytes": size}
    assert f"{size} B freed in {out}" in vita_data("clean", out).stdout
    assert not (out / unused).exists()
    assert vita_data("clean", out).stdout == f"nothing in {out} is left over\n"
    assert vita_data("clean", home / "nowhere").returncode == 2
    assert not (home / "nowhere").exists()
