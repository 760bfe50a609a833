"""Questions into sound, sample by sample: does the sample still fit, and the rows as they go into shards.

A question is good when its clip could be made and its sample, with the good questions before it in the order
spoken too, is not longer than a training sequence. That depends on nothing that comes later in the order.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.catalog.task import HEARD_RATE, SPOKEN
from vita_data.errors import RecordError
from vita_data.prompt.record import measure_record
from vita_data.prompt.template import AUDIO, IMAGE, VIDEO
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.records.canon import canonical
from vita_data.records.schema import SELECTED
from vita_data.select.gather import order_path
from vita_data.shards.tar import padded
from vita_data.shards.write import member_name
from vita_data.speech.choose import PLACE, within
from vita_data.speech.questions import where_spoken
from vita_data.speech.task import FITTED, SpeechTask, load_speech_task, read_batch, write_batches

# Raise when the same sounds would make other records.
VERSION = 1
EXTENSION = "flac"
_SEEN = re.compile(f"{IMAGE}|{VIDEO}")
Question = dict[str, Any]


def fit_bucket(task_path: str, bucket: int) -> str:
    """Writes a row of FITTED for every question of an ordered bucket that was tried; returns the path."""
    task = load_speech_task(task_path)
    path = task.path("fitted", bucket)
    questions = _by_sample(list(_tried(task, bucket)))
    for row in _rows(task, bucket):
        _judge(task, row, questions.get(row["key"], []))
    fitted = [question for some in questions.values() for question in some]
    write_batches(path, [pa.Table.from_pylist(fitted, FITTED)], FITTED)
    return path


def _by_sample(questions: list[Question]) -> dict[str, list[Question]]:
    """Questions by their sample's key, each sample's in their order."""
    found: dict[str, list[Question]] = defaultdict(list)
    for question in sorted(questions, key=lambda question: [question[name] for name in PLACE]):
        found[question["key"]].append(question)
    return found


def _tried(task: SpeechTask, bucket: int) -> Iterator[Question]:
    """The questions within their cut-offs with what is known of their clips."""
    for number in range(task.clips):
        table = pa.Table.from_batches([read_batch(task.questions_path(bucket), number)])
        asked = [
            row for row in table.filter(within(table, task.cutoffs)).to_pylist() if row["clip"] is not None
        ]
        clips = read_batch(task.path("clips", number), task.rows.index(bucket)).to_pylist()
        yield from (question | clip for question, clip in zip(asked, clips, strict=True))


def _rows(task: SpeechTask, bucket: int) -> Iterator[dict[str, Any]]:
    with files.open_read(order_path(task.work, bucket)) as stream, pa.ipc.open_file(stream) as reader:
        for number in range(reader.num_record_batches):
            yield from reader.get_batch(number).to_pylist()


def _judge(task: SpeechTask, row: dict[str, Any], questions: list[Question]) -> None:
    """Gives the questions of a sample that cannot be spoken the reason; the others go in one after the other."""
    good: list[Question] = []
    for question in questions:
        if question["reason"] is not None:
            continue
        try:
            voiced(task, row, [*good, question])
            good.append(question)
        except RecordError as error:
            question["reason"] = error.rule


def voice_bucket(task_path: str, bucket: int) -> str:
    """Writes the rows of an ordered bucket with the questions up to the cut-offs spoken; returns the path.

    Batches hold the same rows as before, in the same order.
    """
    task = load_speech_task(task_path)
    table = pa.Table.from_batches([read_batch(task.path("fitted", bucket), 0)])
    chosen = table.filter(within(table, task.cutoffs)).to_pylist()
    questions = _by_sample([question for question in chosen if question["reason"] is None])
    path = order_path(task.voiced, bucket)
    with (
        files.open_read(order_path(task.work, bucket)) as stream,
        pa.ipc.open_file(stream) as reader,
        files.atomic_write(path) as out,
        pa.ipc.new_file(out, SELECTED) as writer,
    ):
        for number in range(reader.num_record_batches):
            writer.write_batch(_voiced_batch(task, reader.get_batch(number), questions))
    return path


def _voiced_batch(
    task: SpeechTask, batch: pa.RecordBatch, questions: dict[str, list[Question]]
) -> pa.RecordBatch:
    if not any(key in questions for key in batch.column("key").to_pylist()):
        return batch
    rows = batch.to_pylist()
    rows = [voiced(task, row, questions[row["key"]]) if row["key"] in questions else row for row in rows]
    return pa.RecordBatch.from_pylist(rows, SELECTED)


def voiced(task: SpeechTask, row: dict[str, Any], questions: list[Question]) -> dict[str, Any]:
    """A row of SELECTED with some of its questions spoken; RecordError `too_long` and others of `measure`."""
    record, media = json.loads(row["record"]), list(row["media"])
    turns = {question["turn"]: question for question in questions}
    for number, turn in enumerate(sorted(turns)):  # sounds lie in the order of their placeholders
        question = turns[turn]
        name = member_name(row["key"], len(media), EXTENSION)
        media.append(_medium(question, number))
        said = record["conversations"][turn]
        said["value"] = heard(said["value"], task.card.part)
        record["audio"].append(name)
        facts = {fact: question[fact] for fact in ("turn", "text", "language", "voice", "speed", "noise")}
        record["spoken"].append({"audio": name, **facts})
    lengths = measure_record(
        record,
        [(medium["width"], medium["height"]) for medium in media if medium["kind"] == "image"],
        [medium["samples"] for medium in media if medium["kind"] == "audio"],
        task.geometry,
        load_tokenizer(task.geometry.tokenizer),
        task.state_tokens,
        task.noise_ends,
    )
    text = canonical(record)
    return {
        **row,
        "record": text,
        "media": media,
        "sound_samples": sum(medium["samples"] or 0 for medium in media),
        "text_tokens": lengths.text_tokens,
        "visual_tokens": lengths.visual_tokens,
        "audio_tokens": lengths.audio_tokens,
        "length": lengths.length,
        "grids": [{"cols": cols, "rows": rows} for cols, rows in lengths.grids],
        "bytes": padded(len(text.encode())) + sum(padded(medium["length"]) for medium in media),
    }


def heard(value: str, part: str | None = None) -> str:
    """A question once it is spoken: its pictures and films, then the sound in place of its words, or of a part."""
    place = where_spoken(value, part)
    if place is not None:
        return value[: place.start] + AUDIO + value[place.stop :]
    return "\n".join([*_SEEN.findall(value), AUDIO])


def _medium(question: Question, number: int) -> dict[str, Any]:
    """The row of a spoken question among its sample's media."""
    plain = {name: question[name] for name in ("offset", "length", "sha256", "content", "samples")}
    return {
        "kind": "audio",
        "part_of": number,
        "path": f"{SPOKEN}{question['path']}",
        "extension": EXTENSION,
        "rate": HEARD_RATE,
        "native": f"turn {question['turn']} as {question['voice']} says it",
        **dict.fromkeys(("width", "height", "time")),
        **plain,
    }
