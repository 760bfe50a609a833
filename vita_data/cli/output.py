"""How verbs speak: one JSON object for machines, aligned tables for people, progress on standard error."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from vita_data import progress

F = TypeVar("F", bound=Callable[..., Any])
json_option: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def for_terminal(text: str) -> str:
    """Text from a corpus without the characters that would command the terminal; colours go around it, not in."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def print_json(value: object) -> None:
    """The one object that `--json` promises on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False))


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as aligned text: numbers to the right with thousands parted, None as a dash."""
    cells = [[_cell(value) for value in row] for row in rows]
    right = [all(_is_number(row[n]) for row in rows) for n in range(len(heads))]
    widths = [max([_width(head), *(_width(row[n]) for row in cells)]) for n, head in enumerate(heads)]
    lines = [_line(heads, widths, right), "  ".join("-" * width for width in widths)]
    return "\n".join([*lines, *(_line(row, widths, right) for row in cells)])


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, type(None))) or (isinstance(value, str) and value.endswith("*"))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if 0 < abs(value) < 1e-3:
            return f"{value:g}"
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _width(text: str) -> int:
    """Columns that a text takes on a terminal: Chinese characters take two."""
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for cell, width, is_right in zip(cells, widths, right, strict=True):
        space = " " * (width - _width(cell))
        padded.append(space + cell if is_right else cell + space)
    return "  ".join(padded).rstrip()


def size(number: float) -> str:
    """Bytes as people say them."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError


class StepBars:
    """Shows the steps of a build: a bar with rate and time left on a terminal, a line a step elsewhere.

    Workers count in files (`vita_data.progress`); a thread looks at them twice a second.
    """

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._step: dict[str, Any] | None = None
        self._started = 0.0
        self._already = 0
        self._most = 0

    def hear(self, message: dict[str, Any]) -> None:
        """Takes a message of the build: a remark, or the next step."""
        if "say" in message:
            self._clear()
            click.echo(message["say"], err=True)
        elif "step" in message:
            self.end()
            if message["items"]:
                self._step, self._started = message, time.monotonic()
                self._most = 0
                self._already = self._done()
                if not self._terminal:
                    click.echo(f"{message['words']} ...", err=True)

    def _done(self) -> int:
        """What the workers have counted; never less than before, though a finished step removes its files."""
        assert self._step is not None
        self._most = max(self._most, sum(progress.total(folder) for folder in self._step["folders"]))
        return self._most

    def look(self) -> None:
        """Draws the bar anew."""
        if self._step is None or not self._terminal:
            return
        total, done = self._step["total"], self._done()
        seconds = time.monotonic() - self._started
        text = self._step["words"]
        if total:
            rate = (done - self._already) / seconds if seconds else 0.0
            left = f"{(total - done) / rate:.0f} s left" if rate else "..."
            filled = int(24 * min(done / total, 1))
            text += f" [{'#' * filled}{'.' * (24 - filled)}] {done:,}/{total:,}  {rate:,.0f}/s  {left}"
        self._clear()
        click.echo(text, nl=False, err=True)

    def _clear(self) -> None:
        if self._terminal:
            click.echo("\r\x1b[2K", nl=False, err=True)

    def end(self) -> None:
        """Says how long the step took."""
        if self._step is not None:
            self._clear()
            click.echo(f"{self._step['words']}: {time.monotonic() - self._started:.1f} s", err=True)
            self._step = None


def with_bars(work: Callable[[Callable[[dict[str, Any]], None]], dict[str, Any]]) -> dict[str, Any]:
    """What `work` returns; it is given what to tell its steps to, and they are shown meanwhile."""
    bars, stop = StepBars(), threading.Event()

    def tick() -> None:
        while not stop.wait(0.5):
            bars.look()

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        return work(bars.hear)
    finally:
        stop.set()
        ticker.join()
        bars.end()
