"""Hearing in pieces: any cuts of a waveform give what the whole clip gives under the same chunks."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.vita_model.formulas import hum, noise, wave_weights
from vita_data.errors import RecordError, UsageError
from vita_model.config.presets import tiny
from vita_model.config.speech import AdapterConfig
from vita_model.nets.adapter import SpeechAdapter
from vita_model.nets.chunks import Chunks
from vita_model.nets.stream import EncoderStream, SpeechStream
from vita_model.nets.whale import SpeechEncoder

RELEASED = tiny().adapter
CAUSAL = AdapterConfig(kind="cnn", channels=32, kernel=3, norm="batch", activation="relu")


def parts(
    chunks: Chunks, adapter: AdapterConfig = RELEASED, positions: int = 5000
) -> tuple[SpeechEncoder, SpeechAdapter]:
    """A tiny encoder under these chunks with its adapter, both in eval mode."""
    torch.manual_seed(0)
    config = replace(tiny().encoder, chunk=chunks.size, left_chunks=chunks.left, positions=positions)
    encoder, behind = SpeechEncoder(config).eval(), SpeechAdapter(adapter, config.hidden, 24).eval()
    wave_weights(encoder)
    return encoder, behind


@settings(max_examples=25, deadline=None)
@given(
    samples=st.integers(0, 20000),
    cuts=st.lists(st.integers(0, 20000), max_size=12),
    chunks=st.builds(Chunks, st.integers(2, 16), st.integers(-1, 4)),
    adapter=st.sampled_from([RELEASED, replace(RELEASED, kernel=3), CAUSAL, replace(CAUSAL, stride=1)]),
)
@example(samples=20000, cuts=[700, 9000, 9001], chunks=Chunks(3, 2), adapter=RELEASED)
def test_any_cuts_give_what_the_whole_clip_gives(
    samples: int, cuts: list[int], chunks: Chunks, adapter: AdapterConfig
) -> None:
    encoder, behind = parts(chunks, adapter)
    clip = hum(samples) + noise(samples)
    with torch.no_grad():
        whole, _ = behind(*encoder(clip, (samples,)))
    stream = SpeechStream(encoder, behind, chunks)
    bounds = sorted([0, samples, *(min(cut, samples) for cut in cuts)])
    pieces = [stream.push(clip[first:last], last=False) for first, last in pairwise(bounds)]
    found = torch.cat([*pieces, stream.push(clip[:0], last=True)])
    assert found.shape == whole.shape
    assert (found - whole).norm() <= 1e-4 * whole.norm()


def test_states_come_as_soon_as_their_chunk_is_whole() -> None:
    chunks = Chunks(4, 2)
    stream = EncoderStream(parts(chunks)[0], chunks)
    # Four states see the 19 filter-bank frames of 400 + 18 * 160 samples.
    assert len(stream.push(noise(3279), last=False)) == 0
    assert len(stream.push(noise(1), last=False)) == 4


def test_a_stream_remembers_no_more_than_its_left_context() -> None:
    chunks = Chunks(4, 2)
    stream = EncoderStream(parts(chunks)[0], chunks)
    for _ in range(20):
        stream.push(noise(4000), last=False)
    kept = [tensor for memory in stream._memories for tensor in memory._held or ()]
    assert len(kept) == 4 and {tensor.shape[2] for tensor in kept} == {8}
    assert len(stream._samples.rest()) < 560 and len(stream._features.rest()) < 11


def test_places_are_counted_on_and_the_tables_end_is_refused() -> None:
    chunks = Chunks(4, 1)
    encoder, _ = parts(chunks, positions=24)
    stream = EncoderStream(encoder, chunks)
    stream.push(noise(16000), last=False)
    with pytest.raises(RecordError, match="the speech encoder has 24 positions") as caught:
        stream.push(noise(4000), last=False)
    assert caught.value.rule == "audio_too_long"


def test_full_attention_is_no_stream() -> None:
    with pytest.raises(UsageError, match="chunks of one frame or more"):
        EncoderStream(parts(Chunks())[0], Chunks())
