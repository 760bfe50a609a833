"""The mixture: what was asked of every source against what was written, and what the model sees of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from vita_data.report.formats import count, listed, percent, share
from vita_data.report.markup import Html, tag
from vita_data.report.measured import Written
from vita_data.report.plots import Part, legend, measured_bar, share_bar, stacked_bar
from vita_data.report.rules import reason_of
from vita_data.report.tables import Cell, numbers, table

HEADS = ("Source", "Row of Table 1", "Share", "Available", "Asked", "Written", "Over")
NOTE = (
    "Available leaves out what is held out. "
    "The last sample may carry a source over by less than its own questions."
)
LANGUAGES = {"en": "English", "zh": "Chinese", "en-zh": "English and Chinese", "": "not said"}
SERIES = ("first", "second", "third", "fourth", "fifth")  # classes of the style sheet


def mixture_section(sources: list[dict[str, Any]], languages: dict[str, Written]) -> Html:
    """Asked against written, the shares of every source, and the mixture by language, scenario and type."""
    return tag(
        "section",
        tag("h2", "Mixture"),
        tag("h3", "Asked and written"),
        _asked(sources),
        table("Asked and written by source", HEADS, map(_row, sources), words=2),
        tag("p", NOTE, class_="note"),
        *_spoken(sources),
        tag("h3", "Who gives what"),
        _shares(sources),
        tag("h3", "What kind it is"),
        _splits(sources, languages),
        id="mixture",
    )


def amount(source: dict[str, Any]) -> float:
    """What was written of a source, in the unit that it was asked in."""
    written: float = source["written"].get(source["unit"], source["written"]["questions"])
    return written


def tokens(source: dict[str, Any]) -> int:
    """Tokens of all kinds that were written of a source."""
    return sum(source["written"][name] for name in ("text_tokens", "visual_tokens", "audio_tokens"))


def _asked(sources: list[dict[str, Any]]) -> Html:
    most = max((max(source["asked"], amount(source)) for source in sources), default=0) or 1
    units = sorted({source["unit"] for source in sources})
    bars = (
        tag(
            "li",
            tag("span", source["source"], class_="name"),
            measured_bar(source["source"], amount(source), source["asked"], most),
            tag("span", f"{count(amount(source))} of {count(source['asked'])}", class_="value"),
        )
        for source in sources
    )
    return tag(
        "figure",
        legend([Part("written", "drawn", 0), Part("asked for", "track", 0)]),
        tag("ul", *bars, class_="bars"),
        tag("figcaption", f"{listed(units).capitalize()} of each source, on one scale."),
    )


def _row(source: dict[str, Any]) -> list[Cell]:
    row = source["row"]
    place = tag("div", row["name"], " ", tag("small", f"{row['scenario']}, {row['type']}"), class_="place")
    if source["asked"] == 0:
        over: Cell = tag("span", "not in this stage", class_="number")
    elif source["short"]:
        over = tag("span", f"short by {count(source['asked'] - amount(source))}", class_="number bad")
    else:
        over = amount(source) - source["asked"]
    part = tag("span", share(source["share"]), class_="number")
    return [source["source"], place, part, source["available"], source["asked"], amount(source), over]


def _spoken(sources: list[dict[str, Any]]) -> Iterator[Html]:
    """How many questions of each source are spoken, and why others before them in the order stayed written."""
    rows = [
        [source["source"], source["written"]["questions"], source["written"]["spoken"], _reasons(source)]
        for source in sources
        if source["written"].get("spoken") or source.get("unspoken")
    ]
    if rows:
        yield tag("h3", "Spoken questions")
        heads = ("Source", "Questions", "Spoken", "Passed over")
        yield table("Spoken questions by source", heads, rows, words=1)


def _reasons(source: dict[str, Any]) -> Html:
    said = [f"{count(number)} {reason_of(rule).title.lower()}" for rule, number in source["unspoken"].items()]
    return tag("span", ", ".join(said) or "none", class_="number")


def _shares(sources: list[dict[str, Any]]) -> Html:
    columns: list[Callable[[dict[str, Any]], int]] = [
        lambda source: int(source["written"]["questions"]),
        lambda source: int(source["written"]["samples"]),
        tokens,
    ]
    totals = [sum(map(column, sources)) for column in columns]
    most = [max(map(column, sources), default=0) for column in columns]

    def cells(source: dict[str, Any]) -> list[Cell]:
        values = [column(source) for column in columns]
        return [source["source"], *(_share(*each) for each in zip(values, totals, most, strict=True))]

    heads = ("Source", "Questions", "Samples", "Tokens")
    return table("Share of questions, samples and tokens by source", heads, map(cells, sources), words=4)


def _share(value: int, total: int, most: int) -> Html:
    words = tag("span", percent(value, total), title=count(value))
    return tag("span", words, share_bar(value, most), class_="share")


def _splits(sources: list[dict[str, Any]], languages: dict[str, Written]) -> Html:
    spoken = [(LANGUAGES.get(name, name), language) for name, language in sorted(languages.items())]
    kinds = [
        (kind, sum(source["written"][f"{kind}_tokens"] for source in sources))
        for kind in ("text", "visual", "audio")
    ]
    plots = [
        _split("Questions by language", [(name, language.questions) for name, language in spoken]),
        _split("Tokens by language", [(name, language.tokens) for name, language in spoken]),
        _split("Questions by scenario", _by_row(sources, "scenario")),
        _split("Questions by type", _by_row(sources, "type")),
        _split("Tokens by kind", kinds),
    ]
    return tag("div", *plots, class_="plots")


def _by_row(sources: list[dict[str, Any]], name: str) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for source in sources:
        kind = source["row"][name]
        sums[kind] = sums.get(kind, 0) + source["written"]["questions"]
    return list(sums.items())


def _split(title: str, values: Iterable[tuple[str, int]]) -> Html:
    ordered = sorted(((name, value) for name, value in values if value), key=lambda item: (-item[1], item[0]))
    total = sum(value for _, value in ordered)
    parts = [Part(name, SERIES[min(n, len(SERIES) - 1)], value) for n, (name, value) in enumerate(ordered)]
    named = [part._replace(name=f"{part.name} {percent(part.value, total)}") for part in parts]
    shares = [tag("span", percent(part.value, total), class_="number") for part in parts]
    rows = [(part.name, int(part.value), its) for part, its in zip(parts, shares, strict=True)]
    heads = (title.rpartition(" ")[2].capitalize(), title.partition(" ")[0], "Share")
    return tag(
        "figure",
        tag("figcaption", title),
        stacked_bar(title, parts),
        legend(named),
        numbers("Numbers", heads, rows),
    )
