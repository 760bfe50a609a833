"""Stage 2.2 where the engine that spoke is gone: what was spoken serves, and another version of it is noticed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import soundfile

from pipelines.graphs import GRAPHS
from tests.factories import run_build, shard_digests, write_mixture
from tests.sounds import speechlike
from tests.spoken import stage_card, stage_of, texts
from vita_data.errors import UsageError, VitaError
from vita_data.speech.engines import text_name

# An espeak-ng of a version of one's own choosing, which counts its calls like the engine of these tests.
FAKE = """#!{python}
import os, sys
sys.path.insert(0, os.path.dirname(os.environ["TONE_CALLS"]) + "/engine")
if sys.argv[1] == "--version":
    print("eSpeak NG text-to-speech: {version}")
else:
    from tone_engine import tone
    said = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    with open(said["-w"], "wb") as out:
        out.write(tone(open(said["-f"]).read().strip(), "en", said["-v"], int(said["-s"])))
"""


def install(folder: Path, version: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "espeak-ng").write_text(FAKE.format(python=sys.executable, version=version))
    (folder / "espeak-ng").chmod(0o755)


@pytest.fixture
def espeak(tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the PATH, with an espeak-ng in it."""
    install(tmp_path / "bin", "1.51")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def small_corpus(home: Path, **speech: Any) -> Path:
    """Two dozen questions, of which every other one is spoken."""
    texts(home, count=24, most=1)
    stage_card(home)
    voices = {"en": ["ann", "bo"]}
    return write_mixture(home, {"texts": "all"}, speech={"voices": voices, **speech})


def cut_stage(out: Path) -> dict[str, str]:
    """The digests of the shards of stage 2.2, which is removed."""
    digests = shard_digests(out / "stages/2.2")
    shutil.rmtree(out / "stages")
    assert digests
    return digests


def test_what_was_spoken_needs_no_espeak_and_another_version_of_it_speaks_anew(
    tmp_path: Path, calls: Path, espeak: Path
) -> None:
    mixture, out = small_corpus(tmp_path, engine="espeak-ng"), tmp_path / "out"
    old = run_build(mixture, out, "2.2")
    spoken = len(calls.read_text().splitlines())
    (espeak / "espeak-ng").unlink()
    assert run_build(mixture, out, "2.2") == old  # it is whole, and nothing has changed
    digests = cut_stage(out)
    assert run_build(mixture, out, "2.2")["digest"] == old["digest"]
    assert cut_stage(out) == digests
    assert len(calls.read_text().splitlines()) == spoken

    install(espeak, "1.52")
    new = run_build(mixture, out, "2.2")
    assert new["digest"] != old["digest"]
    assert stage_of(out).plan["speech"]["engine"]["version"] == "1.52"
    assert len(calls.read_text().splitlines()) == 2 * spoken
    (espeak / "espeak-ng").unlink()
    assert run_build(mixture, out, "2.2") == new  # what spoke last is what is meant


def test_a_version_that_has_not_spoken_all_is_not_what_an_absent_engine_is_taken_for(
    tmp_path: Path, calls: Path, espeak: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixture, out = small_corpus(tmp_path, engine="espeak-ng"), tmp_path / "out"
    old = run_build(mixture, out, "2.2")
    install(espeak, "1.52")
    with monkeypatch.context() as patch:
        patch.setitem(GRAPHS, "speak", _killed)
        with pytest.raises(Killed):
            run_build(mixture, out, "2.2")
    (espeak / "espeak-ng").unlink()
    assert run_build(mixture, out, "2.2")["digest"] == old["digest"]


class Killed(BaseException):
    """What a kill is to the lines after it."""


def _killed(items: list[Any]) -> Any:
    raise Killed


def test_an_absent_engine_is_asked_for_when_something_is_to_be_spoken_and_no_question_is_blamed(
    tmp_path: Path, calls: Path, espeak: Path
) -> None:
    mixture, out = small_corpus(tmp_path, engine="espeak-ng"), tmp_path / "out"
    facts = run_build(mixture, out, "2.2")
    digests = cut_stage(out)
    tar = sorted((out / "speech").glob("*/*.tar"))[0]
    tar.unlink()
    (espeak / "espeak-ng").unlink()
    with pytest.raises(VitaError, match="apt-get install espeak-ng") as caught:
        run_build(mixture, out, "2.2")
    assert caught.value.status == UsageError.status
    install(espeak, "1.51")
    assert run_build(mixture, out, "2.2")["totals"] == facts["totals"]
    assert cut_stage(out) == digests


@pytest.mark.parametrize("kind", ["function", "command", "folder"])
def test_what_was_spoken_needs_neither_module_nor_program_nor_folder(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    engine, gone = tmp_path / "engine", tmp_path / "gone"
    install(tmp_path / "bin", "1")
    program = tmp_path / "bin/espeak-ng"
    words = [str(program), "-w", "{wav}", "-f", "{text_file}", "-v", "{voice}", "-s", "{speed}"]
    cards: dict[str, dict[str, Any]] = {
        "function": {"engine": "tone_engine:tone"},
        "command": {"engine": "command", "command": words},
        "folder": {"engine": "folder", "folder": str(tmp_path / "said")},
    }
    (tmp_path / "said").mkdir()
    for number in range(24):
        sound = tmp_path / "said" / f"{text_name(f'What is 0 times {number}?', 'en')}.wav"
        soundfile.write(sound, speechlike(0.4, 16_000, number), 16_000)
    mixture, out = small_corpus(tmp_path, **cards[kind]), tmp_path / "out"
    facts = run_build(mixture, out, "2.2")
    assert facts["totals"]["spoken"] > 8
    lost = {"function": engine, "command": program, "folder": tmp_path / "said"}[kind]
    lost.rename(gone)
    assert run_build(mixture, out, "2.2") == facts
    digests = cut_stage(out)
    run_build(mixture, out, "2.2")
    assert cut_stage(out) == digests
    shutil.rmtree(out / "speech")
    with pytest.raises(UsageError, match=r"is not there|cannot be loaded"):
        run_build(mixture, out, "2.2")
