"""What a run tells a person: on a terminal one line that changes, elsewhere a line now and then."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

QUIET_SECONDS = 5.0
BETWEEN = "  "


class Teller:
    """Speaks on standard error, on the first rank only."""

    def __init__(self, speaks: bool) -> None:
        self._speaks = speaks
        self._live = sys.stderr.isatty()
        self._last = 0.0
        self._seconds = 0.0
        self._steps = 0
        self._open = False

    def begin(self) -> None:
        """Forgets the steps from which the time left is told."""
        self._seconds, self._steps = 0.0, 0

    def say(self, words: str) -> None:
        """One line of words."""
        if self._speaks:
            sys.stderr.write(("\n" if self._open else "") + words + "\n")
            sys.stderr.flush()
            self._open = False

    def step(self, metrics: dict[str, Any], last: int) -> None:
        """The state of the run after a step: loss, rates, share of peak, memory, time left.

        What is not known is left out; on a narrow terminal so is what does not fit, the time left last.
        """
        now = time.monotonic()
        self._steps += 1
        self._seconds += metrics["seconds"]
        left = last - metrics["step"] - 1
        if not self._speaks or (not self._live and left and now - self._last < QUIET_SECONDS):
            return
        self._last = now
        words = _words(metrics, last, left * self._seconds / self._steps)
        if self._live:
            words = _fitting(words, shutil.get_terminal_size().columns - 1)
        line = BETWEEN.join(words)
        sys.stderr.write(f"\r\x1b[2K{line}" if self._live else f"{line}\n")
        sys.stderr.flush()
        self._open = self._live


def _words(metrics: dict[str, Any], last: int, left: float) -> list[str]:
    """What there is to say, the time left last."""
    words = [f"step {metrics['step'] + 1}/{last}", f"loss {metrics['loss']:.4f}"]
    words.append(f"{metrics['tokens_per_second']:,.0f} tokens/s")
    if "samples_per_second" in metrics:
        words.append(f"{metrics['samples_per_second']:,.1f} samples/s")
    if "share_of_peak" in metrics:
        words.append(f"{metrics['share_of_peak']:.0%} of peak")
    if "memory" in metrics:
        words.append(f"{metrics['memory'] / 1e9:.1f} GB")
    return [*words, f"{_clock(left)} left"]


def _fitting(words: list[str], width: int) -> list[str]:
    """As many of the words as fit: a line that wraps could not be written over."""
    kept = list(words)
    while len(kept) > 1 and len(BETWEEN.join(kept)) > width:
        del kept[-2]
    return kept


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
