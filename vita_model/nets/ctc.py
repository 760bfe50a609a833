"""The head by which the encoder first learns to write what it hears, one character or a blank a frame."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from vita_data.prompt.characters import BLANK, check_frames
from vita_model.nets.precision import as_given


class CtcHead(nn.Linear):
    """Linear(hidden -> characters) with the connectionist temporal classification loss (Graves et al., 2006)."""

    def forward(
        self,
        states: torch.Tensor,
        frames: tuple[int, ...] = (),
        symbols: torch.Tensor | None = None,
        symbol_lengths: tuple[int, ...] = (),
    ) -> torch.Tensor:
        """fp32 logits (R, characters) of states (R, hidden); with symbols the losses of the clips (N,).

        The sum of the losses over the number of symbols is what is trained. `symbols` are ids laid end to end,
        without blanks, as many for each clip as `symbol_lengths` says. RecordError `ctc_too_short` for a clip with
        too few frames, whose loss would be infinite.
        """
        with as_given(states.device):
            logits = functional.linear(states.float(), self.weight.float(), self.bias.float())
        if symbols is None:
            return logits
        for ids, count in zip(symbols.split(symbol_lengths), frames, strict=True):
            check_frames(ids.tolist(), count)
        return functional.ctc_loss(
            pad_sequence(list(logits.log_softmax(dim=-1).split(frames))),
            symbols,
            torch.tensor(frames),
            torch.tensor(symbol_lengths),
            blank=BLANK,
            reduction="none",
        )


def greedy(logits: torch.Tensor, frames: tuple[int, ...]) -> list[list[int]]:
    """The ids of each clip by its best symbol a frame: repeats joined, blanks left out."""
    best = logits.argmax(dim=-1).split(frames)
    joined = [torch.unique_consecutive(clip) for clip in best]
    return [clip[clip != BLANK].tolist() for clip in joined]
