"""The source sample-text: conversations without pictures, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vita_data.sample import curated_text
from vita_data.sample.chance import rng
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.native import Turn, dump, messages, write_lines
from vita_data.sample.text_en import SHORT, Maker
from vita_data.sample.text_long import LONG
from vita_data.sample.text_zh import CHINESE

NAME = "sample-text"
ANNOTATION = "chats.jsonl"
GROUPS: dict[str, tuple[tuple[Maker, ...], int]] = {
    "en": (SHORT, 340),
    "long": (LONG, 80),
    "zh": (CHINESE, 220),
}


def make(root: Path) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    root.mkdir(parents=True)
    entries: list[Entry] = []
    for group, (makers, count) in GROUPS.items():
        entries += _group(group, makers, count)
    curated = curated_text.planted(NAME, ANNOTATION, {entry.native_id: _turns(entry) for entry in entries})
    rng(NAME, "order").shuffle(entries)
    entries.insert(
        len(entries) // 2, Entry(b"", 0, None, Plant("blank_line", None, "ignored: it is no record"))
    )
    entries = spread(entries, _rejects(), rng(NAME, "spread"))
    entries = spread(entries, curated, rng(NAME, "curated"))
    write_lines(root / ANNOTATION, entries)
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def _group(group: str, makers: Sequence[Maker], count: int) -> list[Entry]:
    """`count` conversations by all makers in turn, none of which is there twice."""
    entries: list[Entry] = []
    seen: set[str] = set()
    attempt = 0
    while len(entries) < count:
        random = rng(NAME, group, str(attempt))
        turns = makers[attempt % len(makers)](random)
        attempt += 1
        if turns[0][0] not in seen:
            seen.add(turns[0][0])
            entries.append(_entry(f"{group}-{len(entries):04d}", turns))
    return entries


def _entry(name: str, turns: Sequence[Turn]) -> Entry:
    return Entry({"id": name, "messages": messages(turns)}, len(turns), name)


def _turns(entry: Entry) -> list[Turn]:
    said = [message["content"] for message in entry.record["messages"]]
    return list(zip(said[::2], said[1::2], strict=True))


def _rejects() -> list[Entry]:
    """Six lines that cannot be used."""
    question = "What is 2 + 2?"

    def chat(name: str, plant: Plant, *turns: tuple[str, str]) -> Entry:
        listed = [{"role": role, "content": content} for role, content in turns]
        return Entry({"id": name, "messages": listed}, 0, name, plant)

    latin = dump({"id": "latin", "messages": messages([("How do you write café?", "Café.")])}).encode(
        "latin-1"
    )
    cut = dump(_entry("cut", [(question, "4.")]).record)[:40].encode()
    return [
        Entry(latin, 0, None, Plant("latin_1_bytes", "not_utf8", "the line is written in Latin-1")),
        Entry(cut, 0, None, Plant("cut_line", "not_json", "the line ends in the middle of a value")),
        Entry(None, 0, None, Plant("null_row", "not_a_record", "the line is the word null")),
        chat(
            "stranger",
            Plant("unknown_role", "unknown_role", "a role that no format knows"),
            ("user", question),
            ("moderator", "4."),
        ),
        chat(
            "twice",
            Plant("two_human_turns", "roles_alternate", "two user turns in a row"),
            ("user", "Hello."),
            ("user", question),
            ("assistant", "4."),
        ),
        chat(
            "silent",
            Plant("empty_answer", "empty_answer", "the answer is a blank"),
            ("user", question),
            ("assistant", " "),
        ),
    ]
