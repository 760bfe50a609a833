"""Which data a checkpoint comes from: of its own stage and of every one before, carried from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vita_data.records.key import digest_of
from vita_data.shards.read import Stage
from vita_model.train.starts import Start

# What of a checkpoint the ones after it remember; `consumed` is the share of each source that was really seen.
KEPT = (
    "plan_digest",
    "stage_digest",
    "packs_digest",
    "step",
    "final",
    "precision",
    "lora",
    "sources",
    "consumed",
)
TOLD = ("title", "url", "licence", "media_licence", "commercial")


def data_of(stage: Stage) -> dict[str, Any]:
    """{stage_digest, packs_digest, sources: {name: licence and more}} of a finished stage."""
    packs = {name: digest for name, digest in stage.facts["files"].items() if name.startswith("packs/")}
    ledger = (stage.facts.get("ledger") or {}).get("sources", {})
    planned = {row["source"]: {"licence": row["licence"]} for row in stage.plan.get("sources", ())}
    sources = planned | {name: {key: row.get(key) for key in TOLD} for name, row in ledger.items()}
    return {
        "stage_digest": stage.plan["digest"],
        "packs_digest": digest_of("packs", packs),
        "sources": sources,
    }


def own(said: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint tells of the stage it is of."""
    return {name: said[name] for name in KEPT if name in said}


def before(starts: Sequence[Start], stage: str) -> dict[str, Any]:
    """What is remembered of each stage before this one, by its name."""
    found: dict[str, Any] = {}
    for said in (start.said for start in starts if start.said is not None):
        found |= said.get("stages", {}) | {said["stage"]: own(said)}
    return {name: told for name, told in found.items() if name != stage}
