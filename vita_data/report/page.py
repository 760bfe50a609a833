"""`report.html`: one static page that shows a person what a build did, and asks no network for anything."""

from __future__ import annotations

from typing import Any

from vita_data import files
from vita_data.report.distributions import distributions_section
from vita_data.report.duplicates import duplicates_section
from vita_data.report.funnel import funnel_section
from vita_data.report.head import head_section
from vita_data.report.leaks import leaks_section
from vita_data.report.lengths import lengths_section
from vita_data.report.licences import licences_section
from vita_data.report.markup import Html, raw, tag
from vita_data.report.measured import measure_stage
from vita_data.report.mixture import mixture_section
from vita_data.report.provenance import provenance_section
from vita_data.report.rejects import rejects_section
from vita_data.report.samples import MOST_PER_SOURCE, samples_section
from vita_data.report.spread import spread_of
from vita_data.report.style import STYLE
from vita_data.report.traces import Traces

# Nothing is fetched and nothing runs, whatever a corpus may have put into the page.
POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"


def write_report(folder: str, plan: dict[str, Any], facts: dict[str, Any], traces: Traces) -> str:
    """Writes `<folder>/report.html` from a stage's shards, index, packs and rejects; returns its path.

    `plan` and `facts` are what plan.json and stage.json say (the latter is written after the report), and
    `traces` says where the build's tables lie that explain what left. Equal folders give equal bytes. Tables
    are read a part at a time, and of media only the few that are shown are opened. ShardError when the shards
    are not those of the index.
    """
    path = files.join(folder, "report.html")
    files.write_bytes(path, report(folder, plan, facts, traces).encode())
    return path


def report(folder: str, plan: dict[str, Any], facts: dict[str, Any], traces: Traces) -> str:
    """The page as text."""
    planned = {source["source"]: source for source in plan["sources"]}
    sources = [{**planned[source["source"]], **source} for source in facts["sources"]]
    packs, longest = facts["packs"], plan["geometry"]["max_length"]
    capacity = packs.get("capacity", longest)
    shards, windows = len(facts["shards"]), packs["windows"]
    measured = measure_stage(folder, shards, windows, longest, capacity, MOST_PER_SOURCE)
    spread = spread_of(traces, folder, shards, plan["geometry"])
    sections = (
        funnel_section(sources),
        mixture_section(sources, measured.languages),
        duplicates_section(traces),
        leaks_section(traces, facts["benchmarks"]),
        rejects_section(folder, sources, traces),
        samples_section(folder, sources, measured),
        lengths_section(measured, packs, plan["geometry"]),
        distributions_section(spread, plan["geometry"], traces.duplicates is not None),
        licences_section(facts["ledger"], sources, measured.licences),
        provenance_section(plan, facts),
    )
    body = tag("body", head_section(plan, facts), tag("main", *sections))
    return "<!doctype html>\n" + tag("html", _head(facts), body, lang="en") + "\n"


def _head(facts: dict[str, Any]) -> Html:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"Stage {facts['stage']}, mixture {facts['mixture']}"),
        tag("style", raw(STYLE)),
    )
