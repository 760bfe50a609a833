"""The funnel: what became of every record that was read, source by source, and that it adds up."""

from __future__ import annotations

from typing import Any

from vita_data.report.formats import count, counted, percent, unit_of
from vita_data.report.left_out import left_out_table
from vita_data.report.markup import Html, tag
from vita_data.report.plots import Part, legend, stacked_bar
from vita_data.report.tables import Cell, table

HEADS = (
    "Source",
    "Read",
    "Rejected",
    "Kept",
    "Held out",
    "Between",
    "Available",
    "Drawn",
    "Not drawn",
    "Questions of those asked",
)
PARTS = (
    ("drawn", "drawn"),
    ("not drawn", "spare"),
    ("held out", "held"),
    ("between", "between"),
    ("rejected", "rejected"),
)


def funnel_section(sources: list[dict[str, Any]]) -> Html:
    """The funnel as a bar and a table row for each source, in records."""
    sums = _sum(sources)
    bars = (
        tag(
            "li",
            tag("span", source["source"], class_="name"),
            stacked_bar(source["source"], _parts(source)),
            tag("span", f"{count(source['read'])} read", class_="value"),
        )
        for source in sources
    )
    explained = (
        "Every record that was read is rejected, held out for evaluation, between (part of its media "
        "are held out, or it has sound that the stage does not read), or available; of what is available, the "
        "stage draws its share."
    )
    return tag(
        "section",
        tag("h2", "Funnel"),
        tag("p", explained),
        tag(
            "figure",
            legend([Part(name, kind, 0) for name, kind in PARTS]),
            tag("ul", *bars, class_="bars"),
            tag("figcaption", "Where the records of each source went; a whole bar is all that was read."),
        ),
        table("Records by source", HEADS, map(_row, sources), _row(sums)),
        _check(sources),
        left_out_table(sources),
        id="funnel",
    )


def not_drawn(source: dict[str, Any]) -> int:
    """Samples that could have been drawn and were not."""
    return int(source["available_samples"] - source["written"]["samples"])


def _parts(source: dict[str, Any]) -> list[Part]:
    values = (
        source["written"]["samples"],
        not_drawn(source),
        source["held_out"],
        source["between"],
        sum(source["rejected"].values()),
    )
    return [Part(name, kind, value) for (name, kind), value in zip(PARTS, values, strict=True)]


def _row(source: dict[str, Any]) -> list[Cell]:
    plain = [source[name] for name in ("kept", "held_out", "between", "available_samples")]
    drawn = [source["written"]["samples"], not_drawn(source)]
    asked = f"{count(source['written'][source['unit']])} of {count(source['asked'])}"
    start = [source["source"], source["read"], _rejected(source["rejected"])]
    return [*start, *plain, *drawn, tag("span", asked, class_="number")]


def _rejected(rules: dict[str, int]) -> Html:
    """How many were rejected, unfolding to which step and rule did it."""
    number = count(sum(rules.values()))
    if not rules:
        return tag("span", number, class_="number")
    ordered = sorted(rules.items(), key=lambda item: (-item[1], item[0]))
    items = (tag("li", tag("b", count(many)), " ", tag("code", name)) for name, many in ordered)
    return tag("details", tag("summary", number), tag("ul", *items))


def _sum(sources: list[dict[str, Any]]) -> dict[str, Any]:
    rejected: dict[str, int] = {}
    for source in sources:
        for rule, number in source["rejected"].items():
            rejected[rule] = rejected.get(rule, 0) + number
    plain = ("read", "kept", "held_out", "between", "available_samples")
    unit = unit_of(sources)
    return {
        "source": "All sources",
        "unit": unit,
        "rejected": rejected,
        "written": {
            name: sum(
                source["written"].get(name, 0)
                for source in sources
                if name == "samples" or source["unit"] != "clips"
            )
            for name in ("samples", "questions", "hours")
        },
        **{name: sum(source[name] for source in sources) for name in plain},
        "asked": sum(source["asked"] for source in sources if source["unit"] == unit),
    }


def missing(source: dict[str, Any]) -> int:
    """Records of a source that its funnel does not account for; 0 when it adds up."""
    kept = source["read"] - sum(source["rejected"].values())
    beyond = source["held_out"] + source["between"] + source["available_samples"]
    return int(abs(kept - source["kept"]) + abs(source["kept"] - beyond))


def _check(sources: list[dict[str, Any]]) -> Html:
    wrong = [f"{source['source']} by {count(missing(source))}" for source in sources if missing(source)]
    if wrong:
        words = f"The funnel does not add up for {', '.join(wrong)}; run vita-data prove on this folder."
        return tag("p", words, class_="alarm", role="alert")
    kept, read = (sum(source[name] for source in sources) for name in ("kept", "read"))
    return tag(
        "p",
        f"Adds up: read = rejected + held out + between + available for {counted(len(sources), 'source')}; "
        f"{percent(kept, read)} of what was read was kept.",
        class_="note",
    )
