"""The model card of an exported folder: its lineage for people, under the head that model hubs read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

NAME = "README.md"


def card(said: dict[str, Any]) -> str:
    """The card in Markdown, of what `lineage` says."""
    last = "the end" if said["stages"][said["stage"]].get("final") else "the midst"
    return "\n".join(
        [
            "---",
            "license: other",
            "pipeline_tag: any-to-any",
            "tags: [vita]",
            "---",
            "",
            f"# VITA, preset {said['preset']}, from {last} of stage {said['stage']}",
            "",
            f"Weights in {said['precision']} under the names of the released VITA-1.5; those of the speech decoder and "
            "the codec in fp32.",
            f"Tokenizer {said['tokenizer']['name']}, {said['tokenizer']['rows']:,} rows, digest "
            f"{said['tokenizer']['digest']}.",
            *_remarks(said),
            "",
            "## Stages",
            "",
            *_table(("stage", "steps", "whole", "plan", "packs"), _stages(said)),
            "",
            "## What was trained, and where last",
            "",
            *_table(("part", "stage"), sorted(said["parts"].items())),
            "",
            "## Data",
            "",
            "The licences are those that the sources were declared with; whoever passes the weights on minds them.",
            "",
            *_table(("stage", "source", "licence", "of its media", "consumed"), _sources(said)),
            "",
            *_scores(said["scores"]),
            "Every file with its SHA-256 is in lineage.json. To train on from here: "
            "`vita-model train --stage S --init THIS_FOLDER ...`.",
            "",
        ]
    )


def _remarks(said: dict[str, Any]) -> list[str]:
    found = []
    if said["merged_lora"]:
        found.append(
            f"What LoRA of rank {said['merged_lora']['rank']} has learned is part of the language model's weights."
        )
    if said["left_out"]:
        found.append(f"No release has a place for {', '.join(said['left_out'])}, so they are not here.")
    return found


def _stages(said: dict[str, Any]) -> Iterable[Sequence[Any]]:
    for name, told in sorted(said["stages"].items()):
        whole = "yes" if told.get("final") else "no"
        yield name, told["step"], whole, told.get("stage_digest", "-"), told.get("packs_digest", "-")


def _sources(said: dict[str, Any]) -> Iterable[Sequence[Any]]:
    for name, told in sorted(said["stages"].items()):
        for source, facts in sorted(told.get("sources", {}).items()):
            seen = (told.get("consumed") or {}).get(source)
            licences = facts.get("licence") or "-", facts.get("media_licence") or "-"
            yield name, source, *licences, f"{seen['share']:.1%}" if seen else "-"


def _scores(scores: dict[str, Any]) -> list[str]:
    rows = [
        (stage, score["metric"]["name"], f"{score['metric']['value']:.4f}", score["limit"])
        for stage, score in sorted(scores.items())
    ]
    if not rows:
        return []
    head = ("stage", "metric", "value", "samples a source")
    return ["## Scores on held-out data", "", *_table(head, rows), ""]


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell).replace("|", "/") for cell in line) + " |" for line in lines]
