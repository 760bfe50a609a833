"""What `vita-model train --dry-run` tells a person."""

from __future__ import annotations

from typing import Any

GIB = 2**30


def rehearsed_words(found: dict[str, Any]) -> str:
    """The plan, what learns, and the memory of one step, in lines."""
    each = found["global_batch"], found["world_size"], found["rounds"]
    memory = ", ".join(
        f"{sum(held.values()) / GIB:,.2f} at ZeRO {zero}" for zero, held in found["estimate"].items()
    )
    where = "its GPU" if found["memory"]["device"] == "cuda" else "the machine"
    mock, peak = found["mock"], found["memory"]["peak"] / GIB
    return "\n".join(
        [
            f"stage {found['stage']}: {found['steps']:,} steps over {found['packs']:,} packs of "
            f"{found['samples']:,} samples and {found['tokens']:,} tokens, {found['epochs']:g} epochs; plan "
            f"{found['plan_digest']}",
            "each step a global batch of {}, on {} ranks in {} rounds".format(*each)
            + f", in {found['precision']}",
            *(_part(name, part) for name, part in found["parameters"].items()),
            f"{'learned':18}{found['learned']:>15,}",
            f"memory of weights, gradients and optimizer on each rank, GiB in bf16: {memory}",
            f"the largest packs of the plan, {mock['tokens']:,} tokens, took {mock['seconds']:.1f} s; "
            f"a rank held {peak:,.2f} GiB of {where} at most",
        ]
    )


def _part(name: str, part: dict[str, int]) -> str:
    learned = f"{part['learned']:>15,} learned" if part["learned"] else ""
    return f"{name:18}{part['all']:>15,}{learned}"
