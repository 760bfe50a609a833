"""What a run tells a person."""

from __future__ import annotations

import pytest

from vita_model.train.say import Teller


def metrics(step: int) -> dict[str, float]:
    return {"step": step, "loss": 1.25, "tokens_per_second": 1234.0, "seconds": 0.5}


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


def test_other_ranks_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller(speaks=False)
    teller.say("weights")
    teller.step(metrics(0), last=1)
    assert capsys.readouterr() == ("", "")
