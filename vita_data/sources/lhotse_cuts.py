"""lhotse's manifests: cuts with their supervisions, and supervisions beside recordings.

Format: https://lhotse.readthedocs.io/en/latest/cuts.html. One supervision is one record: its text belongs to
its own seconds of the recording, wherever the cut around it begins. Sources that are commands are never run.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources import jsonvalues, utterance
from vita_data.sources.base import Medium, Native, Split, transcript
from vita_data.sources.copies import Copies
from vita_data.sources.lookup import Lookup

Place = Callable[[Any], str]
_SUPERVISION = ("id", "recording_id", "start", "duration", "channel", "text", "speaker", "language")
_RECORDING = ("id", "sources", "duration", "channel_ids", "transforms")
# Seconds by which a supervision may miss the end of its recording and still be all of it.
_WHOLE = 0.001


def split(root: str, annotation: str, scratch: str, recordings: str | None, keep_cut: bool) -> Split:
    """Copies every supervision with its recording as a line; the recordings' own file is joined where there is one."""
    path = files.join(root, annotation)
    copies = Copies(annotation, scratch)
    with Lookup() as table:
        beside = _recordings_beside(path, recordings)
        if beside is not None:
            table.fill(_recordings(beside))
        try:
            for value in jsonvalues.values(path):
                for row in _supervisions(value, table if beside else None):
                    copies.put(row)
        except jsonvalues.CutError as error:
            copies.cut(path, str(error), keep_cut)
    return copies.split(jsonvalues.digest(path))


def _recordings_beside(path: str, named: str | None) -> str | None:
    """The file of recordings that belongs to one of supervisions; None for cuts, which hold their own."""
    folder, _, file = path.rpartition("/")
    if named is None and "supervisions" not in file:
        return None
    beside = files.join(folder, named or file.replace("supervisions", "recordings"))
    if not files.exists(beside):
        raise SourceError(
            f"{beside} is not there, so the supervisions of {path} have no recordings; "
            "fetch it, or name it in the card's option `recordings`."
        )
    return beside


def _recordings(path: str) -> Iterator[tuple[str, str]]:
    try:
        for value in jsonvalues.values(path):
            if isinstance(value, dict) and isinstance(value.get("id"), str):
                with contextlib.suppress(RecursionError):  # then its supervisions have none
                    kept = {name: value.get(name) for name in _RECORDING}
                    yield value["id"], json.dumps(kept, sort_keys=True, default=float)
    except jsonvalues.CutError as error:
        raise SourceError(f"{path} is cut or damaged ({error}); fetch it again.") from error


def _supervisions(value: Any, table: Lookup | None) -> Iterator[dict[str, Any] | RecordError]:
    """The records of a cut or of a supervision: {id, recording, cut_start, supervision}, or {id, broken}."""
    if isinstance(value, RecordError) or not isinstance(value, dict):
        yield (
            value
            if isinstance(value, RecordError)
            else RecordError("not_a_record", "the row is not an object.")
        )
        return
    name = value.get("id")
    if table is not None:
        yield _joined(value, table)
        return
    kind, found = value.get("type", "MonoCut"), value.get("supervisions")
    if kind not in ("MonoCut", "MultiCut", "Cut"):
        yield {"id": name, "broken": f"it is a {kind}, which has no recording of its own."}
    elif not isinstance(found, list) or not found:
        yield {"id": name, "broken": "the cut has no supervision, so nobody knows what is said."}
    else:
        for each in found:
            yield {
                "id": each.get("id", name) if isinstance(each, dict) else name,
                "recording": _some(value.get("recording"), _RECORDING),
                "cut_start": value.get("start", 0),
                "supervision": _some(each, _SUPERVISION),
            }


def _joined(value: dict[str, Any], table: Lookup) -> dict[str, Any]:
    recording = value.get("recording_id")
    try:
        found = table.get(recording, "the file of recordings") if isinstance(recording, str) else None
    except RecordError as error:
        return {"id": value.get("id"), "broken": str(error)}
    if found is None:
        return {"id": value.get("id"), "broken": "its recording is not among the recordings."}
    return {
        "id": value.get("id"),
        "recording": json.loads(found),
        "cut_start": 0,
        "supervision": _some(value, _SUPERVISION),
    }


def _some(value: Any, names: tuple[str, ...]) -> dict[str, Any] | None:
    return {name: value[name] for name in names if name in value} if isinstance(value, dict) else None


def record(
    position: int, native_id: str | None, value: dict[str, Any], place: Place, split: str | None = None
) -> Native:
    """The record of a line that `split` wrote, from the publisher's `split`; raises RecordError for what it lacks."""
    if "broken" in value:
        raise RecordError("not_a_record", str(value["broken"]))
    supervision, recording = value.get("supervision"), value.get("recording")
    if not isinstance(supervision, dict) or not isinstance(recording, dict):
        raise RecordError("not_a_record", "it lacks its recording or its supervision.")
    begin = utterance.seconds(value.get("cut_start"), "start") + utterance.seconds(
        supervision.get("start"), "start"
    )
    duration = utterance.seconds(supervision.get("duration"), "duration")
    start, end = utterance.segment(max(begin, 0.0) if begin > -_WHOLE else begin, begin + duration)
    name = place(_file(recording))
    whole = recording.get("duration")
    if start == 0 and isinstance(whole, int | float) and end >= whole - _WHOLE:
        sound = Medium("audio", name)
    else:
        sound = Medium("audio", name, start=start, end=end)
    text = utterance.words(supervision.get("text"), "text")
    speaker, language = (
        utterance.label(supervision.get("speaker")),
        utterance.language(supervision.get("language")),
    )
    return transcript(position, native_id, text, sound, speaker, language, split)


def _file(recording: dict[str, Any]) -> Any:
    """The one file of a recording with one channel, as it was recorded."""
    sources = recording.get("sources")
    if not isinstance(sources, list) or not sources or not all(isinstance(each, dict) for each in sources):
        raise RecordError("not_a_record", "its recording names no source.")
    source = sources[0]
    if source.get("type") == "command":
        raise RecordError(
            "pipe_command", "its recording is a command; commands are never run.", str(source)[:200]
        )
    if source.get("type") != "file":
        raise RecordError(
            "not_a_record", f"its recording is a {source.get('type')} and no file.", str(source)[:80]
        )
    channels = source.get("channels")
    if len(sources) > 1 or (isinstance(channels, list) and len(channels) > 1):
        raise RecordError("one_channel", "it means one channel of a recording that has several.")
    if recording.get("transforms"):
        raise RecordError("not_a_record", "its recording is meant to be changed before it is heard.")
    return source.get("source")
