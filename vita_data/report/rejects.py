"""The rejects: which rules refused how many records, why, and what a few of them look and sound like."""

from __future__ import annotations

from typing import Any

from vita_data.report.catalogued import Catalogued, find_samples
from vita_data.report.clips import Tape
from vita_data.report.examples import Example, find_examples
from vita_data.report.exhibits import Exhibits
from vita_data.report.formats import count, counted, measured, shorten
from vita_data.report.markup import Html, join, tag
from vita_data.report.rules import reason_of
from vita_data.report.tables import facts
from vita_data.report.thumbnails import Album
from vita_data.report.traces import Traces

EXAMPLES = 4
RULES = 40
PICTURES = 2
THUMBNAIL = 96
PICTURE_BUDGET = 500_000
CLIP_BUDGET = 1_000_000
WORDS = 240
SAID = 160
# Steps whose rejects are shown beside what they left for, and where.
ELSEWHERE = {"duplicates": ("Duplicates", "#duplicates"), "decontamination": ("Decontamination", "#leaks")}


def rejects_section(folder: str, sources: list[dict[str, Any]], traces: Traces) -> Html:
    """Every rule that refused something, most frequent first, with its reason and a few of its rejects."""
    rejected = {source["source"]: source["rejected"] for source in sources}
    counts: dict[str, int] = {}
    for rules in rejected.values():
        for rule, number in rules.items():
            counts[rule] = counts.get(rule, 0) + number
    if not counts:
        return tag("section", tag("h2", "Rejects"), tag("p", "No record was rejected."), id="rejects")
    ordered = sorted(counts, key=lambda rule: (-counts[rule], rule))
    examples = find_examples(folder, _with_examples(rejected), EXAMPLES)
    shown = [example for rule in ordered[:RULES] for example in examples.get(rule, [])]
    samples = find_samples(traces, (example.key for example in shown))
    exhibits = Exhibits(traces, Album(THUMBNAIL, PICTURE_BUDGET), Tape(CLIP_BUDGET))
    blocks = (_rule(rule, rejected, examples.get(rule, []), samples, exhibits) for rule in ordered[:RULES])
    broke = f"{counted(sum(counts.values()), 'record')} broke {counted(len(counts), 'rule')}. "
    listed = ["All are listed in the folder ", tag("code", "rejects")]
    intro = tag("p", broke, *listed, "; ", tag("code", "vita-data why KEY"), " tells the story of one.")
    more = counted(max(0, len(ordered) - RULES), "more rule")
    rest = tag("p", f"{more} with fewer rejects are not shown.") if len(ordered) > RULES else None
    return tag("section", tag("h2", "Rejects"), intro, *blocks, rest, id="rejects")


def _with_examples(rejected: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The counts of rules whose rejects no other section shows."""
    return {
        source: {rule: number for rule, number in rules.items() if rule.partition("/")[0] not in ELSEWHERE}
        for source, rules in rejected.items()
    }


def _rule(
    rule: str,
    rejected: dict[str, dict[str, int]],
    examples: list[Example],
    samples: dict[str, Catalogued],
    exhibits: Exhibits,
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
    if rule.partition("/")[0] in ELSEWHERE:
        name, place = ELSEWHERE[rule.partition("/")[0]]
        shown = tag("p", "Shown side by side under ", tag("a", name, href=place), ".", class_="muted")
    else:
        cards = (tag("li", _card(rule, one, samples.get(one.key), exhibits)) for one in examples)
        shown = tag("ul", *cards, class_="cards")
    return tag("section", about, shown, class_="rule")


def _card(rule: str, example: Example, sample: Catalogued | None, exhibits: Exhibits) -> Html:
    """A reject with its media: as its catalog holds them where it was catalogued, else by their names."""
    # A picture that was there and is no file now was embedded in its annotation file, as in parquet.
    absent = None if rule.endswith("/media_missing") else "Embedded, or gone since"
    said = None
    if sample is not None:
        shown = exhibits.of_sample(sample, PICTURES)
        said = tag("p", shorten(sample.words, SAID), class_="quote", dir="auto", lang=sample.lang)
    else:
        shown = exhibits.of_names(example.source, example.media, PICTURES, absent)
    words = tag("p", tag("bdi", shorten(example.message or "", WORDS)))
    return tag(
        "article",
        shown,
        tag("div", words, said, facts(_facts(example)), class_="words"),
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
