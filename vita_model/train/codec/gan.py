"""One step of the codec against its discriminators: these learn first, then it learns from what they say.

Every term is a sum over segments divided by the number of segments of the whole global batch, so neither the
number of ranks nor how they share a batch changes what is learned.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import distributed

from vita_data.errors import VitaError
from vita_data.records.key import keyed_hash
from vita_model.batch.segments import Segments
from vita_model.cost.effort import SegmentEffort
from vita_model.nets.codec.codec import Reconstruction
from vita_model.nets.codec.losses import WEIGHTS, MelDistances, codec_terms, weighted
from vita_model.nets.codec.mel import LogMel
from vita_model.train import breakdown, state
from vita_model.train.aside import Aside
from vita_model.train.codec.engines import Engines
from vita_model.train.codec.task import CodecTask
from vita_model.train.codec.use import use_of
from vita_model.train.engine import clip_plain, gathered, set_rates, total
from vita_model.train.schedule import rates
from vita_model.train.spikes import Spikes

NAMED = 20
HEARD_BY = "mel_1024"


class Gan:
    """A training of the codec in progress; `batches` are this rank's, in the order of the steps to come.

    `effort` is that of a segment.
    """

    def __init__(
        self,
        engines: Engines,
        task: CodecTask,
        batches: Iterator[Segments],
        spikes: Spikes,
        aside: Aside,
        effort: SegmentEffort | None = None,
    ) -> None:
        self.engines = engines
        self.task = task
        self.batches = batches
        self.spikes = spikes
        self.aside = aside
        self.device: torch.device = engines.maker.device
        self.mels = MelDistances(task.config.codec).to(self.device)
        self.world = distributed.get_world_size()
        self.effort = effort
        engines.maker.train()
        engines.trial.train()

    def step(self, number: int) -> dict[str, Any]:
        """One update of both; returns the metrics.

        VitaError when a loss is not finite, before the update it is of, or a gradient, before anything is saved.
        """
        batch = next(self.batches).to(self.device)
        self.aside.settle()
        _, rate = rates(self.task.schedule, number, self.task.order.steps)
        for engine in (self.engines.maker, self.engines.trial):
            set_rates(engine, rate, rate)
        made, _ = self.engines.maker(batch.segments, batch.others)
        joined = number >= self.task.joining
        judged = self._teach_discriminators(number, batch, made.waveform.detach()) if joined else {}
        terms = self._terms(batch.segments, made, joined)
        loss = weighted(terms) / self.task.schedule.global_batch
        means = self._means(terms)
        mean = sum(WEIGHTS[name] * value for name, value in means.items())
        norm = self._update(self.engines.maker, number, loss, mean, batch)
        spike = self.spikes.score(mean, norm)
        self.spikes.add(mean, norm)
        restarted = self._refresh(number)
        clips = self.task.schedule.global_batch
        tokens = clips * self.task.cut.samples // self.task.config.codec.hop
        return {
            "step": number,
            "loss": mean,
            **{f"loss_{name}": value for name, value in means.items()},
            **judged,
            **breakdown.means([self._by_source(batch, made.waveform)]),
            **use_of(self.engines.codec, made.quantised),
            "restarted_codes": restarted,
            "learning_rate": rate,
            "gradient_norm": norm,
            "spike": spike,
            "tokens": tokens,
            "samples": clips,
            **({"operations": clips * self.effort.of(joined)} if self.effort else {}),
        }

    def _teach_discriminators(
        self, number: int, batch: Segments, waveforms: torch.Tensor
    ) -> dict[str, float]:
        terms = self.engines.trial(batch.segments, waveforms)
        means = self._means(terms)
        loss = torch.stack(list(terms.values())).sum() / self.task.schedule.global_batch
        mean = sum(means.values())
        norm = self._update(self.engines.trial, number, loss, mean, batch)
        told = {f"loss_discriminator_{name}": value for name, value in means.items()}
        return {"loss_discriminator": mean, **told, "gradient_norm_discriminator": norm}

    def _terms(self, segments: torch.Tensor, made: Reconstruction, joined: bool) -> dict[str, torch.Tensor]:
        distances = self.mels(made.waveform, segments)
        if not joined:
            return codec_terms(made, distances)
        judges = self.engines.discriminators.requires_grad_(False)  # they pass gradients on and keep none
        with torch.no_grad():
            real = judges(segments)
        terms = codec_terms(made, distances, real, judges(made.waveform))
        judges.requires_grad_(True)
        return terms

    def _update(self, engine: Any, number: int, loss: torch.Tensor, mean: float, batch: Segments) -> float:
        """A backward pass and a step of one engine; the norm of its gradient."""
        self._require_finite(number, mean, float(loss.detach()), batch)
        engine.backward(loss * self.world)
        norm = clip_plain(engine, self.task.schedule.clip)
        engine.step()
        norm = float(engine.get_global_grad_norm()) if norm is None else norm
        self._require_finite(number, norm, norm, batch)
        return norm

    def _means(self, terms: dict[str, torch.Tensor]) -> dict[str, float]:
        sums = total([float(term.detach()) for term in terms.values()], self.device)
        segments = self.task.schedule.global_batch
        return {name: value / segments for name, value in zip(terms, sums, strict=True)}

    def _refresh(self, number: int) -> int:
        """Settles the codebooks; codes that were moved begin anew in the optimizer, too."""
        seed = keyed_hash(self.task.cut.seed, "codebooks", str(number)) >> 1
        moved = self.engines.codec.refresh(seed)
        for vectors, rows in moved:
            if len(rows):
                state.restart_rows(self.engines.maker, vectors, rows)
        return sum(len(rows) for _, rows in moved)

    @torch.no_grad()
    def _by_source(self, batch: Segments, waveforms: torch.Tensor) -> breakdown.Parts:
        """The mel distances of each source's segments."""
        mel: LogMel = self.mels.spectra[HEARD_BY]  # type: ignore[assignment]
        apart = (mel(waveforms.detach().squeeze(1)) - mel(batch.segments.squeeze(1))).abs().flatten(1).mean(1)
        sums = (
            {breakdown.source_of(key): (value, 1)}
            for key, value in zip(batch.keys, apart.tolist(), strict=True)
        )
        return {breakdown.SOURCES: breakdown.joined(sums)}

    def _require_finite(self, number: int, value: float, mine: float, batch: Segments) -> None:
        if math.isfinite(value):
            return
        suspects = gathered(list(batch.keys) if not math.isfinite(mine) else [])
        suspects = suspects or gathered(list(batch.keys))
        more = f" and {len(suspects) - NAMED} more" if len(suspects) > NAMED else ""
        raise VitaError(
            f"step {number}: the loss or its gradient is {value} in {', '.join(suspects[:NAMED])}{more}; "
            "look at them or lower the learning rate, then go on from the last checkpoint with --resume."
        )
