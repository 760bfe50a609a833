"""The rejects: which rules refused how many records, why, and what a few of them look like."""

from __future__ import annotations

from typing import Any

from vita_data.report.examples import Example, find_examples
from vita_data.report.formats import count, counted, measured, shorten
from vita_data.report.markup import Html, join, tag
from vita_data.report.rules import reason_of
from vita_data.report.tables import facts
from vita_data.report.thumbnails import Album

EXAMPLES = 4
RULES = 40
PICTURES = 2
THUMBNAIL = 96
BUDGET = 400_000
WORDS = 240


def rejects_section(folder: str, sources: list[dict[str, Any]], roots: dict[str, str]) -> Html:
    """Every rule that refused something, most frequent first, with its reason and its first few rejects."""
    rejected = {source["source"]: source["rejected"] for source in sources}
    counts: dict[str, int] = {}
    for rules in rejected.values():
        for rule, number in rules.items():
            counts[rule] = counts.get(rule, 0) + number
    if not counts:
        return tag("section", tag("h2", "Rejects"), tag("p", "No record was rejected."), id="rejects")
    ordered = sorted(counts, key=lambda rule: (-counts[rule], rule))
    examples = find_examples(folder, rejected, EXAMPLES)
    album = Album(THUMBNAIL, BUDGET)
    blocks = (_rule(rule, rejected, examples.get(rule, []), album, roots) for rule in ordered[:RULES])
    broke = f"{counted(sum(counts.values()), 'record')} broke {counted(len(counts), 'rule')}. "
    listed = ["All are listed in the folder ", tag("code", "rejects")]
    intro = tag("p", broke, *listed, "; ", tag("code", "vita-data why KEY"), " tells the story of one.")
    more = counted(max(0, len(ordered) - RULES), "more rule")
    rest = tag("p", f"{more} with fewer rejects are not shown.") if len(ordered) > RULES else None
    return tag("section", tag("h2", "Rejects"), intro, *blocks, rest, id="rejects")


def _rule(
    rule: str,
    rejected: dict[str, dict[str, int]],
    examples: list[Example],
    album: Album,
    roots: dict[str, str],
) -> Html:
    reason = reason_of(rule)
    by_source = [(source, rules[rule]) for source, rules in rejected.items() if rules.get(rule)]
    total = sum(number for _, number in by_source)
    where = ", ".join(f"{count(number)} in {source}" for source, number in by_source)
    about = tag(
        "div",
        tag("h3", tag("b", count(total), class_="badge"), reason.title),
        tag("p", tag("code", rule)),
        tag("p", reason.why) if reason.why else None,
        tag("p", where, class_="muted"),
    )
    cards = (tag("li", _card(rule, example, album, roots)) for example in examples)
    return tag("section", about, tag("ul", *cards, class_="cards"), class_="rule")


def _card(rule: str, example: Example, album: Album, roots: dict[str, str]) -> Html:
    root = roots.get(example.source)
    # A picture that was there and is no file now was embedded in its annotation file, as in parquet.
    absent = None if rule.endswith("/media_missing") else "Embedded, or gone since"
    shown = [
        album.file(root, name, f"{name} of {example.source}", absent) for name in example.media[:PICTURES]
    ]
    if len(example.media) > PICTURES:
        shown.append(tag("small", f"and {count(len(example.media) - PICTURES)} more"))
    return tag(
        "article",
        tag("div", *shown, class_="pictures") if shown else None,
        tag(
            "div",
            tag("p", tag("bdi", shorten(example.message or "", WORDS))),
            facts(_facts(example)),
            class_="words",
        ),
        class_="card reject",
    )


def _facts(example: Example) -> list[tuple[str, Html]]:
    rows: list[tuple[str, Html]] = [("key", tag("code", example.key))]
    if example.annotation is not None:
        rows.append(("where", tag("code", f"{example.annotation}:{example.position}")))
    if example.native_id is not None:
        rows.append(("native id", tag("code", tag("bdi", shorten(example.native_id, WORDS)))))
    if example.threshold is not None:
        rows.append(("measured", join([_value(example.value or ""), " against ", _value(example.threshold)])))
    elif example.value is not None and example.value not in (example.message or ""):
        rows.append(("measured", _value(example.value)))
    return rows


def _value(words: str) -> Html:
    return tag("code", tag("bdi", shorten(measured(words), WORDS)))
