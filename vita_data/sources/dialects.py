"""Under which keys manifests of utterances say what: NeMo, Emilia, WeNet, FunASR, SpeechBrain, Common Voice.

Formats: https://docs.nvidia.com/nemo/speech/latest/asr/datasets.html, huggingface.co/datasets/amphion/Emilia-Dataset,
github.com/wenet-e2e/wenet (tools/make_raw_list.py), github.com/modelscope/FunASR, speechbrain.readthedocs.io and
github.com/common-voice/cv-dataset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vita_data.sources import utterance


@dataclass(frozen=True)
class Dialect:
    """Under which keys or columns a manifest says what; the first that is there counts.

    A part of a recording is given by start and end, or by offset and duration. `below` is the folder beside
    the manifest in which relative paths begin; None means the source's root.
    """

    path: tuple[str, ...]
    text: tuple[str, ...]
    id: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    offset: tuple[str, ...] = ()
    duration: tuple[str, ...] = ("duration",)
    speaker: tuple[str, ...] = ("speaker",)
    language: tuple[str, ...] = ("language",)
    split: tuple[str, ...] = ("split",)
    below: str | None = ""


DIALECTS: dict[str, Dialect] = {
    "nemo": Dialect(("audio_filepath",), ("text",), offset=("offset",), language=("lang", "target_lang")),
    "emilia": Dialect(("wav",), ("text",), ("id", "_id")),
    "wenet": Dialect(("wav",), ("txt",), ("key",), start=("start",), end=("end",), below=None),
    "funasr": Dialect(("source",), ("target",), ("key",)),
    "speechbrain": Dialect(
        ("wav",),
        ("wrd", "words"),
        ("ID", "id"),
        start=("start",),
        end=("stop",),
        speaker=("spk_id",),
        below=None,
    ),
    "commonvoice": Dialect(
        ("path",), ("sentence",), speaker=("client_id",), language=("locale",), below="clips"
    ),
}


def first(value: dict[str, Any], keys: tuple[str, ...]) -> Any:
    """What stands under the first of the keys that is there; None where none is."""
    return next((value[key] for key in keys if value.get(key) is not None), None)


def native_id(value: dict[str, Any], dialect: Dialect) -> str | None:
    """The id of a row; where a manifest gives none, the file that it names and the place in it."""
    found = first(value, dialect.id)
    if found is None:
        found = first(value, dialect.path)
        offset = first(value, dialect.offset)
        found = found if found is None or offset is None else [found, offset]
    return utterance.id_text(found)


def times(value: dict[str, Any], dialect: Dialect) -> tuple[float | None, float | None]:
    """The part of the file that is meant, in seconds; no times where it is the whole."""
    start, end = first(value, dialect.start), first(value, dialect.end)
    if start not in (None, "") and end not in (None, ""):
        return utterance.segment(utterance.seconds(start, "start"), utterance.seconds(end, "end"))
    offset, duration = first(value, dialect.offset), first(value, dialect.duration)
    if offset is None:
        return None, None
    begin = utterance.seconds(offset, "offset")
    if duration is None:
        return utterance.segment(begin, begin + 1)[0], None
    return utterance.segment(begin, begin + utterance.seconds(duration, "duration"))
