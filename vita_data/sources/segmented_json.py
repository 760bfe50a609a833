"""Long recordings with their segments in one JSON file: WenetSpeech and GigaSpeech.

Formats: https://github.com/wenet-e2e/WenetSpeech and https://github.com/SpeechColab/GigaSpeech. The file is
one object of gigabytes, `{"audios": [{path, segments: [{sid, begin_time, end_time, text}]}]}`. It is parsed
event by event, so that neither the file nor a recording of any number of segments is ever held whole; each
segment is copied as a line with the few fields that are read. Tags such as <SIL> stay in the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import ijson

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources import jsonfiles, utterance
from vita_data.sources.base import Fault, Medium, Native, Slice, Split, transcript
from vita_data.sources.copies import Copies

# Segments of a recording that names its path after them wait for it; no publisher writes it so.
MOST_WAITING = 50_000
MOST_SUBSETS = 64
_SCALARS = frozenset(["string", "number", "boolean", "null"])
_OPENING = frozenset(["start_map", "start_array"])


@dataclass(frozen=True)
class SegmentedOptions:
    """Options of `adapter: segmented_json`; the defaults read WenetSpeech, GigaSpeech has `text_key: text_tn`."""

    audios_path: str = "audios"
    segments_key: str = "segments"
    path_key: str = "path"
    id_key: str = "sid"
    begin_key: str = "begin_time"
    end_key: str = "end_time"
    text_key: str = "text"
    speaker_key: str = "speaker"
    subsets_key: str = "subsets"
    splits: tuple[str, ...] = ()
    media_root: str = "."
    on_cut: Literal["error", "keep"] = "error"


class SegmentedJson:
    """Reads segments as records; their positions count segments in the order of the file."""

    def __init__(self, options: SegmentedOptions) -> None:
        self._options = options

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Copies the segments as lines. Raises SourceError for a cut file, and for one without the list."""
        path, options = files.join(root, annotation), self._options
        copies, walk = Copies(annotation, scratch), _Walk(options)
        with files.open_read(path) as raw:
            stream = jsonfiles.Utf8Stream(raw)
            try:
                for segment in walk.segments(jsonfiles.events(stream)):
                    copies.add(segment)
            except (ijson.JSONError, ArithmeticError, ValueError) as error:
                copies.cut(path, str(error).strip().split("\n")[0], options.on_cut == "keep")
            stream.drain()
        if walk.waiting_too_long:
            raise SourceError(
                f"{path} names a recording's '{options.path_key}' after more than {MOST_WAITING} of its segments, "
                "which is not read; write the path before the segments."
            )
        if not copies.count and not walk.found:
            raise SourceError(
                f"{path} holds no list at '{options.audios_path}'; check the card's adapter options against the file."
            )
        return copies.split(stream.hash.hexdigest())

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record a segment."""
        for position, value in jsonfiles.read_lines(part):
            if isinstance(value, RecordError):
                yield Fault(position, value)
                continue
            native_id = utterance.id_text(value.get("id"))
            try:
                yield self._record(position, native_id, value)
            except RecordError as error:
                yield Fault(position, error, native_id)

    def _record(self, position: int, native_id: str | None, value: dict[str, Any]) -> Native:
        options = self._options
        if "broken" in value:
            raise RecordError("not_a_record", value["broken"])
        subsets = value.get("subsets")
        names = subsets if isinstance(subsets, list) else [subsets]
        have = [str(name).strip("{} ") for name in names if name is not None]
        utterance.refuse_others("other_subset", have, options.splits)
        # Subsets hold one another: of those a segment is in, the first that was asked for, or that is listed.
        split = next((name for name in (*options.splits, *have) if name in have), None)
        text = utterance.words(value.get("text"), options.text_key)
        start, end = utterance.segment(
            utterance.seconds(value.get("begin"), options.begin_key),
            utterance.seconds(value.get("end"), options.end_key),
        )
        name = utterance.place(value.get("path"), options.media_root)
        sound = Medium("audio", name, start=start, end=end)
        speaker = utterance.label(value.get("speaker")) or utterance.label(value.get("audio_speaker"))
        return transcript(position, native_id, text, sound, speaker, split=utterance.label(split))


class _Walk:
    """Follows the parser's events and puts together the fields of one segment at a time."""

    def __init__(self, options: SegmentedOptions) -> None:
        self._list = options.audios_path
        self._audio = f"{self._list}.item"
        self._segments = f"{self._audio}.{options.segments_key}"
        self._segment = f"{self._segments}.item"
        self._subset = f"{self._segment}.{options.subsets_key}.item"
        self._audio_fields = {
            f"{self._audio}.{options.path_key}": "path",
            f"{self._audio}.{options.speaker_key}": "audio_speaker",
        }
        names = ("id", "begin", "end", "text", "speaker", "subsets")
        self._fields = {f"{self._segment}.{getattr(options, f'{name}_key')}": name for name in names}
        self.found = False
        self.waiting_too_long = False

    def segments(self, events: Iterator[tuple[str, str, Any]]) -> Iterator[dict[str, Any]]:
        """Yields {path, id, begin, end, text, speaker, subsets} as far as they are there, or {broken: words}."""
        audio: dict[str, Any] = {}
        segment: dict[str, Any] = {}
        waiting: list[dict[str, Any]] = []
        listed = False  # whether the recording has a list of segments
        for prefix, event, value in events:
            if prefix in self._fields:
                if event in _SCALARS or event in _OPENING:
                    segment[self._fields[prefix]] = value if event in _SCALARS else []
            elif prefix == self._subset:
                if isinstance(subsets := segment.get("subsets"), list) and len(subsets) < MOST_SUBSETS:
                    subsets.append(value)
            elif prefix == self._segment:
                if event == "start_map":
                    segment = {}
                elif event == "end_map" and "path" not in audio:
                    waiting.append(segment)
                    if len(waiting) > MOST_WAITING:
                        self.waiting_too_long = True
                        return
                elif event == "end_map":
                    yield {**audio, **segment}
                elif event in _SCALARS or event == "start_array":
                    yield {"broken": "the segment is not an object."}
            elif prefix == self._segments:
                listed = listed or event == "start_array"
            elif prefix in self._audio_fields:
                if event in _SCALARS or event in _OPENING:
                    audio[self._audio_fields[prefix]] = value if event in _SCALARS else None
            elif prefix == self._audio:
                if event == "start_map":
                    audio, waiting, listed = {}, [], False
                elif event == "end_map":
                    yield from ({**audio, **each} for each in waiting)
                    if not listed:
                        yield {**audio, "broken": f"the recording has no list at '{self._segments}'."}
                elif event in _SCALARS or event == "start_array":
                    yield {"broken": "the recording is not an object."}
            elif prefix == self._list and event == "start_array":
                self.found = True
