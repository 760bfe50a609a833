"""What a run tells a person: on a terminal one line that changes, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from typing import Any

QUIET_SECONDS = 5.0


class Teller:
    """Speaks on standard error, on the first rank only."""

    def __init__(self, speaks: bool) -> None:
        self._speaks = speaks
        self._live = sys.stderr.isatty()
        self._last = 0.0
        self._begun = time.monotonic()
        self._steps = 0
        self._open = False

    def begin(self) -> None:
        """Starts the clock from which the time left is told."""
        self._begun, self._steps = time.monotonic(), 0

    def say(self, words: str) -> None:
        """One line of words."""
        if self._speaks:
            sys.stderr.write(("\n" if self._open else "") + words + "\n")
            sys.stderr.flush()
            self._open = False

    def step(self, metrics: dict[str, Any], last: int) -> None:
        """The state of the run after a step: loss, rate, time left."""
        now = time.monotonic()
        self._steps += 1
        left = last - metrics["step"] - 1
        if not self._speaks or (not self._live and left and now - self._last < QUIET_SECONDS):
            return
        self._last = now
        left_seconds = left * (now - self._begun) / self._steps
        words = (
            f"step {metrics['step'] + 1}/{last}  loss {metrics['loss']:.4f}  "
            f"{metrics['tokens_per_second']:,.0f} tokens/s  {_clock(left_seconds)} left"
        )
        sys.stderr.write(f"\r\x1b[2K{words}" if self._live else f"{words}\n")
        sys.stderr.flush()
        self._open = self._live


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
