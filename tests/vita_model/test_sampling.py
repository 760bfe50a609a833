"""The draw of a codec token: top-k, the window's penalty, values that make no sense."""

from __future__ import annotations

import pytest
import torch

from vita_data.errors import UsageError
from vita_model.nets.sampling import Sampling

LOGITS = torch.tensor([2.0, 1.9, -1.0, 0.5])


def draws(rule: Sampling, before: list[int], count: int = 200) -> set[int]:
    generator = rule.generator()
    return {rule.draw(LOGITS, before, generator) for _ in range(count)}


def test_one_of_the_likeliest_is_drawn() -> None:
    assert draws(Sampling(top_k=1), []) == {0}
    assert draws(Sampling(top_k=2), []) == {0, 1}
    assert draws(Sampling(top_k=99), [], 2000) == {0, 1, 2, 3}


def test_draws_follow_the_probabilities_among_the_likeliest() -> None:
    rule = Sampling(top_k=2)
    generator = rule.generator()
    ones = sum(rule.draw(LOGITS, [], generator) for _ in range(4000)) / 4000
    assert abs(ones - float(torch.softmax(LOGITS[:2], 0)[1])) < 0.03


def test_what_stands_in_the_window_is_less_likely_and_what_left_it_is_not() -> None:
    rule = Sampling(top_k=1, window=2, penalty=1.5)
    assert draws(rule, [0, 0, 0]) == {1}, "a token counts once, however often it stands there"
    assert draws(rule, [0, 1, 3]) == {0}
    assert draws(rule, [3, 0, 1]) == {0}
    assert draws(Sampling(top_k=1, penalty=1.5), [0]) == {0}, "no window, no penalty"


def test_the_penalty_never_makes_a_token_likelier() -> None:
    logits = torch.tensor([-1.0, -1.2])
    rule = Sampling(top_k=1, window=5, penalty=1.5)
    assert rule.draw(logits, [0], rule.generator()) == 1


@pytest.mark.parametrize("said", [{"top_k": 0}, {"window": -1}, {"penalty": 0.0}, {"most": 0}])
def test_a_rule_that_draws_nothing_is_refused(said: dict) -> None:
    with pytest.raises(UsageError, match=next(iter(said))):
        Sampling(**said)
