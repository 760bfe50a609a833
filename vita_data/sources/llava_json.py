"""LLaVA-style conversations: a JSON array or JSON Lines of records with turns and the names of their media.

Formats: https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md and the dialects of it
that corpora use (`turns` has them all); LLaMA-Factory's lists of images, videos and audios; VideoChat2's
clips; and VITA's own records, with `set`, `audio`, `inserted_id` and `end_tag`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from vita_data import files
from vita_data.errors import RecordError
from vita_data.sources import jsonfiles, split_names, turns
from vita_data.sources.base import Fault, Medium, MediumKind, Native, Slice, Split
from vita_data.sources.turns import PLACEHOLDERS, Dialect, Turns


@dataclass(frozen=True)
class LlavaOptions:
    """Options of `adapter: llava_json`; every one may be left out.

    `turns` is the dialect, `turns_key` where it lies when not under its own name, and `keys` other names for
    the dialect's own keys. `roles` adds native roles, each as human, gpt or system. `sets` are the folders
    behind `set`; `audio_root` is the folder of sounds, media_root where it is left out. `tokens` are a corpus'
    own words for <image>, <video> and <audio>; `prompts` ask for what `turns: text` tells.
    """

    turns: Dialect = "conversations"
    turns_key: str | None = None
    keys: dict[str, str] = field(default_factory=dict)
    roles: dict[str, Literal["human", "gpt", "system"]] = field(default_factory=dict)
    format: Literal["auto", "array", "jsonl"] = "auto"
    image_key: str = "image"
    video_key: str = "video"
    audio_key: str = "audio"
    id_key: str = "id"
    media_root: str = "."
    audio_root: str | None = None
    sets: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    prompts: tuple[str, ...] = ()
    on_cut: Literal["error", "keep"] = "error"
    merge_same_role: bool = False

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        return turns.wrong_keys(self.turns, self.keys) or turns.wrong_tokens(self.tokens)


class LlavaJson:
    """Reads LLaVA-style files."""

    def __init__(self, options: LlavaOptions) -> None:
        self._options = options

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Slices a file, by its extension or by the card's `format`."""
        path = files.join(root, annotation)
        form = self._options.format
        if form == "jsonl" or (form == "auto" and annotation.endswith((".jsonl", ".ndjson"))):
            return jsonfiles.split_lines(path, annotation)
        return jsonfiles.split_document(path, annotation, scratch, keep_cut=self._options.on_cut == "keep")

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record a line."""
        for position, value in jsonfiles.read_lines(part):
            yield self._record(position, part.annotation, value)

    def _record(self, position: int, annotation: str, value: Any) -> Native | Fault:
        if isinstance(value, RecordError):
            return Fault(position, value)
        native_id = None
        try:
            if not isinstance(value, dict):
                raise RecordError("not_a_record", f"the row is {json.dumps(value)[:60]}, not an object.")
            if value.get(self._options.id_key) is not None:
                native_id = json.dumps(value[self._options.id_key], sort_keys=True, ensure_ascii=False)
            said, media = self._said(value)
            if self._options.turns == "text":
                name = native_id or str(position)
                said = turns.captioned(said, media, self._options.prompts, annotation, name)
            media = turns.in_order(said, turns.with_clip(media, value.get("start"), value.get("end")))
            split = split_names.split_of(annotation, value.get("split"))
            return Native(position, native_id, said, media, inserted_id=_inserted(value), split=split)
        except RecordError as error:
            return Fault(position, error, native_id)
        except RecursionError:
            return Fault(position, RecordError("not_json", jsonfiles.TOO_DEEP))

    def _said(self, value: dict[str, Any]) -> tuple[Turns, list[Medium]]:
        """The turns with placeholders as they stand, and the media of the record."""
        options = self._options
        # VITA's trainer takes the closing token away from the last answer of such a record, so that the model
        # does not learn to stop where somebody was cut off. Records of ours always close their answers: kept,
        # this one would teach just that. It was read well, so the catalog counts it as refused by a rule.
        if value.get("end_tag") is False:
            raise RecordError("unfinished_answer", "the last answer is marked as one that was interrupted.")
        said = turns.native_turns(value, options.turns, options.turns_key or options.turns, options.keys)
        said = [{**turn, "from": _role(turn["from"], options.roles)} for turn in said]
        said, within = turns.with_parts(said, options.media_root)
        media = [medium for kind in PLACEHOLDERS for medium in self._media(value, kind, within)]
        said, media = turns.with_tokens(said, media, options.tokens)
        if options.turns == "QA":  # the only dialect whose texts never say where their media belong
            said = turns.with_placeholders(said, media)
        return (turns.merge_same_role(said) if options.merge_same_role else said), media

    def _media(self, value: dict[str, Any], kind: MediumKind, within: list[Medium]) -> list[Medium]:
        """The media of one kind that a record lists; where it lists none, those that parts of turns name."""
        names = self._names(value, kind)
        folders = self._folders(value, kind, len(names))
        listed = [turns.medium(kind, name, folder) for name, folder in zip(names, folders, strict=True)]
        named = [medium for medium in within if medium.kind == kind]
        if listed and named and listed != named:
            raise RecordError("not_a_record", f"the record and its turns name different {kind}s.")
        return listed or named

    def _names(self, value: dict[str, Any], kind: MediumKind) -> list[Any]:
        """What a record lists under the card's key, or else under `image` and `images` (video, audio alike)."""
        own = getattr(self._options, f"{kind}_key")
        usual = [value.get(key) for key in (kind, f"{kind}s")]
        if own not in (kind, f"{kind}s") and value.get(own):
            usual = [value[own]]
        named = [each if isinstance(each, list) else [each] for each in usual if not turns.nothing(each)]
        if len(named) > 1 and named[0] != named[1]:
            words = f"the record names different {kind}s under '{kind}' and '{kind}s'."
            raise RecordError("not_a_record", words, str(named)[:80])
        return named[0] if named else []

    def _folders(self, value: dict[str, Any], kind: MediumKind, count: int) -> list[str]:
        """The folder of each of a record's media: VITA keeps pictures and films in sets, sounds in one place."""
        options = self._options
        if kind == "audio" and options.audio_root is not None:
            return [options.audio_root] * count
        if kind == "audio" or not options.sets or not count or value.get("set") is None:
            return [options.media_root] * count
        sets = value["set"] if isinstance(value["set"], list) else [value["set"]]
        unknown = [name for name in sets if not isinstance(name, str) or name not in options.sets]
        if unknown or not sets or (len(sets) != count and len(set(sets)) > 1):
            words = f"set {str(value['set'])[:60]} is not among the card's sets, or not one for each of {count} files."
            raise RecordError("not_a_record", words, str(value["set"])[:80])
        folders = sets if len(sets) == count else sets[:1] * count
        return [turns.below(options.media_root, options.sets[name]) for name in folders]


def _role(role: Any, roles: Any) -> Any:
    return roles.get(role, role) if isinstance(role, str) else role


def _inserted(value: dict[str, Any]) -> int | None:
    """VITA's number of the answer to sound that was not meant for the model."""
    number = value.get("inserted_id")
    if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
        raise RecordError("not_a_record", "inserted_id is not the number of a turn.", str(number)[:80])
    return number
