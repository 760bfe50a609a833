"""Films, sounds and archives through a whole build: what is heard and seen is what was there, counted exactly."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.factories import jpeg, record, run_build, shard_digests, write_lines, write_mixture, write_source
from tests.sounds import film as film_with
from tests.sounds import speechlike
from tests.vita_data.films import film_of
from vita_data import files
from vita_data.errors import ManifestError, UsageError
from vita_data.shards.prove import prove
from vita_data.shards.read import Sample, Stage

TREE = {
    "audio": "{folder}/{id}.flac",
    "delimiter": " ",
    "id_pattern": r"(?P<speaker>\d+)-\d+-\d+",
    "path_pattern": r"(?P<split>[^/]+)/\d+/\d+/[^/]+$",
    "splits": ["train"],
}


def _tree(home: Path, name: str = "speech", kind: str = "ASR", rate: int = 16_000, **card: Any) -> int:
    """Two dozen speakers who say three sentences each, and one test speaker; returns the samples of the former."""
    samples = 0
    for speaker in range(25):
        split = "train" if speaker < 24 else "test"
        folder = home / name / split / str(speaker) / "1"
        folder.mkdir(parents=True)
        lines = []
        for number in range(3):
            sound = speechlike(0.5 + 0.1 * number, rate, speaker * 10 + number)
            soundfile.write(folder / f"{speaker}-1-{number:04d}.flac", sound, rate)
            lines.append(f"{speaker}-1-{number:04d} SAY NUMBER {speaker} TIMES {number}")
            samples += len(sound) if split == "train" else 0
        (folder / f"{speaker}-1.trans.txt").write_text("\n".join(lines) + "\n")
    write_source(
        home,
        name,
        [],
        kind,
        "Speech",
        **{
            "adapter": "transcript_tree",
            "annotations": ["*/*/*/*.trans.txt"],
            "options": TREE,
            "case": "upper",
            **card,
        },
    )
    return samples


def _speech_mixture(home: Path, *names: str, hours: object = "all") -> Path:
    path = write_mixture(home, dict.fromkeys(names, "all"), holdout={"share": 0.05, "least": 3})
    path.write_text(path.read_text().replace('"questions": "all"', f'"hours": {json.dumps(hours)}'))
    return path


def _samples(stage: Stage) -> list[Sample]:
    return [stage.sample(n, row) for n in range(stage.shard_count) for row in range(len(stage.shard(n)))]


def test_speech_is_drawn_by_the_hour_and_heard_at_16_kilohertz(tmp_path: Path) -> None:
    there = _tree(tmp_path)
    facts = run_build(_speech_mixture(tmp_path, "speech"), tmp_path / "out", "2.1")
    (source,) = facts["sources"]
    assert source["rejected"] == {"wanted/other_split": 3}
    folder = str(tmp_path / "out/stages/2.1")
    proof = prove(folder)
    assert proof["ok"], proof["errors"]
    stage = Stage(folder)
    assert stage.held_out is not None
    heard = _samples(stage)
    seconds = [soundfile.info(io.BytesIO(sample.media[0])) for sample in heard]
    assert {info.samplerate for info in seconds} == {16_000}
    held = sum(soundfile.info(io.BytesIO(s.media[0])).frames for s in _samples(stage.held_out))
    assert sum(info.frames for info in seconds) + held == there
    written = proof["sources"][0]["written"]
    assert proof["sources"][0]["unit"] == "hours" and written == facts["totals"]["hours"] > 0
    assert written * 3600 * 16_000 == pytest.approx(there - held)
    speakers = {sample.record["speaker"] for sample in heard}
    assert speakers == {sample.record["native_id"].split("-")[0] for sample in heard}
    assert speakers.isdisjoint(sample.record["speaker"] for sample in _samples(stage.held_out))
    assert {sample.record["split"] for sample in heard} == {"train"}
    first = heard[0].record
    assert first["audio"] == [f"{first['id']}.0.flac"] and first["type"] == "asr"
    assert first["conversations"][0]["value"] == "<audio>"
    assert first["conversations"][1]["value"].startswith("say number ")


def test_a_quota_in_hours_is_met_and_no_more_than_one_clip_over(tmp_path: Path) -> None:
    _tree(tmp_path)
    facts = run_build(_speech_mixture(tmp_path, "speech", hours=0.005), tmp_path / "out", "2.1")
    assert 0.005 <= facts["totals"]["hours"] < 0.005 + 1 / 3600
    assert prove(str(tmp_path / "out/stages/2.1"))["errors"] == []


def test_pairs_of_text_and_speech_are_kept_at_24_kilohertz_as_something_to_say(tmp_path: Path) -> None:
    _tree(tmp_path, kind="TTS", rate=22_050)
    mixture = _speech_mixture(tmp_path, "speech")
    for stage in ("3.1", "3.2"):
        run_build(mixture, tmp_path / "out", stage)
        assert prove(str(tmp_path / f"out/stages/{stage}"))["errors"] == []
    (one, *_) = _samples(Stage(str(tmp_path / "out/stages/3.2")))
    info = soundfile.info(io.BytesIO(one.media[0]))
    assert info.samplerate == 24_000
    assert [turn["from"] for turn in one.record["conversations"]] == ["gpt"]
    assert one.record["spoken"] == [{"turn": 0, "audio": one.record["audio"][0]}]


def test_speech_is_the_same_bytes_on_two_processes(tmp_path: Path) -> None:
    _tree(tmp_path)
    mixture = _speech_mixture(tmp_path, "speech")
    for workers in (1, 2):
        run_build(mixture, tmp_path / str(workers), "2.1", workers)
    assert shard_digests(tmp_path / "1/stages/2.1") == shard_digests(tmp_path / "2/stages/2.1") != {}


def test_films_become_frames_with_their_times_and_their_sound_where_it_is_asked_for(tmp_path: Path) -> None:
    home = tmp_path / "films"
    home.mkdir()
    data = film_of("H.264 with B-frames in MP4", 40)
    for number in range(3):
        (home / f"{number}.mp4").write_bytes(data)
    told = [
        {"id": "whole", "video": "0.mp4", "conversations": _talk("<video>\nWhat happens?")},
        {"id": "clip", "video": "1.mp4", "start": 0.5, "end": 1.5, "conversations": _talk("<video>\nWhat?")},
        {"id": "unnamed", "video": "2.mp4", "conversations": _talk("What happens?")},
        {"id": "gone", "video": "3.mp4", "conversations": _talk("<video>\nWhat happens?")},
        {"id": "deaf", "video": "0.mp4", "conversations": _talk("<video>\n<audio>\nWhat is said?")},
    ]
    write_source(tmp_path, "films", told, "QA", "General Video")
    mixture = write_mixture(tmp_path, {"films": "all"}, holdout={"share": 0, "least": 0})
    facts = run_build(mixture, tmp_path / "out")
    assert facts["sources"][0]["rejected"] == {"media/media_missing": 1, "media/no_audio": 1}
    stage = Stage(str(tmp_path / "out/stages/1.3"))
    assert prove(stage.folder)["errors"] == []
    samples = {sample.record["native_id"]: sample for sample in _samples(stage)}
    for name, sample in samples.items():
        (seen,) = sample.record["video"]
        assert seen["times"] == sorted(seen["times"]) and seen["times"][0] == 0, name
        assert len(seen["frames"]) == len(sample.media) == len(sample.grids) >= 4
        assert sample.record["conversations"][0]["value"].startswith("<video>\n")
    assert samples["clip"].record["video"][0]["times"][-1] < 1


def _talk(question: str) -> list[dict[str, str]]:
    return [{"from": "human", "value": question}, {"from": "gpt", "value": "It moves."}]


def test_pictures_in_an_archive_are_read_where_they_lie(tmp_path: Path) -> None:
    home = tmp_path / "mine"
    told = [record(n, "What is it?", f"Noise {n}.", f"images/{n}.jpg") for n in range(30)]
    write_source(tmp_path, "mine", told, media={"places": [{"inside": "pictures.zip", "prefix": "images/"}]})
    with zipfile.ZipFile(home / "pictures.zip", "w") as archive:
        for number in range(30):
            archive.writestr(f"{number}.jpg", jpeg(seed=number))
    facts = run_build(write_mixture(tmp_path, {"mine": "all"}), tmp_path / "out")
    assert facts["totals"]["rejected"] == 0 and prove(str(tmp_path / "out/stages/1.3"))["ok"]
    assert not list((tmp_path / "out/catalog").glob("*/media-*.tar"))
    stage = Stage(str(tmp_path / "out/stages/1.3"))
    pictures = {jpeg(seed=number) for number in range(30)}
    assert all(sample.media[0] in pictures for sample in _samples(stage))
    again = run_build(tmp_path / "test.yaml", tmp_path / "out")
    assert again == facts
    with zipfile.ZipFile(home / "pictures.zip", "a") as archive:
        archive.writestr("new.jpg", jpeg(seed="new"))
    write_lines(home, [*told, record("new", "What?", "New.", "images/new.jpg")])
    assert run_build(tmp_path / "test.yaml", tmp_path / "out")["sources"][0]["read"] == 31


def test_a_record_whose_pictures_are_all_gone_goes_on_as_text_where_its_card_says_so(tmp_path: Path) -> None:
    told = [record(n, "What is it?", f"Noise {n}.", f"{n}.jpg") for n in range(12)]
    write_source(tmp_path, "mine", told, media={"missing": "keep-text", "fallback": ["case", "extension"]})
    (tmp_path / "mine" / "0.PNG").write_bytes(jpeg(seed=0))
    run_build(write_mixture(tmp_path, {"mine": "all"}), tmp_path / "out")
    stage = Stage(str(tmp_path / "out/stages/1.3"))
    samples = {sample.record["native_id"]: sample for sample in _samples(stage)}
    assert all("<image>" not in str(s.record["conversations"]) for name, s in samples.items() if name)
    assert len(samples[0].media) == 1 if 0 in samples else True


def test_speech_in_questions_and_questions_in_hours_are_refused_at_the_card(tmp_path: Path) -> None:
    _tree(tmp_path)
    with pytest.raises(ManifestError, match="source speech is counted in hours"):
        run_build(write_mixture(tmp_path, {"speech": "all"}), tmp_path / "out", "2.1")
    with pytest.raises(UsageError, match="names no source that is counted in questions"):
        run_build(_speech_mixture(tmp_path, "speech"), tmp_path / "out", "1.3")


def test_what_is_heard_is_in_no_part_of_a_stage_that_does_not_read_sound(tmp_path: Path) -> None:
    home = tmp_path / "films"
    home.mkdir()
    for number in range(4):
        (home / f"{number}.mkv").write_bytes(film_with(speechlike(2, 48_000, number)))
    told = [
        {
            "id": n,
            "video": f"{n}.mkv",
            "conversations": _talk("<video>\n<audio>\nWhat is said?" if n % 2 else "<video>\nWhat?"),
        }
        for n in range(4)
    ]
    write_source(tmp_path, "films", told, "QA", "General Video")
    mixture = write_mixture(tmp_path, {"films": "all"}, holdout={"share": 0, "least": 0})
    (line,) = run_build(mixture, tmp_path / "out")["sources"]
    assert (line["kept"], line["between"], line["written"]["samples"]) == (4, 2, 2)
    stage = Stage(str(tmp_path / "out/stages/1.3"))
    assert prove(stage.folder)["errors"] == []
    assert {sample.record["native_id"] for sample in _samples(stage)} == {0, 2}
    (kept,) = files.read_table(str(tmp_path / "out/catalog/films/part-00000.parquet"), ["media"]).to_pylist()[
        1:2
    ]
    assert kept["media"][-1]["kind"] == "audio" and kept["media"][-1]["rate"] == 16_000
