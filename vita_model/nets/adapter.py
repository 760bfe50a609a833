"""What carries states of speech into the language model's space, at half their rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn import functional

from vita_data.errors import UsageError
from vita_model.config.speech import AdapterConfig
from vita_model.nets.laid import lay, pick
from vita_model.nets.precision import as_given, kept_buffers

Value = TypeVar("Value")
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": functional.gelu,
    "relu": functional.relu,
}


class BatchNorm(nn.BatchNorm1d):
    """torch's BatchNorm1d of rows (N, C), in fp32 whatever the rows are, and with running statistics that stay in it.

    In bf16 they would hardly move: a tenth of a difference is less than what its eight bits resolve.
    """

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(N, C) -> (N, C)."""
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
        with as_given(rows.device):
            normed = functional.batch_norm(
                rows.float(),
                self.running_mean,
                self.running_var,
                self.weight.float(),
                self.bias.float(),
                self.training,
                self.momentum or 0.0,
                self.eps,
            )
        return normed.to(rows.dtype)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Any:
        with kept_buffers(self):
            super()._apply(fn, recurse)
        return self


NORMS = {"layer": nn.LayerNorm, "batch": BatchNorm}


class Stage(nn.Module):
    """A convolution over time with its norm and activation.

    A causal one looks back, over zeros before the clip; the other looks ahead, over zeros behind it. Either gives
    one row for every `stride` that have begun.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, causal: bool, config: AdapterConfig) -> None:
        super().__init__()
        self.stride, self.reach = stride, config.kernel - 1
        self.before = self.reach if causal else 0
        self.convolution = nn.Conv1d(inputs, outputs, config.kernel, stride)
        self.norm = _chosen(NORMS, config.norm, "norm")(outputs, eps=config.norm_epsilon)
        self.activation = _chosen(ACTIVATIONS, config.activation, "activation")

    def forward(self, rows: torch.Tensor, lengths: tuple[int, ...]) -> tuple[torch.Tensor, tuple[int, ...]]:
        """Rows (sum of lengths, inputs) of clips -> (sum of counts, outputs), and the counts."""
        slots = tuple(self.stride * -(-(length + self.reach) // self.stride) for length in lengths)
        laid = functional.pad(lay(rows, lengths, slots), (0, 0, self.before, self.stride))
        counts = tuple(-(-length // self.stride) for length in lengths)
        return self.finish(pick(self.convolve(laid), slots, self.stride, counts)), counts

    def convolve(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, inputs) -> one row (outputs) for each whole window in them."""
        found: torch.Tensor = self.convolution(rows.T[None])
        return found[0].T

    def finish(self, rows: torch.Tensor) -> torch.Tensor:
        """Norm and activation: the shape stays."""
        return self.activation(self.norm(rows))


class SpeechAdapter(nn.Module):
    """Stages and a Linear into the language model's width, a vector for every two frames of the encoder.

    "subsampling" is one stage that looks ahead, as released. "cnn" is two that look back, the second twice as wide
    again and strided; with stride 1, batch norm and ReLU it is the public code's adapter of that name.
    """

    def __init__(self, config: AdapterConfig, hidden: int, llm_hidden: int) -> None:
        super().__init__()
        width = config.channels
        stages = {
            "subsampling": [(hidden, width, config.stride, False)],
            "cnn": [(hidden, width, 1, True), (width, 2 * width, config.stride, True)],
        }
        chosen = _chosen(stages, config.kind, "kind")
        self.stages = nn.ModuleList(Stage(*shape, config) for shape in chosen)
        self.project = nn.Linear(chosen[-1][1], llm_hidden)

    def forward(self, states: torch.Tensor, frames: tuple[int, ...]) -> tuple[torch.Tensor, tuple[int, ...]]:
        """States (sum of frames, hidden) of clips -> vectors (sum of tokens, llm_hidden), and the tokens of each."""
        for stage in self.stages:
            states, frames = stage(states, frames)
        vectors: torch.Tensor = self.project(states)
        return vectors, frames


class PromptEmbeddings(nn.Module):
    """Guiding vectors that stand before a sound and are learned with the adapter."""

    def __init__(self, count: int, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, hidden))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, clips: int) -> torch.Tensor:
        """A whole set for each clip: (clips * count, hidden)."""
        return self.weight.repeat(clips, 1)


def _chosen(known: dict[str, Value], name: str, what: str) -> Value:
    if name not in known:
        raise UsageError(f"the speech adapter's {what} {name!r} is unknown; write one of {', '.join(known)}.")
    return known[name]
