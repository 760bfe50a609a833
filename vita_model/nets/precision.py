"""Arithmetic that autocasting must leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn


def as_given(device: torch.device) -> AbstractContextManager[object]:
    """A context in which operations keep the precision of what they are given, where a device has autocasting."""
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)


@contextmanager
def kept_buffers(module: nn.Module) -> Iterator[None]:
    """Gives floating buffers their precision back where what is done inside changes it; devices may change.

    Rotary frequencies in bf16 would turn the last positions of a sequence by whole circles.
    """
    before = {
        (owner, name): buffer
        for owner in module.modules()
        for name, buffer in owner.named_buffers(recurse=False)
        if buffer.is_floating_point()
    }
    yield
    for (owner, name), buffer in before.items():
        found = owner.get_buffer(name)
        if found.dtype != buffer.dtype:
            setattr(owner, name, buffer.to(found.device))
