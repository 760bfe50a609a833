"""Mean and spread of the filter-bank energies: taken out of every frame, measured, and read from other tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from vita_data.errors import VitaError
from vita_model.nets.precision import kept_buffers

LEAST_VARIANCE = 1e-20


class Cmvn(nn.Module):
    """(frames - mean) * istd with buffers of one number a mel bin; as it is made it changes nothing.

    The buffers are never trained, and stay float32 in a model of lower precision: means of about 15 in bf16
    would be wrong by more than what is left of many frames.
    """

    mean: torch.Tensor
    istd: torch.Tensor

    def __init__(self, mel_bins: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(mel_bins))
        self.register_buffer("istd", torch.ones(mel_bins))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """float32 (F, mel_bins) -> the same shape, normalised."""
        return (frames - self.mean) * self.istd

    def is_set(self) -> bool:
        """Whether anything was ever taken."""
        return bool(self.mean.any())

    def take(self, moments: Moments) -> None:
        """Takes the mean and the spread that were measured or read."""
        self.mean.copy_(moments.mean)
        self.istd.copy_(moments.istd)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Any:
        with kept_buffers(self):
            super()._apply(fn, recurse)
        return self


@dataclass(frozen=True)
class Moments:
    """What there is to know of many frames: sums and sums of squares (mel_bins,) in float64, and their count."""

    sums: torch.Tensor
    squares: torch.Tensor
    frames: int

    @staticmethod
    def of(frames: torch.Tensor) -> Moments:
        """The moments of filter-bank frames (F, mel_bins), before any normalisation."""
        exact = frames.double()
        return Moments(exact.sum(0), exact.square().sum(0), len(frames))

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.sums + other.sums, self.squares + other.squares, self.frames + other.frames)

    @property
    def mean(self) -> torch.Tensor:
        """float64 (mel_bins,)."""
        return self.sums / self.frames

    @property
    def istd(self) -> torch.Tensor:
        """One over the standard deviation, float64 (mel_bins,)."""
        variance = self.squares / self.frames - self.mean.square()
        return variance.clamp_min(LEAST_VARIANCE).rsqrt()

    def to_text(self) -> str:
        """The JSON form that `read_moments` reads."""
        said = {
            "mean_stat": self.sums.tolist(),
            "var_stat": self.squares.tolist(),
            "frame_num": self.frames,
        }
        return json.dumps(said)


def read_moments(text: str, where: str, mel_bins: int) -> Moments:
    """The statistics in a text of either form: JSON, or Kaldi's matrix written as text.

    The JSON has mean_stat (sums), var_stat (sums of squares) and frame_num; the matrix is
    [ sums count / sums of squares 0 ]. VitaError, which names `where`, for anything else.
    """
    try:
        found = _from_json(text) if text.lstrip().startswith("{") else _from_kaldi(text)
    except (ValueError, KeyError, TypeError) as error:
        raise VitaError(
            f"{where}: no CMVN statistics, neither JSON nor Kaldi's text matrix ({error}); "
            "write Kaldi's binary form as text first."
        ) from error
    whole = torch.cat((found.sums, found.squares))
    if found.sums.shape != (mel_bins,) or found.squares.shape != (mel_bins,):
        raise VitaError(
            f"{where}: statistics of {found.sums.numel()} mel bins for an encoder of {mel_bins}; take its own."
        )
    if found.frames < 1 or not whole.isfinite().all():
        raise VitaError(f"{where}: statistics of {found.frames} frames, or not finite; measure them again.")
    return found


def _from_json(text: str) -> Moments:
    said = json.loads(text)
    sums, squares = (torch.tensor(said[name], dtype=torch.float64) for name in ("mean_stat", "var_stat"))
    return Moments(sums, squares, int(said["frame_num"]))


def _from_kaldi(text: str) -> Moments:
    opening, *numbers, closing = text.split()
    if (opening, closing) != ("[", "]") or len(numbers) % 2:
        raise ValueError("no matrix of two rows between brackets")
    first, second = torch.tensor([float(number) for number in numbers], dtype=torch.float64).view(2, -1)
    return Moments(first[:-1], second[:-1], int(first[-1]))
