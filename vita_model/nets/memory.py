"""Memory for time: blocks that are computed again in the backward pass instead of being kept."""

from __future__ import annotations

from typing import Any


def checkpoint_blocks(model: Any, on: bool) -> None:
    """Switches gradient checkpointing of a model of `transformers` on or off; it acts in training mode only."""
    if on:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    else:
        model.gradient_checkpointing_disable()
