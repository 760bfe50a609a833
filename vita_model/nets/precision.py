"""Arithmetic that autocasting must leave alone."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def as_given(device: torch.device) -> AbstractContextManager[object]:
    """A context in which operations keep the precision of what they are given, where a device has autocasting."""
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)
