"""Steps one after the other: metrics of each, checkpoints now and then, an end when asked to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch

from vita_model.train.engine import total
from vita_model.train.watch import Watch


class Drive:
    """What carries a training from step to step, whatever a step is."""

    def __init__(self, watch: Watch, device: torch.device) -> None:
        self.watch = watch
        self.device = device
        self.stopping = False

    def through(
        self,
        steps: range,
        step: Callable[[int], dict[str, Any]],
        save: Callable[[int], Any],
        save_every: int,
    ) -> int:
        """Does these steps; returns how many steps the training has now, fewer after SIGTERM or Ctrl-C.

        `step` gives the metrics of one; `save` is called with the steps done, at the latest at the end.
        """
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        done = saved = steps.start
        ended = False
        self.watch.begin()
        try:
            while done < steps.stop and not self._agreed_to_stop():
                self.watch.pace.begin()
                self.watch.step(step(done), steps.stop)
                done += 1
                if done % save_every == 0 and done < steps.stop:
                    saved = self._save(save, done)
            if saved < done:
                self._save(save, done)
            ended = True
        finally:
            self.watch.close(failed=not ended)
            for number, handler in before.items():
                signal.signal(number, handler)
        return done

    def _save(self, save: Callable[[int], Any], done: int) -> int:
        self.watch.before_saving()
        save(done)
        return done

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.stopping:  # asked twice: the step may never end when another rank is stuck
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.stopping = True

    def _agreed_to_stop(self) -> bool:
        return total([int(self.stopping)], self.device)[0] > 0
