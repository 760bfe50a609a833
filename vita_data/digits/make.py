"""The corpus of digits as a folder: what trains in one half, what tests in the other, and what was left out."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vita_data import files
from vita_data.digits import corpus
from vita_data.digits.corpus import Amounts
from vita_data.digits.pictures import read_digits
from vita_data.digits.recordings import Recording, Say, by_speaker, read_recordings
from vita_data.digits.voices import synthetic
from vita_data.errors import UsageError
from vita_data.records.key import digest_of
from vita_data.sample.voices import find_engine

VERSION = 4  # raise it when any byte of the corpus changes
FACTS = "corpus.json"
TRAIN, TEST = "train", "test"
VOICES = 72  # of the engine


@dataclass(frozen=True)
class Request:
    """What the corpus is made of: a folder of recordings (None: the engine's voices), who is left for tests.

    `speech_only` leaves out what is seen and read, for a second corpus with other speakers.
    """

    speech: Path | None = None
    left_out: tuple[str, ...] = ()
    amounts: Amounts = field(default_factory=Amounts)
    speech_only: bool = False


def make_digits(folder: Path, request: Request, say: Say) -> dict[str, Any]:
    """Writes the corpus into `folder`, or leaves it when just this one is there; returns its facts.

    It is written beside `folder` and renamed when it is complete. Raises UsageError when `folder` holds something
    else, where a speaker who is left out is not there, or where nobody is left to learn from.
    """
    voices = _voices(request, say)
    asked = _asked(request, voices)
    there = folder / FACTS
    if there.is_file() and files.read_json(str(there))["asked"] == asked:
        say(f"The corpus of digits is in {folder} already.")
        return dict(files.read_json(str(there)))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there and is not this corpus of digits: name another folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent.resolve()))
    try:
        facts = {"asked": asked, **_write(building, request, voices, say)}
        files.write_json(str(building / FACTS), facts)
        building.chmod(0o755)
        os.replace(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    say(f"The corpus of digits is in {folder}.")
    return facts


def _voices(request: Request, say: Say) -> list[Recording]:
    """Everybody's recordings; the engine's voices stand in where there are none."""
    if request.speech is not None:
        return read_recordings(request.speech, say)
    engine = find_engine()
    if engine is None:
        raise UsageError(
            "there are neither recordings nor espeak-ng to learn hearing from: give a clone of the Free Spoken Digit "
            "Dataset with --speech, or apt-get install espeak-ng."
        )
    say(
        "No recordings were given: the voices of espeak-ng stand in, and what is shown is shown of them alone."
    )
    return _with_takes(synthetic(engine, VOICES // 6))


def _with_takes(said: list[Recording]) -> list[Recording]:
    """The engine says a word always alike; each voice counts as a take for training and one for tests."""
    return [Recording(one.digit, one.speaker, take, one.sound) for one in said for take in (0, 5)]


def _asked(request: Request, voices: Sequence[Recording]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "speech": request.speech is not None,
        "recordings": digest_of(
            "recordings", [one.name for one in voices], [len(one.sound) for one in voices]
        ),
        "left_out": list(request.left_out),
        "amounts": asdict(request.amounts),
        "speech_only": request.speech_only,
    }


def _write(root: Path, request: Request, voices: list[Recording], say: Say) -> dict[str, Any]:
    speakers = by_speaker(voices)
    if unknown := sorted(set(request.left_out) - set(speakers)):
        raise UsageError(
            f"nobody in the recordings is called {unknown[0]}; leave out one of {', '.join(speakers)}."
        )
    known = {name: some for name, some in speakers.items() if name not in request.left_out}
    if not known:
        raise UsageError("every speaker is left out; keep at least one to learn from.")
    learned = {name: [one for one in some if not one.for_test] for name, some in known.items()}
    tested = {name: [one for one in some if one.for_test] for name, some in known.items()}
    unseen = {name: speakers[name] for name in request.left_out}
    _write_speech(root, request, learned, tested, unseen, say)
    voice = next(iter(learned))
    if not request.speech_only:
        _write_rest(root, request.amounts, learned, tested, voice, say)
    return {"known": sorted(known), "left_out": sorted(unseen), "voice": voice}


def _write_speech(
    root: Path,
    request: Request,
    learned: dict[str, list[Recording]],
    tested: dict[str, list[Recording]],
    unseen: dict[str, list[Recording]],
    say: Say,
) -> None:
    amounts = request.amounts
    corpus.write_strings(root / TRAIN / "digits-speech", "speech", learned, amounts.strings, True)
    engine = find_engine()
    if engine is not None and request.speech is not None:
        made = by_speaker(synthetic(engine, VOICES))
        corpus.write_strings(root / TRAIN / "digits-speech-engine", "engine", made, amounts.synthetic, True)
    elif engine is None:
        say("espeak-ng is not installed: its voices are left out (apt-get install espeak-ng).")
    for name, speakers in ("known", tested), ("unseen", unseen), ("learned", learned):
        corpus.write_takes(root / TEST / name, (one for some in speakers.values() for one in some))


def _write_rest(
    root: Path,
    amounts: Amounts,
    learned: dict[str, list[Recording]],
    tested: dict[str, list[Recording]],
    voice: str,
    say: Say,
) -> None:
    digits = read_digits()
    to_train = [digit for digit in digits if not digit.for_test][: amounts.pictures]
    to_test = [digit for digit in digits if digit.for_test][: amounts.test_pictures]
    train, test = root / TRAIN, root / TEST
    say("writing pictures, questions and sounds")
    corpus.write_pictures(train / "digits-pictures", to_train, amounts)
    corpus.write_texts(train / "digits-text", amounts)
    everybody = [one for some in learned.values() for one in some]
    corpus.write_spoken(train / "spoken", everybody, amounts.spoken, True)
    corpus.write_strings(
        train / "digits-voice", "voice", {voice: learned[voice]}, amounts.voice, False, most=3
    )
    corpus.write_unmeant(train / "digits-unmeant", to_train, learned, amounts.unmeant, False)
    corpus.write_test_pictures(test / "digits-pictures", to_test, amounts)
    corpus.write_spoken(test / "spoken", [one for some in tested.values() for one in some], 1, False)
    corpus.write_strings(
        test / "digits-voice", "test-voice", {voice: tested[voice]}, amounts.tests // 4, False
    )
    corpus.write_unmeant(test / "digits-unmeant", to_test, tested, amounts.tests // 2, True)
