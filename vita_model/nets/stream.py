"""Hearing while someone speaks: a waveform in any pieces gives what the whole clip gives under the same chunks.

What a layer still needs is kept: the end of the waveform that the next window begins in, filter-bank frames for the
next convolution, states until their chunk is whole, and of each block the keys and values that the chunk's
left context covers. Places are counted from the clip's start and never wrap.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from vita_data.errors import UsageError
from vita_data.prompt.lengths import FBANK_SHIFT, FBANK_WINDOW
from vita_model.nets.adapter import SpeechAdapter, Stage
from vita_model.nets.chunks import Chunks
from vita_model.nets.whale import SpeechEncoder
from vita_model.nets.whale_blocks import SEEN, SUBSAMPLING, Clips


class Waiting:
    """Rows that wait until the windows which begin with them are whole."""

    def __init__(self, window: int, hop: int, first: torch.Tensor) -> None:
        self._window, self._hop, self._rows = window, hop, first

    def push(self, rows: torch.Tensor) -> tuple[torch.Tensor, int]:
        """All rows of the windows that are whole now, and how many windows these are."""
        rows = torch.cat((self._rows, rows))
        count = max(0, (len(rows) - self._window) // self._hop + 1)
        self._rows = rows[count * self._hop :]
        return rows[: (count - 1) * self._hop + self._window if count else 0], count

    def rest(self) -> torch.Tensor:
        """The rows that still wait."""
        return self._rows


class Memory:
    """The last keys and values of one block, `limit` frames of them or all."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._held: tuple[torch.Tensor, torch.Tensor] | None = None

    def extend(self, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of the past with these (1, heads, n, width) behind them, which are then remembered too."""
        if self._held is not None:
            key, value = (torch.cat(pair, dim=2) for pair in zip(self._held, (key, value), strict=True))
        gone = 0 if self._limit is None else max(0, key.shape[2] - self._limit)
        self._held = key[:, :, gone:], value[:, :, gone:]
        return key, value


class EncoderStream:
    """The encoder, in eval mode, over one clip that comes in pieces."""

    def __init__(self, encoder: SpeechEncoder, chunks: Chunks) -> None:
        if chunks.size < 1:
            raise UsageError(
                "a stream needs chunks of one frame or more; name a chunk, or wait for the whole clip."
            )
        self._encoder, self._size = encoder, chunks.size
        self._memories = [Memory(chunks.past) for _ in encoder.blocks]
        weight = encoder.norm.weight
        exact = torch.zeros(0, encoder.config.mel_bins, device=weight.device)
        self._samples = Waiting(FBANK_WINDOW, FBANK_SHIFT, exact[:, 0])
        self._features = Waiting(SEEN, SUBSAMPLING, exact)
        self._entered = Waiting(chunks.size, chunks.size, weight.new_zeros(0, encoder.config.hidden))
        self._thinned = self._done = 0

    @torch.no_grad()
    def push(self, waveform: torch.Tensor, last: bool) -> torch.Tensor:
        """Samples (n,), from -1 to 1 at 16 kHz -> the states (m, hidden) that are complete with them.

        The last chunk of a clip is as short as its end leaves it. RecordError `audio_too_long` where the clip
        outgrows the position table.
        """
        samples, _ = self._samples.push(waveform)
        features, count = self._features.push(self._encoder.features(samples, (len(samples),)))
        self._thinned += count
        self._encoder.check_places(self._thinned)
        rows, _ = self._entered.push(self._encoder.enter(features, (len(features),), (count,)))
        if last:
            rows = torch.cat((rows, self._entered.rest()))
        return torch.cat([rows[:0], *map(self._attended, rows.split(self._size) if len(rows) else ())])

    def _attended(self, chunk: torch.Tensor) -> torch.Tensor:
        places = self._encoder.places(self._done, len(chunk), chunk.device)
        self._done += len(chunk)
        return self._encoder.through(chunk, Clips((len(chunk),), places, (None,)), self._memories)


class AdapterStream:
    """The adapter, in eval mode, over the states of one clip that come in pieces."""

    def __init__(self, adapter: SpeechAdapter) -> None:
        self._project = adapter.project
        stages: list[Any] = list(adapter.stages)
        self._stages = [(stage, _opened(stage)) for stage in stages]

    @torch.no_grad()
    def push(self, states: torch.Tensor, last: bool) -> torch.Tensor:
        """States (n, hidden) -> the vectors (m, llm_hidden) that are complete with them.

        At last also those that look past the end of the clip, where zeros are.
        """
        for stage, waiting in self._stages:
            if last:
                states = functional.pad(states, (0, 0, 0, stage.reach - stage.before))
            windows, count = waiting.push(states)
            outputs = stage.convolution.out_channels
            states = stage.finish(stage.convolve(windows)) if count else windows.new_zeros(0, outputs)
        vectors: torch.Tensor = self._project(states)
        return vectors


def _opened(stage: Stage) -> Waiting:
    weight = stage.convolution.weight
    return Waiting(stage.reach + 1, stage.stride, weight.new_zeros(stage.before, weight.shape[1]))


class SpeechStream:
    """Encoder and adapter, in eval mode, over one clip that comes in pieces."""

    def __init__(self, encoder: SpeechEncoder, adapter: SpeechAdapter, chunks: Chunks) -> None:
        self._encoder, self._adapter = EncoderStream(encoder, chunks), AdapterStream(adapter)

    def push(self, waveform: torch.Tensor, last: bool) -> torch.Tensor:
        """Samples (n,), from -1 to 1 at 16 kHz -> the vectors (m, llm_hidden) that are complete with them."""
        return self._adapter.push(self._encoder.push(waveform, last), last)
