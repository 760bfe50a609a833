"""Speaking what the cache lacks: one bucket of clips, each made by the engine and checked like any other sound.

In: the questions of every ordered bucket that are within their source's cut-off. Out: for each ordered
bucket a batch with where its clips lie, or why there is none.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.catalog.task import HEARD_RATE
from vita_data.errors import RecordError
from vita_data.progress import Progress
from vita_data.records.key import digest_of
from vita_data.speech.cache import SpeechCache, row_of
from vita_data.speech.choose import within
from vita_data.speech.engines import Engine, engine_of
from vita_data.speech.task import CLIP, SpeechTask, load_speech_task, read_batch, write_batches

# Raise when the same engine's sound would be stored as other bytes.
VERSION = 1
CLIPS_A_TAR = 1000  # what a build that is stopped may have to speak again
LEAST_SECONDS = 0.1
SILENT = -80.0  # dBFS, below what any voice is
_FULL = 32768.0


def speech_digest(identity: dict[str, Any], most_seconds: float) -> str:
    """Names the cache of an engine: what it is and everything else that a clip's bytes depend on."""
    from importlib.metadata import version

    libraries = {name: version(name) for name in ("soundfile", "soxr", "av")}
    return digest_of("speech", VERSION, identity, HEARD_RATE, most_seconds, libraries)


def speak_bucket(task_path: str, number: int) -> str:
    """Speaks what one bucket of clips lacks; returns the path of what is known of all of them."""
    task = load_speech_task(task_path)
    path = task.path("clips", number)
    asked = [_asked(task, bucket, number) for bucket in task.rows]
    cache = SpeechCache(task.cache, number, task.clips)
    known = cache.known()
    wanted = {row["clip"]: row for rows in asked for row in rows if row["clip"] not in known}
    names = sorted(wanted)
    engine = engine_of(task.card)
    if names:
        engine.check()
    progress = Progress(files.join(task.work, "progress"))
    for first in range(0, len(names), CLIPS_A_TAR):
        some = names[first : first + CLIPS_A_TAR]
        made = _made(engine, [wanted[name] for name in some], task.card.most_seconds, progress)
        known |= {row["clip"]: row for row in cache.add(made, some)}
    progress.flush()
    tables = [pa.Table.from_pylist([known[row["clip"]] for row in rows], CLIP) for rows in asked]
    write_batches(path, tables, CLIP)
    return path


def _asked(task: SpeechTask, bucket: int, number: int) -> list[dict[str, Any]]:
    """The questions of an ordered bucket whose clips are of this bucket and within their cut-offs."""
    batch = read_batch(task.questions_path(bucket), number)
    table = pa.Table.from_batches([batch])
    rows: list[dict[str, Any]] = table.filter(within(table, task.cutoffs)).to_pylist()
    return [row for row in rows if row["clip"] is not None]


def _made(
    engine: Engine, rows: list[dict[str, Any]], most_seconds: float, progress: Progress
) -> Iterator[tuple[dict[str, Any], bytes | None]]:
    for question in rows:
        progress.add()
        row = row_of(question)
        try:
            facts, sound = clip(engine, question, most_seconds)
            yield row | facts, sound
        except RecordError as error:
            yield row | {"reason": error.rule, "message": str(error)}, None


def clip(engine: Engine, question: dict[str, Any], most_seconds: float) -> tuple[dict[str, Any], bytes]:
    """A question as FLAC of one channel at 16 kHz with its noise, and the facts of it; RecordError if it fails."""
    import soundfile

    from vita_data.media.audio import read_sound
    from vita_data.media.sound_shape import as_flac, content_of

    said = engine.speak(*(question[name] for name in ("text", "language", "voice", "speed")))
    sound = read_sound(said, HEARD_RATE, least_seconds=LEAST_SECONDS, most_seconds=most_seconds)
    if sound.rms < SILENT:
        raise RecordError("audio_silent", "The engine gave nothing but silence.", f"{sound.rms:.1f}", SILENT)
    data, content = sound.flac, sound.content
    if question["noise"] is not None:
        samples, _ = soundfile.read(io.BytesIO(data), dtype="int16")
        samples = with_noise(samples, question["noise"], question["clip"])
        data, content = as_flac(samples, HEARD_RATE), content_of(samples)
    facts = {"sha256": hashlib.sha256(data).digest(), "content": content, "samples": sound.samples}
    return facts, data


def with_noise(samples: Any, decibels: float, name: bytes) -> Any:
    """16-bit samples with white noise so many decibels below them; the noise follows from the name alone."""
    import numpy as np

    from vita_data.media.sound_shape import level_of

    bits = hashlib.shake_128(name).digest(2 * len(samples))
    flat = np.frombuffer(bits, "<i2").astype(np.float64) * (np.sqrt(3.0) / _FULL)  # uniform, of power 1
    gain = _FULL * 10.0 ** ((level_of(samples).rms - decibels) / 20.0)
    return np.rint(samples + flat * gain).clip(-32768, 32767).astype(np.int16)
