"""How far a step stands out from the steps before it, and an optimizer that leaves such a step out.

The rule is that of OLMo-core's SkipStepOptimizer: a step is odd whose loss or gradient norm lies so many deviations
above the mean of the last steps. What was skipped stays among them, so that a run whose level has really changed goes
on after a while.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch

from vita_model.train.engine import total

WINDOW = 128
FLAT = 1e-3  # of the mean; a run that hardly moves has no deviation to speak of


class Spikes:
    """Loss and gradient norm of the last `window` steps in which both were finite.

    A function of those numbers alone: what is rebuilt from a run's metrics scores as what was there all along.
    """

    def __init__(self, window: int = WINDOW, steps: Iterable[dict[str, Any]] = ()) -> None:
        self._least = max(2, window // 2)
        self._steps: deque[tuple[float, float]] = deque(maxlen=window)
        for step in steps:
            self.add(step["loss"], step["gradient_norm"])

    def add(self, loss: float, norm: float) -> None:
        """One more step, if it can be compared with."""
        if math.isfinite(loss) and math.isfinite(norm):
            self._steps.append((loss, norm))

    def score(self, loss: float, norm: float) -> float | None:
        """Deviations by which the loss or the norm, whichever is odder, is above its mean; None with half a window."""
        if len(self._steps) < self._least:
            return None
        columns = zip(*self._steps, strict=True)
        return max(_above(value, before) for value, before in zip((loss, norm), columns, strict=True))


def _above(value: float, before: tuple[float, ...]) -> float:
    mean = fmean(before)
    deviation = math.sqrt(fmean((each - mean) ** 2 for each in before))
    return (value - mean) / max(deviation, FLAT * abs(mean), 1e-12)


@dataclass
class _Asked:
    """A step on its way through the optimizer: its loss, its norm where it is known, and what was decided."""

    loss: float
    norm: float | None
    skip: bool | None = None


class Skipper:
    """Lets the optimizer of an engine pass over steps: weights, moments and their count stay as they were.

    A zero gradient would not do, since moments and weight decay move weights without one. So the gradients are taken
    away while the wrapped optimizer steps, which passes over what has none; by then ZeRO has the norm of all ranks.
    `above` is the score from which a step is left out, None to use all; `skipped` counts those that were.
    """

    def __init__(self, engine: Any, spikes: Spikes, above: float | None = None, skipped: int = 0) -> None:
        self.spikes = spikes
        self.skipped = skipped
        self._engine = engine
        self._above = above
        self._asked: _Asked | None = None
        self._held: list[tuple[torch.Tensor, torch.Tensor]] = []
        engine.basic_optimizer.register_step_pre_hook(self._before)
        engine.basic_optimizer.register_step_post_hook(self._after)

    def step(self, loss: float, norm: float | None) -> tuple[float, float | None, bool]:
        """The engine's step: (gradient norm, score, whether it was left out); all ranks decide alike.

        `norm` is None where the engine has to tell it.
        """
        self._asked = asked = _Asked(loss, norm)
        self._engine.step()
        self._asked = None
        self.skipped += bool(asked.skip)
        found = float(self._engine.get_global_grad_norm()) if norm is None else norm
        score = self.spikes.score(loss, found) if math.isfinite(found) else None
        self.spikes.add(loss, found)
        return found, score, bool(asked.skip)

    def _before(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        asked = self._asked
        if asked is None:
            return
        if asked.skip is None:  # ZeRO steps the optimizer once for each of its groups
            norm = asked.norm
            asked.skip = self._odd(
                asked.loss, self._engine.optimizer._global_grad_norm if norm is None else norm
            )
        if asked.skip:
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            self._held = [(weight, weight.grad) for weight in weights if weight.grad is not None]
            for held, _gradient in self._held:
                held.grad = None

    def _after(self, *_: Any) -> None:
        for held, gradient in self._held:  # an engine that offloads keeps its buffer there
            held.grad = gradient
        self._held = []

    def _odd(self, loss: float, norm: float) -> bool:
        if not math.isfinite(norm):
            return True
        if self._above is None:
            return False
        score = self.spikes.score(loss, float(norm))
        odd = score is not None and score > self._above
        return total([int(odd)], self._engine.device)[0] > 0
