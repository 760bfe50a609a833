"""How fast a training goes: time of a step and what it waited for, its share of the peak, memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

import torch
from torch import distributed

from vita_model.train.peak import TERA, peak

Item = TypeVar("Item")
Made = TypeVar("Made")
STATUS = "/proc/self/status"
KILO = 1024


class Pace:
    """Times the steps of all ranks together; `most` is what their devices could do in a second, if it is known."""

    def __init__(self, device: torch.device, most: float | None = None) -> None:
        self._device = device
        self._peak = most
        self._began = time.monotonic()
        self._waited = 0.0

    def begin(self) -> None:
        """A step begins; what lies between it and the one before, as writing a checkpoint does, is part of neither."""
        self._began, self._waited = time.monotonic(), 0.0

    def waited_for(self, items: Iterator[Item]) -> Generator[Item]:
        """The same items, with the time until each comes put down as waiting; closes what it was given."""
        try:
            while True:
                since = time.monotonic()
                try:
                    item = next(items)
                except StopIteration:
                    return
                finally:
                    self._waited += time.monotonic() - since
                yield item
        finally:
            if isinstance(items, Generator):
                items.close()

    def told(self, values: dict[str, Any]) -> dict[str, Any]:
        """What a step's metrics say with the step's end: its tokens, samples and operations by time; all ranks call it.

        Adds seconds, waiting_seconds (of the rank that waited longest for data), tokens_per_second,
        samples_per_second, share_of_peak where the peak is known, and memory, bytes of the rank that holds most.
        """
        seconds = time.monotonic() - self._began
        waited, memory = _most([self._waited, _memory(self._device)], self._device)
        found = {
            **values,
            "seconds": seconds,
            "waiting_seconds": min(waited, seconds),
            "tokens_per_second": values["tokens"] / seconds,
            "samples_per_second": values["samples"] / seconds,
        }
        if self._peak and values.get("operations"):
            found["share_of_peak"] = values["operations"] / seconds / self._peak
        if memory:
            found["memory"] = int(memory)
        return found


def pace_of(device: torch.device, precision: str, stated: float | None) -> Pace:
    """The pace of a training in a number format; `stated` is the peak of one device in TFLOP/s, if it is said.

    Only the first rank knows of the peak, measured before others are at work; it tells the metrics.
    """
    if distributed.get_rank():
        return Pace(device)
    found = peak(device, precision) if stated is None else stated * TERA
    return Pace(device, found and found * distributed.get_world_size())


def agreed(make: Callable[[], Made]) -> Made:
    """What the first rank makes, for all of them; all call it."""
    found = [make() if distributed.get_rank() == 0 else None]
    distributed.broadcast_object_list(found)
    made: Any = found[0]
    return made  # type: ignore[no-any-return]


def _most(values: list[float], device: torch.device) -> list[float]:
    """The most of each number over all ranks."""
    tensor = torch.tensor(values, dtype=torch.float64, device=device)
    distributed.all_reduce(tensor, distributed.ReduceOp.MAX)
    return [float(value) for value in tensor]


def _memory(device: torch.device) -> float:
    """The most bytes that were held until now: of a GPU by torch, else by this process; 0 where nobody says."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    try:
        with open(STATUS) as lines:
            line = next(line for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0.0
    return float(line.split()[1]) * KILO
