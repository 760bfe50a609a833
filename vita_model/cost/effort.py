"""Floating-point operations of packs while they are trained on, from a few that are counted once.

What a part does is a sum over samples of a polynomial in their lengths: linear layers give the first power,
attention the second. So its coefficients follow from as many counts as it has, and a pack costs a few
multiplications. What is computed twice to save memory counts once, as in the share of peak that papers report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import torch

from vita_data.prompt.lengths import encoder_frames
from vita_model.config.lora import Lora
from vita_model.config.model import ModelConfig
from vita_model.cost.flops import HEARD_RATE, Shape, codec_flops, counted, outline, pieces, sequence_length
from vita_model.nets.batch import Batch
from vita_model.nets.lora import add_lora


@dataclass(frozen=True)
class Load:
    """What the parts go through: tokens of each sample, labelled ones, tiles, frames of each sound, states learned.

    `said` are the token ids and codec tokens of each utterance.
    """

    lengths: tuple[int, ...] = ()
    labelled: int = 0
    tiles: int = 0
    frames: tuple[int, ...] = ()
    states: int = 0
    said: tuple[tuple[int, int], ...] = ()


Monomials = tuple[int, ...]
MONOMIALS: dict[str, Callable[[Load], Monomials]] = {
    "vision_tower": lambda load: (load.tiles,),
    "projector": lambda load: (load.tiles,),
    "speech_encoder": lambda load: (sum(load.frames), _squares(load.frames)),
    "speech_adapter": lambda load: (sum(load.frames),),
    "language_model": lambda load: (sum(load.lengths), _squares(load.lengths), load.labelled),
    "state_head": lambda load: (load.states,),
    "speech_decoder": lambda load: (
        sum(text for text, _ in load.said),
        sum(codes for _, codes in load.said),
        _squares(text for text, _ in load.said),
        _squares(codes for _, codes in load.said),
        sum(text * codes for text, codes in load.said),
    ),
}
# As many shapes as a part has monomials, far enough apart to tell them from each other.
PROBES = (
    Shape(text=64, labelled=8, tiles=1, heard=2.0, symbols=4, said=1.0),
    Shape(text=256, labelled=8, tiles=1, heard=16.0, symbols=4, said=1.0),
    Shape(text=64, labelled=64, tiles=1, heard=2.0, symbols=4, said=8.0),
    Shape(text=256, labelled=8, tiles=1, heard=2.0, symbols=4, said=8.0),
    Shape(text=128, labelled=8, tiles=1, heard=2.0, symbols=4, said=1.0),
)


class Effort:
    """Operations of packs in a stage, by the coefficients of its parts."""

    def __init__(self, coefficients: dict[str, tuple[float, ...]]) -> None:
        self.coefficients = coefficients

    def of(self, load: Load) -> float:
        """Operations of one load, forward and backward."""
        return sum(
            factor * value
            for part, factors in self.coefficients.items()
            for factor, value in zip(factors, MONOMIALS[part](load), strict=True)
        )

    def __call__(self, batch: Batch) -> float:
        """Operations of one pack."""
        return self.of(load_of(batch)) if batch.keys else 0.0


def effort(
    config: ModelConfig, trains: tuple[str, ...], terms: tuple[str, ...], lora: Lora | None = None
) -> Effort:
    """The effort of a stage that trains these parts from these terms; a second of counting for the largest model.

    A pack counts as if it had something of every sense by which the stage learns, so that a frozen language model
    passes gradients on.
    """
    with torch.device("meta"):
        model = outline(config, trains, terms)
        if lora is not None:
            add_lora(model.language_model, lora, seed=0)
        calls = [pieces(model, terms, shape) for shape in PROBES]
        loads = [load_of_shape(config, trains, shape) for shape in PROBES]
        found = {}
        for part in calls[0]:
            rows = [MONOMIALS[part](load) for load in loads]
            costs = [float(counted(each[part]).total) for each in calls[: len(rows[0])]]
            found[part] = _solved(rows[: len(rows[0])], costs)
    return Effort(found)


@dataclass(frozen=True)
class SegmentEffort:
    """Operations of a training segment of the codec, and what its discriminators add."""

    codec: float
    discriminators: float

    def of(self, joined: bool) -> float:
        """Operations of one segment, where the discriminators have `joined` or have not."""
        return self.codec + self.discriminators * joined


def segment_effort(config: ModelConfig) -> SegmentEffort:
    """The effort of the codec's training."""
    found = codec_flops(config)
    return SegmentEffort(found["codec"].total, found["discriminators"].total)


def load_of(batch: Batch) -> Load:
    """The load of a pack."""
    return Load(
        lengths=tuple(last - first for first, last in pairwise(batch.segments)),
        labelled=len(batch.loss_places),
        tiles=len(batch.tiles),
        frames=tuple(map(encoder_frames, batch.sound_lengths)),
        states=len(batch.state_places),
        said=tuple(zip(batch.clause_lengths, batch.code_lengths, strict=True)),
    )


def load_of_shape(config: ModelConfig, trains: tuple[str, ...], shape: Shape) -> Load:
    """The load of one sample."""
    samples = int(shape.heard * HEARD_RATE)
    return Load(
        lengths=(sequence_length(config, trains, shape),),
        labelled=shape.labelled,
        tiles=shape.tiles,
        frames=(encoder_frames(samples),) if samples else (),
        states=1 if samples else 0,
        said=((shape.text, round(shape.said * config.geometry.codec_rate)),) if shape.said else (),
    )


def _solved(rows: list[Monomials], costs: list[float]) -> tuple[float, ...]:
    table = torch.tensor(rows, dtype=torch.float64, device="cpu")
    wanted = torch.tensor(costs, dtype=torch.float64, device="cpu")
    return tuple(torch.linalg.solve(table, wanted).tolist())


def _squares(values: Iterable[int]) -> int:
    return sum(value * value for value in values)
