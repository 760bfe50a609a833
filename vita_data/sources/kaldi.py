"""Kaldi data directories: `text` with the `wav.scp`, `segments` and `utt2spk` that lie beside it.

Format: https://kaldi-asr.org/doc/data_prep.html. The annotation is the file of transcripts; its neighbours are
joined to it on local disk, in any order and of any length. A pipe is read as the file that it decodes
(kaldi_pipes.py) and never run.
"""

from __future__ import annotations

import contextlib
import hashlib
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources import jsonfiles, split_names, utterance
from vita_data.sources.base import Fault, Medium, Native, Slice, Split, transcript
from vita_data.sources.copies import Copies
from vita_data.sources.kaldi_pipes import file_of
from vita_data.sources.lookup import Lookup


@dataclass(frozen=True)
class KaldiOptions:
    """Options of `adapter: kaldi`; `strip_prefix` is the part of its absolute paths that `path_prefix` stands for."""

    wav_scp: str = "wav.scp"
    segments: str = "segments"
    utt2spk: str = "utt2spk"
    strip_prefix: str = ""
    path_prefix: str = "."


class Kaldi:
    """Reads one record an utterance, in the order of `text`."""

    def __init__(self, options: KaldiOptions) -> None:
        self._options = options

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Joins the files of the directory into lines; raises SourceError when there is no wav.scp."""
        options, copies = self._options, Copies(annotation, scratch)
        folder = files.join(root, posixpath.dirname(annotation))
        path, scp = files.join(root, annotation), files.join(folder, options.wav_scp)
        if not files.exists(scp):
            raise SourceError(
                f"{scp} is not there, so no utterance of {annotation} has a recording; "
                "fetch it, or name it in the card's option `wav_scp`."
            )
        with contextlib.ExitStack() as stack:
            tables = {
                name: _table(stack, files.join(folder, name))
                for name in (options.wav_scp, options.segments, options.utt2spk)
            }
            digest = hashlib.sha256()
            with files.open_read(path) as stream:
                for data in stream:
                    digest.update(data)
                    if row := _row(data):
                        copies.add(self._joined(tables, *row))
        return copies.split(digest.hexdigest())

    def _joined(self, tables: dict[str, Lookup | None], name: str, text: str) -> dict[str, Any]:
        """What the directory says of an utterance; an id with two meanings is passed on as `twice`."""
        options = self._options
        found: dict[str, Any] = {"id": name, "text": text}
        try:
            recording: str | None = name
            if (segments := tables[options.segments]) is not None:
                found["segment"] = segments.get(name, options.segments)
                recording = found["segment"].split(None, 1)[0] if found["segment"] else None
            if recording is not None:
                found["wav"] = tables[options.wav_scp].get(recording, options.wav_scp)  # type: ignore[union-attr]
            if (speakers := tables[options.utt2spk]) is not None:
                found["speaker"] = speakers.get(name, options.utt2spk)
        except RecordError as error:
            found["twice"] = str(error)
        return found

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record an utterance."""
        for position, value in jsonfiles.read_lines(part):
            if isinstance(value, RecordError):
                yield Fault(position, value)
                continue
            native_id = utterance.id_text(value["id"])
            try:
                yield self._record(position, native_id, value, split_names.split_of_folder(part.annotation))
            except RecordError as error:
                yield Fault(position, error, native_id)

    def _record(
        self, position: int, native_id: str | None, value: dict[str, Any], split: str | None
    ) -> Native:
        options = self._options
        if "twice" in value:
            raise RecordError("ambiguous_id", value["twice"], value["id"])
        start, end = None, None
        if "segment" in value:
            start, end = _times(value["segment"], options.segments)
        if value.get("wav") is None:
            raise RecordError("not_a_record", f"the utterance has no line in {options.wav_scp}.")
        name = utterance.place(file_of(value["wav"]), options.path_prefix, options.strip_prefix)
        sound = Medium("audio", name, start=start, end=end)
        speaker = utterance.label(value.get("speaker"))
        return transcript(position, native_id, value["text"], sound, speaker, split=split)


def _times(line: str | None, where: str) -> tuple[float, float | None]:
    """Begin and end from a line of `segments`; an end of -1 is that of the recording."""
    if line is None:
        raise RecordError("not_a_record", f"the utterance has no line in {where}.")
    fields = line.split()
    if len(fields) == 4:
        raise RecordError("one_channel", f"its line in {where} means channel {fields[3]} alone.", fields[3])
    if len(fields) != 3:
        raise RecordError(
            "not_a_record", f"its line in {where} has {len(fields) + 1} fields and not 4.", line[:80]
        )
    begin, end = utterance.seconds(fields[1], where), utterance.seconds(fields[2], where)
    if end == -1:
        return utterance.segment(begin, begin + 1)[0], None
    return utterance.segment(begin, end)


def _table(stack: contextlib.ExitStack, path: str) -> Lookup | None:
    if not files.exists(path):
        return None
    table = stack.enter_context(Lookup())
    with files.open_read(path) as stream:
        table.fill(row for data in stream if (row := _row(data)))
    return table


def _row(data: bytes) -> tuple[str, str] | None:
    """The id that a line begins with, and the rest; what is not UTF-8 is marked, which refuses its record alone."""
    fields = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "vita-mark").strip(" \t\r\n").split(None, 1)
    if not fields:
        return None
    return fields[0], fields[1] if len(fields) > 1 else ""
