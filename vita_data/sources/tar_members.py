"""Tars whose members belong together by name: WebDataset, img2dataset, WeNet's shards, Emilia.

Formats: https://github.com/webdataset/webdataset (neighbours with one key are a sample),
https://github.com/rom1504/img2dataset (key.jpg, key.txt, key.json), wenet's tools/make_shard_list.py (key.txt,
key.wav) and huggingface.co/datasets/amphion/Emilia-Dataset (key.mp3, key.json). Media are embedded in the record;
a plain tar is read by byte ranges, a compressed one from start to end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from vita_data.errors import RecordError
from vita_data.records.key import keyed_hash
from vita_data.sources import jsonfiles, split_names, tar_groups, textlines, utterance
from vita_data.sources.base import Fault, Medium, MediumKind, Native, Slice, Split, no_prompts, transcript
from vita_data.sources.tar_groups import Group

KINDS: dict[str, MediumKind] = {
    **dict.fromkeys(("wav", "flac", "mp3", "m4a", "ogg", "opus", "wma", "aac"), "audio"),
    **dict.fromkeys(("jpg", "jpeg", "png", "webp", "gif", "bmp"), "image"),
    **dict.fromkeys(("mp4", "webm", "mkv", "avi", "mov"), "video"),
}
PROMPTS = ("Describe what you see.", "What does this show?", "Say in words what is to be seen here.")


@dataclass(frozen=True)
class TarOptions:
    """Options of `adapter: tar_members`.

    The text is the member of extension `text`, or stands under `text_key` in the one of extension `json`;
    the other keys belong to that as well, with `turns_key` for whole conversations. `key_ends_at` says which
    dot of a file name ends what its sample has in common.
    """

    text: str = "txt"
    json: str = "json"
    text_key: str | None = None
    turns_key: str | None = None
    id_key: str | None = None
    speaker_key: str | None = None
    language_key: str | None = None
    key_ends_at: Literal["first_dot", "last_dot"] = "last_dot"
    prompts: tuple[str, ...] = PROMPTS
    on_cut: Literal["error", "keep"] = "error"

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        return no_prompts(self.prompts)


class TarMembers:
    """Reads neighbouring members of one name as a record."""

    def __init__(self, options: TarOptions) -> None:
        self._options = options
        self._wanted = frozenset([*KINDS, options.text, options.json])

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Lists the members once, in slices of whole groups; raises SourceError for what is no tar or a cut one."""
        options = self._options
        keep, first_dot = options.on_cut == "keep", options.key_ends_at == "first_dot"
        return tar_groups.split(root, annotation, scratch, self._wanted, first_dot, keep)

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record a group."""
        groups = tar_groups.read(root, part, self._wanted, self._options.key_ends_at == "first_dot")
        for position, group in groups:
            if isinstance(group, RecordError):
                yield Fault(position, group)
                continue
            native_id = utterance.id_text(group.key)
            try:
                facts = self._facts(group)
                if self._options.id_key and facts.get(self._options.id_key) is not None:
                    native_id = utterance.id_text(facts[self._options.id_key])
                yield self._record(position, native_id, part.annotation, group, facts)
            except RecordError as error:
                yield Fault(position, error, native_id)
            except RecursionError:
                yield Fault(position, RecordError("not_json", jsonfiles.TOO_DEEP), native_id)

    def _facts(self, group: Group) -> dict[str, Any]:
        """The member of JSON as an object; empty where the group has none."""
        if self._options.json not in group.data:
            return {}
        value = jsonfiles.parse_line(group.data[self._options.json])
        if isinstance(value, RecordError):
            raise value
        if not isinstance(value, dict):
            raise RecordError("not_a_record", f"the member .{self._options.json} is not an object.")
        return value

    def _record(
        self, position: int, native_id: str | None, annotation: str, group: Group, facts: dict[str, Any]
    ) -> Native:
        options = self._options
        media = [
            Medium(KINDS[extension], group.names[extension], data)
            for extension, data in group.data.items()
            if extension in KINDS
        ]
        if group.refused is not None:
            raise group.refused
        speaker = utterance.label(facts.get(options.speaker_key)) if options.speaker_key else None
        language = utterance.language(facts.get(options.language_key)) if options.language_key else None
        split = split_names.split_of(annotation, facts.get("split"))
        if options.turns_key is not None:
            said = _turns(facts.get(options.turns_key))
            return Native(position, native_id, said, media, speaker, language, split=split)
        if len(media) != 1:
            raise RecordError(
                "not_a_record", f"the members of this name hold {len(media)} media and not one."
            )
        text = self._text(group, facts)
        if media[0].kind == "audio":
            return transcript(position, native_id, text, media[0], speaker, language, split)
        choice = keyed_hash(0, "tar-prompt", annotation, str(native_id)) % len(options.prompts)
        question = {"from": "human", "value": f"<{media[0].kind}>\n{options.prompts[choice]}"}
        said = [question, {"from": "gpt", "value": text}]
        return Native(position, native_id, said, media, speaker, language, split=split)

    def _text(self, group: Group, facts: dict[str, Any]) -> str:
        options = self._options
        if options.text_key is not None:
            return utterance.words(facts.get(options.text_key), options.text_key)
        if options.text not in group.data:
            raise RecordError("not_a_record", f"the members of this name hold no .{options.text}.")
        text = textlines.decoded(group.data[options.text])
        if isinstance(text, RecordError):
            raise text
        return text


def _turns(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(turn, dict) for turn in value):
        raise RecordError("not_a_record", "the member of JSON has no list of turns.")
    return [
        {"from": turn.get("from", turn.get("role")), "value": turn.get("value", turn.get("content"))}
        for turn in value
    ]
