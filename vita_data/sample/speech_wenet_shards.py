"""The source sample-speech-shards: tars of sounds with their texts, English and Chinese, as WeNet trains from.

Layout: https://github.com/wenet-e2e/wenet, `tools/make_shard_list.py`: `<key>.txt` and then `<key>.wav` in
tars that `shards.list` names.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vita_data.sample import speech_text_en, speech_text_zh
from vita_data.sample.chance import rng
from vita_data.sample.ledger import Entry, Plant, SourceFacts
from vita_data.sample.sound import flac, silence, wav
from vita_data.sample.utterances import Line, Recording, recorded
from vita_data.sample.voices import Voice, cast

NAME = "sample-speech-shards"
RATE = 16000
SHARDS = ("wav", "flac")  # what the sounds of each shard are stored as
LINES = 12  # of each language in a shard


@dataclass(frozen=True)
class Member:
    """A key of a shard: the files under it, in the order of the tar, and what the answer key says of it."""

    files: tuple[tuple[str, bytes], ...]  # extension and content
    entry: Entry


def make(root: Path, engine: Path, lines: int = LINES, curated: Sequence[Recording] = ()) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    (root / "shards").mkdir(parents=True)
    members = _members(engine, lines)
    facts = SourceFacts()
    names = []
    for number in range(len(SHARDS)):
        part = members[number :: len(SHARDS)]
        if number == 0:
            part += [*_rejects(), *_curated(curated)]
        names.append(f"shards/shards_{number:09d}.tar")
        _write(root / names[-1], part)
        facts.add(names[-1], [member.entry for member in part])
    (root / "shards.list").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return facts


def _members(engine: Path, lines: int) -> list[Member]:
    said: list[tuple[str, Voice, Line, str]] = []
    count = lines * len(SHARDS)
    english = speech_text_en.sentences(NAME, count, longest=2)
    chinese = speech_text_zh.sentences(NAME, count, longest=2)
    for n, (voice, line) in enumerate(zip(cast(f"{NAME} en", "en", count), english, strict=True)):
        said.append((f"en_{n:06d}", voice, line, line.written))
    for n, (voice, spoken) in enumerate(zip(cast(f"{NAME} zh", "zh", count), chinese, strict=True)):
        said.append((f"zh_{n:06d}", voice, spoken, spoken.plain))
    rng(NAME, "order").shuffle(said)
    return [
        _member(engine, SHARDS[n % len(SHARDS)], key, voice, line, text)
        for n, (key, voice, line, text) in enumerate(said)
    ]


def _member(engine: Path, form: str, key: str, voice: Voice, line: Line, text: str) -> Member:
    sound = recorded(engine, voice, line, RATE, NAME, key).sound
    data = wav(sound, RATE) if form == "wav" else flac(sound, RATE)
    return Member((("txt", text.encode("utf-8")), (form, data)), Entry(None, 1, key, None, len(sound), RATE))


def _curated(curated: Sequence[Recording]) -> list[Member]:
    """What is planted for curation, as WAV."""
    return [
        Member(
            (("txt", one.words.encode("utf-8")), ("wav", wav(one.sound, RATE))),
            Entry(None, 1, f"curated_{number:06d}", None, len(one.sound), RATE, one.fate),
        )
        for number, one in enumerate(curated)
    ]


def _rejects() -> list[Member]:
    """A sound of no samples, a text without a sound, and a text that is not UTF-8."""
    nothing = wav(silence(0, RATE), RATE)
    quiet = wav(silence(1, RATE), RATE)
    latin = "Where is the café?".encode("latin-1")
    return [
        _bad("bad_empty", "wav_without_samples", "audio_empty", "a header and no samples",
             ("txt", b"Nothing at all."), ("wav", nothing)),
        _bad("bad_alone", "text_without_sound", "not_a_record", "no sound follows the text",
             ("txt", b"Nobody said this.")),
        _bad("bad_latin", "latin_1_bytes", "not_utf8", "the text is written in Latin-1",
             ("txt", latin), ("wav", quiet)),
    ]  # fmt: skip


def _bad(key: str, kind: str, rule: str, note: str, *files: tuple[str, bytes]) -> Member:
    return Member(files, Entry(None, 0, key, Plant(kind, rule, note)))


def _write(path: Path, members: Sequence[Member]) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for member in members:
            for extension, data in member.files:
                info = tarfile.TarInfo(f"{member.entry.native_id}.{extension}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
