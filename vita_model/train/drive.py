"""Steps one after the other: metrics of each, checkpoints now and then, an end when asked to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import distributed

from vita_model.train.engine import total
from vita_model.train.folder import add_metrics
from vita_model.train.say import Teller


class Drive:
    """What carries a training from step to step, whatever a step is."""

    def __init__(self, run: Path, teller: Teller, device: torch.device) -> None:
        self.run = run
        self.teller = teller
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
        self.teller.begin()
        try:
            while done < steps.stop and not self._agreed_to_stop():
                values = step(done)
                if distributed.get_rank() == 0:
                    add_metrics(self.run, values)
                self.teller.step(values, steps.stop)
                done += 1
                if done % save_every == 0 and done < steps.stop:
                    save(done)
                    saved = done
            if saved < done:
                save(done)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return done

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.stopping:  # asked twice: the step may never end when another rank is stuck
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.stopping = True

    def _agreed_to_stop(self) -> bool:
        return total([int(self.stopping)], self.device)[0] > 0
