"""What the stage was made of and with, so that it can be made again and compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vita_data.prompt.template import noise_ends_in
from vita_data.report.formats import count, counted, listed, share, size
from vita_data.report.head import runs_of
from vita_data.report.markup import Child, Html, tag
from vita_data.report.tables import Cell, facts, table

SHARDS = 24


def provenance_section(plan: dict[str, Any], said: dict[str, Any]) -> Html:
    """Digests, geometry, hold-out, library versions, and the first shards with their digests."""
    geometry: list[tuple[str, Child]] = [
        (name.replace("_", " "), _plain(value)) for name, value in plan["geometry"].items()
    ]
    blocks: list[tuple[str, Iterable[tuple[str, Child]]]] = [
        ("Digests", [(name, tag("code", plan[key])) for name, key in DIGESTS.items()]),
        ("Selection", _selection(plan)),
        ("Geometry", geometry),
        ("Made with", sorted(said["versions"].items())),
    ]
    lists = (tag("div", tag("h3", title), facts(pairs)) for title, pairs in blocks)
    closing = "The same cards, inputs and seed give the same bytes wherever these versions agree."
    return tag(
        "section",
        tag("h2", "Provenance"),
        tag("div", *lists, class_="columns"),
        _shards(said["shards"]),
        tag("p", closing, class_="note"),
        id="provenance",
    )


DIGESTS = {"plan": "digest", "geometry": "geometry_digest", "template": "template_digest"}


def _plain(value: object) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _selection(plan: dict[str, Any]) -> list[tuple[str, str]]:
    hold_out = plan["hold_out"]
    least = counted(hold_out["least"], "sample")
    return [
        ("seed", str(plan["seed"])),
        ("pure text", "taken" if plan["pure_text"] else "left out"),
        ("state tokens", _plain(plan["state_tokens"])),
        *([("answers to noise", "end at once")] if noise_ends_in(plan) else []),
        ("held out", f"{share(hold_out['share'])} of each source; {least} where that is more"),
        ("shards of", size(plan["shard_bytes"])),
        ("loss", listed([str(run["loss"]) for run in runs_of(plan)])),
    ]


def _shards(shards: list[dict[str, Any]]) -> Html:
    rows: list[list[Cell]] = [
        [
            f"{shard['number']:05d}.tar",
            shard["samples"],
            shard["questions"],
            tag("span", size(shard["bytes"]), class_="number"),
            tag("code", shard["digest"]),
        ]
        for shard in shards[:SHARDS]
    ]
    rest = f"and {count(len(shards) - SHARDS)} more, in stage.json" if len(shards) > SHARDS else None
    return tag(
        "details",
        tag("summary", counted(len(shards), "shard")),
        table("Shards", ("Shard", "Samples", "Questions", "Size", "Digest"), rows),
        tag("p", rest, class_="note") if rest else None,
    )
