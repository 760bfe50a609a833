"""Recordings of benchmarks in a mixture: heard however they were encoded and cut, and not for their words alone."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr

from pipelines.build import decontaminate
from pipelines.choice import RunnerChoice
from pipelines.graphs import GRAPHS
from pipelines.runners import run_graph
from pipelines.settings import BuildSettings
from tests import sounds
from tests.factories import noise, run_build, stamps, write_mixture, write_source
from tests.spoken import stage_card
from tests.vita_data.leaks.voices import spoken, syllables
from vita_data import files
from vita_data.leaks.plain import WORDS
from vita_data.leaks.prints import RATE
from vita_data.verdicts.gone import rows_to_measure
from vita_data.verdicts.prints import PrintsTask, prints_part, read_prints

TREE = {"audio": "{folder}/{id}.*", "delimiter": " ", "id_pattern": r"(?P<speaker>\d+)-\d+"}
SAID = "THE OLD MAN WALKED DOWN TO THE RIVER EVERY MORNING AND SAT THERE UNTIL THE BELLS RANG AT NOON"
LONG = syllables(50, 40.0)


def opus(samples: sounds.Samples) -> bytes:
    at48 = np.rint(soxr.resample(samples, RATE, 48_000)).clip(-32768, 32767).astype(np.int16)
    return sounds.encoded("opus", at48, 48_000, 32_000)


def mp3(samples: sounds.Samples) -> bytes:
    return sounds.written("mp3", (samples * 0.5).astype(np.int16), RATE)


def flac(samples: sounds.Samples) -> bytes:
    return sounds.written("flac", samples, RATE)


def tree(folder: Path, recordings: dict[str, bytes], said: dict[str, str]) -> None:
    """Recordings of one folder with their transcripts, which say something else of each unless it is given."""
    folder.mkdir(parents=True)
    for name, data in recordings.items():
        (folder / name).write_bytes(data)
    stems = [name.partition(".")[0] for name in recordings]
    lines = [f"{stem} {said.get(stem, words_of(stem))}" for stem in stems]
    (folder / "all.trans.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def words_of(stem: str) -> str:
    return " ".join(random.Random(stem).sample(WORDS, 12)).upper()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark of speech, a source of recordings and one of questions that are heard."""
    home = tmp_path_factory.mktemp("heard")
    theirs = {f"1-{n}.flac": flac(syllables(n, 6.0)) for n in range(4)} | {"1-4.flac": flac(LONG)}
    ours = {
        "2-0.mp3": mp3(syllables(0, 6.0)),
        "2-1.opus": opus(syllables(1, 6.0)),
        "2-2.mp3": mp3(LONG[12 * RATE : 22 * RATE]),
        "2-3.opus": opus(np.concatenate([syllables(60, 9.0), syllables(2, 6.0), syllables(61, 5.0)])),
        "2-4.flac": flac(syllables(3, 6.0)),
        **{f"3-{n}.flac": flac(syllables(100 + n, 6.0)) for n in range(6)},
    }
    said = {}
    if shutil.which("espeak-ng"):
        theirs["1-5.flac"] = flac(spoken(SAID, "en+m3"))
        ours["4-0.flac"] = flac(spoken(SAID, "en+f2"))
        said = {"1-5": SAID, "4-0": SAID}
    tree(home / "sets" / "read", theirs, said)
    tree(home / "speech" / "read", ours, said)
    layout: dict[str, Any] = {
        "adapter": "transcript_tree", "annotations": ["read/*.trans.txt"], "options": TREE, "case": "upper"
    }  # fmt: skip
    write_source(home, "speech", [], "ASR", "Speech", **layout)
    asked = "<image>\n<audio>"
    told = [("heard", mp3(np.concatenate([syllables(70), syllables(1, 6.0)]))), ("other", mp3(syllables(71)))]
    for name, data in told:
        noise(home / "asks" / f"{name}.png", name)
        (home / "asks" / f"{name}.mp3").write_bytes(data)
    talk = [{"from": "human", "value": asked}, {"from": "gpt", "value": "Nothing but noise of many colours."}]
    records = [
        {"id": name, "image": f"{name}.png", "audio": f"{name}.mp3", "conversations": talk}
        for name, _ in told
    ]
    write_source(home, "asks", records)
    card = {
        "benchmark": "readings", "title": "Sentences read", "kind": "speech", "language": "en",
        "licence": "CC0-1.0", "get": "made by a test", "root": ".", **layout,
    }  # fmt: skip
    (home / "benchmarks").mkdir()
    (home / "benchmarks" / "readings.yaml").write_text(json.dumps(card), encoding="utf-8")
    return home


def hours(home: Path) -> Path:
    path = write_mixture(home, {"speech": "all"}, "hours", benchmarks=["readings"], curate=True)
    path.write_text(path.read_text().replace('"questions": "all"', '"hours": "all"'))
    return path


def findings(out: Path) -> dict[str, dict[str, Any]]:
    """What was found, by the name of ours and without that of the source."""
    names = {}
    for path in out.glob("catalog/*/part-*.parquet"):
        for row in files.read_table(str(path), ["key", "native_id"]).to_pylist():
            names[row["key"]] = json.loads(row["native_id"])
    rows = [
        row
        for path in out.glob("curate/*/*/found-*.parquet")
        for row in files.read_table(str(path)).to_pylist()
    ]
    return {names[row["key"]]: row for row in rows}


@pytest.fixture(scope="module")
def out(home: Path) -> Path:
    run_build(hours(home), home / "out", "2.1", against=str(home / "sets"))
    return home / "out"


@pytest.mark.parametrize(
    ("name", "seconds", "at", "begin"),
    [
        ("2-0", 5.7, 0.0, 0.0),  # as MP3 and softer
        ("2-1", 5.7, 0.0, 0.0),  # as Opus
        ("2-2", 9.7, 0.0, 12.0),  # ten seconds of forty
        ("2-3", 5.7, 9.0, 0.0),  # inside a longer one
    ],
)
def test_a_recording_is_found_after_encoding_and_cutting_and_where_it_lies(
    out: Path, name: str, seconds: float, at: float, begin: float
) -> None:
    found = findings(out)[name]
    assert (found["how"], found["benchmark"], found["removes"]) == ("recording", "readings", True)
    assert found["seconds"] == pytest.approx(seconds, abs=0.4) and found["score"] > 0.8
    assert found["at"] - found["begin"] == pytest.approx(at - begin, abs=0.1)
    assert found["ours"].casefold() == words_of(name).casefold() and found["question"]


def test_what_decodes_to_the_same_is_said_to_be_that_and_other_recordings_are_not_found(out: Path) -> None:
    found = findings(out)
    assert found["2-4"]["how"] == "content"
    assert set(found) - {"4-0"} == {"2-0", "2-1", "2-2", "2-3", "2-4"}


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="nobody speaks here: apt-get install espeak-ng")
def test_another_reading_of_the_same_words_is_found_by_its_words_and_stays(out: Path) -> None:
    found = findings(out)["4-0"]
    assert (found["how"], found["removes"], found["seconds"]) == ("question", False, None)


def test_recordings_that_leave_are_rejects_that_name_the_benchmarks(out: Path) -> None:
    rows = [
        row
        for path in (out / "stages/2.1/rejects").glob("*.parquet")
        for row in files.read_table(str(path)).to_pylist()
    ]
    left = {json.loads(row["native_id"]): row["rule"] for row in rows}
    assert left == {**dict.fromkeys(("2-0", "2-1", "2-2", "2-3"), "leak_recording"), "2-4": "leak_content"}
    assert all("of readings" in row["message"] for row in rows)


def test_nothing_is_heard_twice_when_a_benchmark_is_looked_for_again(home: Path, out: Path) -> None:
    before = stamps(out, "**/prints-*.arrow")
    path = home / "benchmarks" / "readings.yaml"
    guarded = {**json.loads(path.read_text()), "guards": [{"source": "speech", "ids": "2-0"}]}
    path.write_text(json.dumps(guarded))
    run_build(home / "hours.yaml", home / "out", "2.1", against=str(home / "sets"))
    assert stamps(out, "**/prints-*.arrow") == before != {}
    (line,) = files.read_json(str(out / "benchmarks/found.json"))["benchmarks"]
    assert (line["itself"], line["recording"], line["content"], line["removed"]) == (1, 3, 1, 5)


def test_sounds_that_were_gone_are_heard_again(out: Path, tmp_path: Path) -> None:
    catalog, folder = tmp_path / "catalog", tmp_path / "prints"
    shutil.copytree(out / "catalog" / "speech", catalog)
    (part,) = files.read_json(str(catalog / "source.json"))["parts"]
    task = PrintsTask("speech", str(tmp_path / "nowhere"), str(catalog), str(folder)).save()
    for tar in sorted(catalog.rglob("*.tar")):
        tar.rename(tar.with_suffix(".away"))
    path = prints_part(task, part)
    heard = [one for rows in read_prints(path) for row in rows for one in row["prints"]]
    assert heard == [None] * len(heard) and rows_to_measure(path) == list(range(len(heard))) != []
    for tar in sorted(catalog.rglob("*.away")):
        tar.rename(tar.with_suffix(".tar"))
    assert prints_part(task, part) == path and rows_to_measure(path) == []
    (whole,) = out.glob("curate/*/speech/prints-*.arrow")
    assert Path(path).read_bytes() == whole.read_bytes()


def test_a_recording_inside_a_question_that_is_heard_is_found_and_a_source_without_any_is_not_heard(
    home: Path,
) -> None:
    stage_card(home, spoken=0.0)
    mixture = write_mixture(home, {"asks": "all"}, "asking", benchmarks=["readings"], curate=True)
    settings = BuildSettings(
        stage="2.2",
        mixture=str(mixture),
        out=str(home / "asked"),
        against=str(home / "sets"),
        verb="decontaminate",
    )

    def run(graph: str, words: str, items: list[Any], total: int, folders: list[str]) -> None:
        run_graph(GRAPHS[graph](items), RunnerChoice(), 1)

    found = decontaminate(settings, run, lambda words: None)
    (line,) = found["benchmarks"]
    assert (line["recording"], line["removed"], line["reported"], found["removed"]) == (1, 1, 0, 1)
    (example,) = line["examples"]
    assert example["at"] - example["begin"] == pytest.approx(4.0, abs=0.1) and example["ours"] == "heard.mp3"
