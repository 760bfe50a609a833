"""The source sample-long-speech-zh: long Opus recordings cut by a list of segments, as WenetSpeech has them.

Layout: https://github.com/wenet-e2e/WenetSpeech, `WenetSpeech.json` beside `audio/train/...opus`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vita_data.sample.chance import rng
from vita_data.sample.ledger import Entry, Plant, SourceFacts
from vita_data.sample.lossy_sound import opus
from vita_data.sample.sound import noise, silence
from vita_data.sample.speech_text_zh import Line, sentences
from vita_data.sample.utterances import recorded
from vita_data.sample.voices import Sound, Voice, cast

NAME = "sample-long-speech-zh"
ANNOTATION = "WenetSpeech.json"
RATE = 16000
RECORDINGS, SEGMENTS = 5, 12  # of the train split; segments of each
LARGE = ["L", "M", "S"]


@dataclass(frozen=True)
class Recording:
    """A long recording, and the entries of its segments, whose records are those of the file."""

    aid: str
    split: str
    sound: Sound
    segments: list[Entry]

    @property
    def path(self) -> str:
        """Where it lies below the source's root."""
        return f"audio/{self.split}/youtube/B00000/{self.aid}.opus"


def make(root: Path, engine: Path, recordings: int = RECORDINGS) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    voices = cast(NAME, "zh", recordings + 1)
    lines = sentences(NAME, (recordings + 1) * SEGMENTS, longest=3)
    listed = []
    for number, voice in enumerate(voices):
        part = lines[number * SEGMENTS : (number + 1) * SEGMENTS]
        if number < recordings:
            listed.append(_record(f"Y{number:010d}_sample", "train", LARGE, voice, part, engine))
        else:
            listed.append(_record("Y0000009000_sample", "test_net", ["TEST_NET"], voice, part[:2], engine))
    listed[0] = _with_rejects(listed[0])
    audios = []
    for recording in listed:
        data = opus(recording.sound, RATE)
        (root / recording.path).parent.mkdir(parents=True, exist_ok=True)
        (root / recording.path).write_bytes(data)
        audios.append(_audio(recording, len(recording.sound) / RATE, hashlib.md5(data).hexdigest()))
    lost = _lost(listed[0])
    audios.append(_audio(lost, 7.5, "0" * 32))
    head = {"dataset": "WenetSpeech", "language": "ZH", "version": "v1.0", "author": "", "audios": audios}
    (root / ANNOTATION).write_text(json.dumps(head, ensure_ascii=False, indent=1), encoding="utf-8")
    facts = SourceFacts()
    facts.add(ANNOTATION, [entry for recording in [*listed, lost] for entry in recording.segments])
    return facts


def _record(
    aid: str, split: str, subsets: list[str], voice: Voice, lines: list[Line], engine: Path
) -> Recording:
    """The lines said one after another, with the room heard between them."""
    random = rng(NAME, aid)
    parts = [silence(random.uniform(0.3, 1.5), RATE)]
    at = len(parts[0])
    segments: list[Entry] = []
    for number, line in enumerate(lines):
        said = recorded(engine, voice, line, RATE, NAME, aid, str(number))
        begin, end = round(at / RATE, 3), round((at + len(said.sound)) / RATE, 3)
        record = _segment(f"{aid}_S{number:05d}", begin, end, line.plain, subsets)
        plant = None
        if split != "train":
            plant = Plant("segment_of_another_subset", "other_subset", "it belongs to the test set TEST_NET")
        segments.append(
            Entry(record, int(plant is None), record["sid"], plant, round((end - begin) * 1000), 1000)
        )
        pause = silence(random.uniform(0.2, 1.2), RATE)
        parts += [said.sound, pause]
        at += len(said.sound) + len(pause)
    return Recording(aid, split, _hissing(parts, aid), segments)


def _hissing(parts: list[Sound], aid: str) -> Sound:
    whole = np.concatenate(parts)
    return np.asarray(whole + noise(rng(NAME, "hiss", aid), len(whole), 20), dtype=np.int16)


def _segment(sid: str, begin: float, end: float, text: str, subsets: list[str]) -> dict[str, Any]:
    return {
        "sid": sid,
        "begin_time": begin,
        "end_time": end,
        "confidence": 1.0,
        "subsets": subsets,
        "text": text,
    }


def _with_rejects(recording: Recording) -> Recording:
    """The recording with a segment that is labelled weakly, and three behind the others that are no use."""
    aid, end = recording.aid, len(recording.sound) / RATE
    segments = list(recording.segments)
    record = segments[2].record | {"subsets": ["W"], "confidence": 0.71}
    plant = Plant("weakly_labelled", "other_subset", "its only subset is W")
    segments[2] = replace(segments[2], record=record, questions=0, plant=plant)
    odd = (
        ("silence_tag", "garbage_tag", "its text is the tag of silence", 0.0, 0.2, "<SIL>"),
        (
            "segment_past_end",
            "segment_outside",
            "it begins behind the end of the file",
            end + 2,
            end + 5,
            "没有声音",
        ),
        ("segment_backwards", "segment_outside", "it ends before it begins", 3.0, 2.0, "时间反了"),
    )
    for number, (kind, rule, note, begin, stop, text) in enumerate(odd, start=90):
        record = _segment(f"{aid}_S{number:05d}", round(begin, 3), round(stop, 3), text, LARGE)
        segments.append(Entry(record, 0, record["sid"], Plant(kind, rule, note)))
    return replace(recording, segments=segments)


def _lost(recording: Recording) -> Recording:
    """A recording that is listed and is not there."""
    aid = "Y0000008000_sample"
    plant = Plant("missing_audio", "media_missing", "the whole recording is not there")
    record = _segment(f"{aid}_S00000", 0.5, 2.5, "这段录音丢了", LARGE)
    return replace(recording, aid=aid, segments=[Entry(record, 0, record["sid"], plant)])


def _audio(recording: Recording, seconds: float, md5: str) -> dict[str, Any]:
    return {
        "aid": recording.aid,
        "duration": round(seconds, 3),
        "md5": md5,
        "path": recording.path,
        "source": "youtube",
        "tags": ["reading"],
        "url": f"https://example.org/{recording.aid}",
        "segments": [entry.record for entry in recording.segments],
    }
