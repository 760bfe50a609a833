"""The top of the page: what was built, in one sentence and in a few numbers."""

from __future__ import annotations

from typing import Any

from vita_data.report.formats import count, counted, counted_in, listed, percent, size, unit_of
from vita_data.report.markup import Html, tag
from vita_data.report.tables import facts as fact_list

SECTIONS = {
    "funnel": "Funnel",
    "mixture": "Mixture",
    "duplicates": "Duplicates",
    "leaks": "Decontamination",
    "rejects": "Rejects",
    "samples": "Samples",
    "lengths": "Lengths",
    "distributions": "Before and after",
    "licences": "Licences",
    "provenance": "Provenance",
}


def head_section(plan: dict[str, Any], facts: dict[str, Any]) -> Html:
    """The header with the stage's name, the sentence, the totals and the links to the sections."""
    links = (tag("li", tag("a", name, href=f"#{place}")) for place, name in SECTIONS.items())
    return tag(
        "header",
        tag("p", "Stage report", class_="eyebrow"),
        tag(
            "h1", f"Stage {facts['stage']} ", tag("span", f"mixture {facts['mixture']}, seed {facts['seed']}")
        ),
        tag("p", _sentence(plan, facts), class_="lede"),
        fact_list(_totals(facts), "tiles"),
        tag("nav", tag("ul", *links), aria_label="Sections"),
    )


def _sentence(plan: dict[str, Any], facts: dict[str, Any]) -> str:
    totals, packs = facts["totals"], facts["packs"]
    giving = sum(1 for source in facts["sources"] if source["written"]["samples"])
    amount = counted_in(_unit(facts), totals["questions"], totals["hours"])
    words = (
        f"{counted(totals['samples'], 'sample')} with {amount} were drawn "
        f"from {counted(giving, 'source')} and written to {counted(len(facts['shards']), 'shard')}"
    )
    if packs.get("count"):
        words += (
            f"; {counted(packs['count'], 'training sequence')} of up to {count(packs['capacity'])} tokens "
            f"hold them, with {percent(packs['waste'], 1)} of the room left empty"
        )
    names = dict.fromkeys(name for run in runs_of(plan) for name in run["trains"])
    trained = listed([name.replace("_", " ") for name in names])
    return f"{words}. The stage trains the {trained} on them." if trained else f"{words}."


def runs_of(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The training runs of a stage: one, or one for each of its halves."""
    return list(plan["halves"].values()) if "halves" in plan else [plan]


def _unit(facts: dict[str, Any]) -> str:
    return unit_of(facts["sources"])


def _totals(facts: dict[str, Any]) -> list[tuple[str, Html]]:
    totals, packs = facts["totals"], facts["packs"]
    tokens = {kind: totals[f"{kind}_tokens"] for kind in ("text", "visual", "audio")}
    parts = [f"{count(number)} {kind}" for kind, number in tokens.items() if number]
    empty = percent(packs.get("waste", 0), 1)
    read, held = (sum(source[name] for source in facts["sources"]) for name in ("read", "held_out"))
    unit = _unit(facts)
    wanted = sum(source["asked"] for source in facts["sources"] if source["unit"] == unit)
    asked = f"{count(wanted)} asked for"
    amounts = [("Questions", _tile(count(totals["questions"]), asked))] if unit == "questions" else []
    if totals["hours"]:
        amounts.append(("Hours", _tile(count(totals["hours"]), asked if unit == "hours" else "of sound")))
    if totals.get("spoken"):
        clips = f"{counted(totals['clips'], 'clip')} not meant for the model"
        amounts.append(("Spoken", _tile(count(totals["spoken"]), f"questions; {clips}")))
    return [
        *amounts,
        ("Samples", _tile(count(totals["samples"]), f"{count(held)} held out")),
        ("Tokens", _tile(count(sum(tokens.values())), " + ".join(parts))),
        ("Packs", _tile(count(packs.get("count", 0)), f"{empty} of the room empty")),
        ("Shards", _tile(count(len(facts["shards"])), size(totals["bytes"]))),
        ("Rejected", _tile(count(totals["rejected"]), f"of {counted(read, 'record')} read")),
    ]


def _tile(number: str, note: str) -> Html:
    return tag("span", tag("b", number), tag("small", note))
