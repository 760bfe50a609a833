"""`ATTRIBUTION.md`: every source that a stage was drawn from, with its licence, where it is from and how to name it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from vita_data import files

NAME = "ATTRIBUTION.md"
HEADS = ("source", "licence", "commercial use", "samples", "questions", "hours", "held out")
# What Markdown reads as more than a character, and lines that begin like a list or a heading.
_MARKUP = re.compile(r"([\\`*_\[\]<>|#~])")
_SENTENCE = re.compile(r"[.;](\s|$)")


def write_attribution(folder: str, facts: dict[str, Any]) -> str:
    """Writes `<folder>/ATTRIBUTION.md` from what stage.json says; returns its path. Equal facts give equal bytes."""
    path = files.join(folder, NAME)
    files.write_bytes(path, attribution(facts).encode())
    return path


def attribution(facts: dict[str, Any]) -> str:
    """The page as text: a table, then a section for each source, those left out for their licence last."""
    lines = [line for line in facts["sources"] if line["asked"]]
    blocks = [
        f"# Attribution of stage {facts['stage']}, mixture {_plain(facts['mixture'])}",
        f"Plan {facts['digest']}. The samples below are the work of others, who are to be named as their licences "
        "ask. Licences are given as each source's card states them, whether they allow commercial use as its author "
        "read them.",
        _table([_row(line, facts["ledger"]["sources"][line["source"]]) for line in lines]),
        *(_section(line, facts["ledger"]["sources"][line["source"]]) for line in lines),
    ]
    if facts["ledger"]["licence"] is not None:
        blocks += _left_out(facts["ledger"])
    return "\n\n".join(blocks) + "\n"


def _table(rows: list[list[str]]) -> str:
    if not rows:
        return "No source was drawn from."
    body = [list(HEADS), ["---"] * 3 + ["---:"] * (len(HEADS) - 3), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in body)


def _row(line: dict[str, Any], card: dict[str, Any]) -> list[str]:
    written = line["written"]
    numbers = [f"{written[name]:,}" for name in ("samples", "questions")]
    hours = f"{written['hours']:,.2f}" if written["hours"] else "0"
    held = f"{line['held_out']:,}"
    return [line["source"], _plain(card["licence"]), card["commercial"], *numbers, hours, held]


def _section(line: dict[str, Any], card: dict[str, Any]) -> str:
    return f"## {_plain(card['title'])}\n\n" + "\n".join(
        f"- {name}: {words}" for name, words in _facts(line["source"], card)
    )


def _facts(source: str, card: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "source", source
    yield "licence", _plain(card["licence"])
    if card["media_licence"]:
        yield "media", _plain(card["media_licence"])
    yield "commercial use", card["commercial"]
    yield "from", f"<{card['url']}>" if _is_link(card["url"]) else _plain(origin(card))
    yield "revision", _plain(card["revision"] or "not stated")
    yield "to be named as", _plain(card["cite"] or "its card does not say; see where it is from")


def origin(card: dict[str, Any]) -> str:
    """Where a source is from: its page, or else the first sentence of how to get it."""
    words = card["url"] or " ".join(card["get"].split())
    return words if card["url"] else words[: end.start()] if (end := _SENTENCE.search(words)) else words


def _is_link(url: str | None) -> bool:
    return url is not None and re.fullmatch(r"https?://[^\s<>]+", url) is not None


def _left_out(ledger: dict[str, Any]) -> Iterator[str]:
    yield "## Left out"
    yield f"`--licence {ledger['licence']}` took the sources whose cards say `commercial: allowed`, and left out:"
    rows = [
        f"- {name}: {card['commercial']} ({_plain(card['licence'])})"
        for name, card in ledger["left_out"].items()
    ]
    yield "\n".join(rows or ["- none"])


def _plain(words: str) -> str:
    """Words of a card on one line, of which Markdown makes nothing else."""
    return _MARKUP.sub(r"\\\1", " ".join(words.split()))
