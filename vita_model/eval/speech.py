"""A folder of recordings written down by a model, by its speech encoder alone and by its language model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from vita_data.errors import UsageError
from vita_data.prompt.lengths import encoder_frames
from vita_data.prompt.tokenizer import load_tokenizer
from vita_model.batch.collate import collate
from vita_model.batch.encode import Encoder
from vita_model.eval.answers import ROOM, Line, words_of
from vita_model.eval.metrics import errors, resampled, wilson
from vita_model.eval.opened import Opened, characters_of
from vita_model.eval.recordings import Recording, Unread, heard, joined, recordings, strings
from vita_model.eval.summary import transcribed
from vita_model.eval.transcripts import Listener
from vita_model.eval.words import plain_digits, plain_words
from vita_model.nets.greedy import answers

TOGETHER = 16  # recordings that are encoded at once
WAYS = {"ctc": ("ctc_head",), "lm": ("speech_adapter", "language_model")}
Write = Callable[[Sequence[torch.Tensor]], list[str]]


@dataclass(frozen=True)
class Asked:
    """What of a folder is to be written down: its recordings, or so many strings of its clips drawn by a seed."""

    folder: Path
    strings: int | None = None
    seed: int = 0
    data: str | None = None


def hear(opened: Opened, asked: Asked) -> tuple[dict[str, Any], list[Line]]:
    """({recordings, unread, strings, seed, ctc, lm}, lines); each way that the model has been taught is scored.

    A line is {files, speaker, way, wanted, got, words, word_errors, characters, character_errors}. UsageError for a
    model that has learned neither way, and for strings of what are no digits.
    """
    ways = writers(opened, asked.data)
    clips, unread = recordings(asked.folder)
    sounds, broken = heard(asked.folder, (name for clip in clips for name in clip.names))
    there = [clip for clip in clips if all(name in sounds for name in clip.names)]
    said = _said(there, asked)
    fits, too_long = _fitting(said, sounds, opened)
    lines = [line for way, write in ways.items() for line in _lines(way, write, fits, sounds)]
    found: dict[str, Any] = {
        "speech": str(asked.folder),
        "recordings": len(there),
        "unread": [asdict(one) for one in (*unread, *broken, *too_long)],
        "strings": asked.strings,
        "seed": asked.seed,
    }
    for way in ways:
        found[way] = _scores([line for line in lines if line["way"] == way], asked.seed)
    return found, lines


def writers(opened: Opened, data: str | None) -> dict[str, Write]:
    """What writes waveforms down, by each way that was taught; UsageError where none was."""
    found: dict[str, Write] = {}
    if set(WAYS["ctc"]) <= opened.trained:
        found["ctc"] = Listener(opened.model, characters_of(opened, data)).transcripts
    if set(WAYS["lm"]) <= opened.trained | {"language_model"}:
        found["lm"] = lambda sounds: by_language_model(opened, sounds)
    if not found:
        raise UsageError(
            f"{opened.place} has not learned to hear; give a run of stage 2.1a, 2.1b or a later one."
        )
    return found


@torch.no_grad()
def by_language_model(opened: Opened, sounds: Sequence[torch.Tensor]) -> list[str]:
    """The text of each waveform as stage 2.1b asks for it, behind guiding embeddings where they were taught."""
    model, geometry = opened.model, opened.model.config.geometry
    guided = "prompt_embeddings" in opened.trained
    tokenizer = load_tokenizer(geometry.tokenizer)
    encoder = Encoder(tokenizer, geometry, prompts=model.config.adapter.prompts if guided else 0)
    encoded = [encoder.listen(f"sound {number}", sound) for number, sound in enumerate(sounds)]
    batch = collate(encoded).to(next(model.parameters()).device)
    embeddings = model.embed(batch)
    prompts = list(embeddings.split([len(one.ids) for one in encoded]))
    most = [ROOM + len(one.sound_places) for one in encoded]
    said = answers(model.language_model, prompts, most, (tokenizer.im_end, tokenizer.end_of_text))
    return [words_of(ids, tokenizer) for ids in said]


def _said(clips: list[Recording], asked: Asked) -> list[Recording]:
    if asked.strings is None:
        return clips
    if not all(clip.digits for clip in clips):
        raise UsageError(
            f"{asked.folder} has transcripts of its own; strings are made of clips with names like 7_anna_0.wav."
        )
    return strings(clips, asked.strings, asked.seed)


def _fitting(
    said: list[Recording], sounds: dict[str, torch.Tensor], opened: Opened
) -> tuple[list[Recording], list[Unread]]:
    """The recordings that the model has positions for, and the others."""
    most = opened.model.config.encoder.positions
    frames = {one.names: encoder_frames(len(joined(one, sounds))) for one in said}
    found = [one for one in said if frames[one.names] <= most]
    odd = [
        Unread(one.names[0], f"it is too long: {frames[one.names]} encoder frames of {most}")
        for one in said
        if frames[one.names] > most
    ]
    return found, odd


def _lines(way: str, write: Write, said: list[Recording], sounds: dict[str, torch.Tensor]) -> Iterator[Line]:
    for first in range(0, len(said), TOGETHER):
        some = said[first : first + TOGETHER]
        texts = write([joined(recording, sounds) for recording in some])
        for recording, got in zip(some, texts, strict=True):
            plain = plain_digits if recording.digits else plain_words
            yield {
                "files": list(recording.names),
                "speaker": recording.speaker,
                "way": way,
                "wanted": recording.text,
                "got": got,
                **vars(errors(recording.text, got, plain)),
            }


def _scores(lines: list[Line], seed: int) -> dict[str, Any]:
    """{total, speakers}: error rates, of all with an interval over speakers too, and the share without an error."""
    speakers = sorted({line["speaker"] for line in lines})
    whole = _told(lines, seed)
    if len(speakers) > 1:
        wrong, words = [line["word_errors"] for line in lines], [line["words"] for line in lines]
        whole["interval_speakers"] = resampled(wrong, words, seed, [line["speaker"] for line in lines])
    own = {name: [line for line in lines if line["speaker"] == name] for name in speakers}
    return {"total": whole, "speakers": {name: _told(some, seed) for name, some in own.items()}}


def _told(lines: list[Line], seed: int) -> dict[str, Any]:
    right = sum(not line["word_errors"] for line in lines)
    return {
        "utterances": len(lines),
        **transcribed(lines, seed),
        "without_error": right / len(lines) if lines else None,
        "without_error_interval": wilson(right, len(lines)),
    }
