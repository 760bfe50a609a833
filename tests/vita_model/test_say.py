"""What a run tells a person."""

from __future__ import annotations

import io
import os
import sys

import pytest

from vita_model.train.say import Teller


class Terminal(io.StringIO):
    """Standard error as a terminal would be."""

    def isatty(self) -> bool:
        return True


def metrics(step: int, **more: float) -> dict[str, float]:
    return {"step": step, "loss": 1.25, "tokens_per_second": 1234.0, "seconds": 0.5, **more}


EVERYTHING = {"samples_per_second": 5.26, "share_of_peak": 0.384, "memory": 12_340_000_000}


def test_away_from_a_terminal_the_first_and_last_of_many_steps_are_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    teller = Teller(speaks=True)
    teller.begin()
    for step in range(50):
        teller.step(metrics(step), last=50)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["step 1/50", "step 50/50"]
    assert "loss 1.2500" in lines[0] and "1,234 tokens/s" in lines[0] and lines[1].endswith("0:00:00 left")


def test_rates_share_of_peak_and_memory_are_told_and_what_is_not_known_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    teller = Teller(speaks=True)
    teller.step(metrics(0, **EVERYTHING), last=2)
    teller.step(metrics(1), last=2)
    whole, bare = capsys.readouterr().err.splitlines()
    assert "5.3 samples/s  38% of peak  12.3 GB" in whole
    assert "peak" not in bare and "GB" not in bare and "samples" not in bare


def test_the_time_left_is_that_of_the_steps_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller(speaks=True)
    teller.step(metrics(0, seconds=2.0), last=101)
    assert capsys.readouterr().err.strip().endswith("0:03:20 left")


def test_on_a_narrow_terminal_the_line_never_wraps_and_keeps_the_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((50, 24)))
    teller = Teller(speaks=True)
    teller.step(metrics(0, **EVERYTHING), last=10)
    line = terminal.getvalue().removeprefix("\r\x1b[2K")
    assert len(line) < 50 and line.startswith("step 1/10  loss 1.2500") and line.endswith("left")


def test_other_ranks_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller(speaks=False)
    teller.say("weights")
    teller.step(metrics(0), last=1)
    assert capsys.readouterr() == ("", "")
