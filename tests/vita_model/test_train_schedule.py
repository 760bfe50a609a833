"""Learning rates as a function of the step."""

from __future__ import annotations

from typing import Any

import pytest

from vita_data.errors import ShardError
from vita_model.train.schedule import factor, from_plan, rates

SAID: dict[str, Any] = {
    "learning_rate": 1e-3,
    "vision_learning_rate": 1e-4,
    "warmup_ratio": 0.1,
    "decay": "cosine",
    "weight_decay": 0.0,
    "clip": 1.0,
    "epochs": 2,
    "global_batch": 8,
    "betas": [0.9, 0.95],
    "precision": "fp32",
}


def test_it_warms_up_to_one_and_falls_to_zero() -> None:
    found = [factor(from_plan(SAID), step, 100) for step in range(100)]
    assert found[:10] == pytest.approx([(n + 1) / 10 for n in range(10)])
    assert found[10] == 1.0 and found[55] == pytest.approx(0.5)
    assert found[10:] == sorted(found[10:], reverse=True) and 0 < found[-1] < 0.001


@pytest.mark.parametrize(
    ("decay", "middle", "end"), [("linear", 0.5, 1 / 90), ("constant", 1, 1), ("exponential", 0.9, 0.9)]
)
def test_other_decays_do_as_they_say(decay: str, middle: float, end: float) -> None:
    rate = {"decay_rate": 0.9} if decay == "exponential" else {}
    schedule = from_plan({**SAID, "decay": decay, **rate})
    assert factor(schedule, 55, 100) == pytest.approx(middle)
    assert factor(schedule, 99, 100) == pytest.approx(end)


def test_the_vision_tower_has_its_own_rate_where_the_card_gives_one() -> None:
    assert rates(from_plan(SAID), 10, 100) == (1e-4, 1e-3)
    assert rates(from_plan({**SAID, "vision_learning_rate": None}), 10, 100) == (1e-3, 1e-3)


def test_a_schedule_of_another_version_is_refused_with_its_keys() -> None:
    with pytest.raises(ShardError, match="at: momentum"):
        from_plan({**SAID, "momentum": 0.9})
    with pytest.raises(ShardError, match="at: epochs"):
        from_plan({name: value for name, value in SAID.items() if name != "epochs"})


def test_the_precision_of_the_card_can_be_replaced_and_fp16_is_refused() -> None:
    assert from_plan({**SAID, "precision": "fp16"}, "fp32").precision == "fp32"
    with pytest.raises(ShardError, match="fp16"):
        from_plan({**SAID, "precision": "fp16"})
