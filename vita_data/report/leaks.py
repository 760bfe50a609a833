"""Decontamination: what was found of each benchmark, what of it removed a sample, and the evidence side by side."""

from __future__ import annotations

from typing import Any

from vita_data.report.catalogued import Catalogued, find_samples
from vita_data.report.clips import Tape
from vita_data.report.differences import side_by_side
from vita_data.report.exhibits import Exhibits
from vita_data.report.findings import Findings, Line, findings_of
from vita_data.report.formats import counted, listed, shorten
from vita_data.report.markup import Html, tag
from vita_data.report.tables import Cell, table
from vita_data.report.thumbnails import Album
from vita_data.report.traces import Traces
from vita_data.verdicts.found import measured_words

EXAMPLES = 1  # of each kind that removes, and of each that is only reported, in each benchmark
MOST = 36
PICTURES = 2
THUMBNAIL = 128
PICTURE_BUDGET = 350_000
CLIP_BUDGET = 250_000
WORDS = 300

HEADS = ("Benchmark", "What was found", "Found", "Leave", "Reported")
HOW = {
    "itself": "its own",
    "content": "same medium",
    "picture_and_question": "picture + question",
    "recording": "recording",
    "picture": "picture",
    "question": "question",
}
NONE = (
    "No benchmark was looked for: the build was made without --against. Give it the folder that holds the benchmarks, "
    "and what is found of them is listed here."
)
NOTE = (
    "A sample is counted once with each benchmark, in the way that says most, and also where it leaves by a rule or as "
    "a duplicate anyway."
)


def leaks_section(traces: Traces, sought: dict[str, Any] | None) -> Html:
    """What was found of the benchmarks that were `sought` as stage.json says, or that none was looked for."""
    title = tag("h2", "Decontamination")
    if sought is None:
        return tag("section", title, tag("p", NONE), id="leaks")
    benchmarks = sought["names"]
    found = findings_of(traces, EXAMPLES)
    clean = [name for name in benchmarks if name not in {line.benchmark for line in found.lines}]
    examples = found.examples[:MOST]
    samples = find_samples(traces, (row["key"] for row in examples))
    exhibits = Exhibits(traces, Album(THUMBNAIL, PICTURE_BUDGET), Tape(CLIP_BUDGET))
    cards = (tag("li", _card(row, samples.get(row["key"]), exhibits)) for row in examples)
    return tag(
        "section",
        title,
        tag("p", _sentence(found, benchmarks)),
        table("What was found of benchmarks", HEADS, map(_row, found.lines), words=2)
        if found.lines
        else None,
        tag("p", NOTE, class_="note") if found.lines else None,
        tag("p", f"Nothing was found of {listed(clean)}.", class_="note") if clean and found.lines else None,
        tag("h3", "Evidence") if examples else None,
        tag("ul", *cards, class_="clusters") if examples else None,
        id="leaks",
    )


def _sentence(found: Findings, benchmarks: list[str]) -> str:
    looked = f"Every sample was looked through for {counted(len(benchmarks), 'benchmark')}"
    if not found.lines:
        return f"{looked}, and nothing was found of {listed(benchmarks)}."
    number = sum(line.removing + line.reported for line in found.lines)
    return (
        f"{looked}: {counted(number, 'finding')}. A sample leaves when it is the benchmark's own, for the same medium, "
        "for a recording, for a picture with its question, for a picture alone where the benchmark's card says so, and "
        "for a question alone in pure text where it is long; all else is only reported."
    )


def _row(line: Line) -> list[Cell]:
    what = HOW.get(line.how, line.how)
    return [line.benchmark, what, line.removing + line.reported, line.removing, line.reported]


def _card(row: dict[str, Any], sample: Catalogued | None, exhibits: Exhibits) -> Html:
    """A finding: what of the sample and what of the benchmark look alike, and whether the sample leaves for it."""
    said = sample.words if sample else row["ours"] or ""
    words: tuple[str, str] = shorten(said, WORDS), row["question"] or "A whole split, or an id of it."
    if row["score"] is not None:  # what is said was compared
        words = side_by_side(row["ours"] or "", row["question"] or "", signs=False)
    place = tag("small", tag("bdi", sample.where)) if sample else None
    shown = exhibits.of_sample(sample, PICTURES, row["at"] or 0.0) if sample else None
    fate, kind = ("leaves", "chip gone") if row["removes"] else ("reported", "chip")
    return tag(
        "article",
        tag(
            "p",
            tag("span", fate, class_=kind),
            " ",
            tag("b", row["benchmark"]),
            f": {_how(row)}",
            class_="sizes near",
        ),
        tag(
            "div",
            _side("ours", row["key"], place, shown, words[0]),
            _side("theirs", row["theirs"] or row["benchmark"], None, None, words[1]),
            class_="pair",
        ),
        class_="card",
    )


def _side(whose: str, name: str, place: Html | None, shown: Html | None, words: str) -> Html:
    label = tag("p", tag("span", whose, class_="speaker"), tag("code", name), " ", place)
    return tag("div", label, shown, tag("div", words, class_="said", dir="auto"), class_="side")


def _how(row: dict[str, Any]) -> str:
    return ", ".join([HOW.get(row["how"], row["how"]), *measured_words(row)])
