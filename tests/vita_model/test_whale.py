"""The Whale encoder: its size, its numbers, and that a clip is heard the same in any company."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vita_model.formulas import hum, noise, wave_sum, wave_weights
from vita_data.errors import RecordError
from vita_data.prompt.lengths import encoder_frames
from vita_model.config.presets import tiny
from vita_model.config.speech import AdapterConfig, EncoderConfig
from vita_model.nets.adapter import SpeechAdapter
from vita_model.nets.chunks import Chunks, draw_chunks
from vita_model.nets.whale import SpeechEncoder, sinusoids
from vita_model.nets.whale_blocks import Attention, Clips

TINY = tiny().encoder
SMALL = EncoderConfig(hidden=16, layers=2, heads=2, intermediate=32)

# The public code in float64, with the weights and the sound of formulas.py and the statistics below: one of 16 numbers
# of every fourth state, one of 8 of every second vector behind the adapter, and norms of gradients of `wave_sum`.
FULL, CHUNKED = (0, -1), (3, 2)
STATES = {
    FULL: [-0.09444, -0.17584, -0.37974, 0.02729, -0.44388],
    CHUNKED: [0.53994, 0.68224, 0.59112, 0.05545, -0.16301],
}
VECTORS = {
    FULL: [-3.41668, -2.1252, -4.02537, -1.5883, -3.65436],
    CHUNKED: [-3.56371, -1.28906, -4.11816, -1.66595, -3.2257],
}
GRADIENTS = {
    "subsampling.second.weight": {FULL: 148.5, CHUNKED: 103.96},
    "blocks.0.attention.query.weight": {FULL: 3.4928, CHUNKED: 3.623},
    "blocks.0.attention.key.weight": {FULL: 8.3153, CHUNKED: 4.2951},
    "blocks.0.attention.place.weight": {FULL: 3.7204, CHUNKED: 1.5954},
    "blocks.0.attention.content_bias": {FULL: 2.2127, CHUNKED: 1.482},
    "blocks.1.attention.place_bias": {FULL: 0.32769, CHUNKED: 0.17435},
    "blocks.1.widen.weight": {FULL: 10.731, CHUNKED: 12.027},
}


def made(config: EncoderConfig = TINY, **changes: object) -> SpeechEncoder:
    """An encoder in eval mode, with random weights that are always the same."""
    torch.manual_seed(0)
    return SpeechEncoder(replace(config, **changes)).eval()


def heard(encoder: SpeechEncoder, *clips: torch.Tensor) -> torch.Tensor:
    """The states of some clips."""
    return encoder(torch.cat(clips), tuple(map(len, clips)))[0]


def test_the_papers_encoder_has_357950464_parameters() -> None:
    with torch.device("meta"):
        encoder = SpeechEncoder(EncoderConfig())
    assert sum(weight.numel() for weight in encoder.parameters()) == 357_950_464


@pytest.mark.parametrize("chunks", [FULL, CHUNKED])
def test_states_vectors_and_gradients_are_those_of_the_public_code(chunks: tuple[int, int]) -> None:
    encoder = SpeechEncoder(replace(SMALL, chunk=chunks[0], left_chunks=chunks[1])).eval()
    adapter = SpeechAdapter(AdapterConfig(channels=32), 16, 8).eval()
    wave_weights(encoder)
    wave_weights(adapter)
    encoder.cmvn.mean.fill_(12.0)
    encoder.cmvn.istd.fill_(0.25)
    states, frames = encoder(hum(12000), (12000,))
    vectors, _ = adapter(states, frames)
    wave_sum(vectors).backward()
    torch.testing.assert_close(states[::4, 5], torch.tensor(STATES[chunks]), atol=1e-4, rtol=0)
    torch.testing.assert_close(vectors[::2, 3], torch.tensor(VECTORS[chunks]), atol=1e-4, rtol=0)
    for name, norms in GRADIENTS.items():
        found = encoder.get_parameter(name).grad
        assert found is not None and found.norm().item() == pytest.approx(norms[chunks], rel=2e-4), name


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=4))
def test_every_clip_has_the_frames_that_the_build_counts(lengths: list[int]) -> None:
    with torch.no_grad():
        states, frames = made()(noise(sum(lengths)), tuple(lengths))
    assert frames == tuple(map(encoder_frames, lengths)) and len(states) == sum(frames)


def test_a_clips_states_do_not_depend_on_its_batch() -> None:
    encoder = made(chunk=4, left_chunks=2)
    clips = [hum(20000), noise(1000), noise(1360), hum(50001) * 0.1]
    together = heard(encoder, *clips)
    alone = torch.cat([heard(encoder, clip) for clip in clips])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_what_a_neighbour_says_changes_not_one_bit() -> None:
    encoder = made()
    first = heard(encoder, hum(20000), noise(30000, 1), hum(9000))
    second = heard(encoder, hum(20000), noise(30000, 2), hum(9000))
    before, after = encoder_frames(20000), encoder_frames(9000)
    assert torch.equal(first[:before], second[:before]) and torch.equal(first[-after:], second[-after:])
    assert not torch.equal(first, second)


def test_one_fused_attention_is_the_formula_with_two_terms_written_out() -> None:
    torch.manual_seed(0)
    attention = Attention(replace(TINY, hidden=24, heads=3)).double()
    hidden = torch.randn(13, 24, dtype=torch.float64)
    frames, chunks, device = (9, 4), Chunks(2, 1), torch.device("cpu")
    masks = tuple(chunks.mask(count, device) for count in frames)
    places = sinusoids(0, 9, 24, device).double()
    found = attention(hidden, Clips(frames, places, masks))

    def heads(rows: torch.Tensor) -> torch.Tensor:
        return rows.view(-1, 3, 8).transpose(0, 1)

    expected = []
    for rows, mask in zip(hidden.split(frames), masks, strict=True):
        query, key, value = (heads(of(rows)) for of in (attention.query, attention.key, attention.value))
        place = heads(attention.place(places[: len(rows)]))
        scores = (query + attention.content_bias[:, None]) @ key.mT
        scores = (scores + (query + attention.place_bias[:, None]) @ place.mT) / 8**0.5
        weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
        expected.append(attention.out((weights @ value).transpose(0, 1).flatten(1)))
    torch.testing.assert_close(found, torch.cat(expected))


@given(st.integers(1, 40), st.integers(1, 12), st.integers(-1, 5))
def test_a_frame_sees_its_own_chunk_and_so_many_before(frames: int, size: int, left: int) -> None:
    mask = Chunks(size, left).mask(frames, torch.device("cpu"))
    for query in range(frames):
        first = 0 if left < 0 else max(0, query // size - left) * size
        seen = list(range(first, min(frames, (query // size + 1) * size)))
        assert mask is None or mask[query].nonzero().flatten().tolist() == seen
        assert mask is not None or seen == list(range(frames))


def test_full_attention_hears_the_end_at_the_beginning_and_chunks_do_not() -> None:
    start, ends = hum(16000), (noise(16000, 1), noise(16000, 2))
    for encoder, same in ((made(), False), (made(chunk=4), True)):
        first, second = (heard(encoder, torch.cat((start, end))) for end in ends)
        assert torch.equal(first[:20], second[:20]) is same


def test_chunks_are_drawn_in_training_only_and_by_the_seed() -> None:
    def drawn(seed: int) -> list[Chunks]:
        torch.manual_seed(seed)
        return [draw_chunks(100) for _ in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)
    sizes = {chunks.size for chunks in drawn(1)}
    assert 0 in sizes and len(sizes) > 15 and max(sizes) <= 25
    assert [draw_chunks(frames).size for frames in (0, 1)] == [0, 0]
    clip = hum(16000)
    asked, whole = made(dynamic_chunks=True), heard(made(), clip)
    assert all(torch.equal(heard(asked, clip), whole) for _ in range(8))
    training = made(dynamic_chunks=True, dropout=0.0, dither=0.0).train()
    found = {round(wave_sum(heard(training, clip)).item(), 3) for _ in range(12)}
    assert len(found) > 2


def test_noise_and_dropout_act_in_training_only() -> None:
    clip = hum(9000)
    assert torch.equal(heard(made(), clip), heard(made(), clip))
    for changes in ({"dropout": 0.0}, {"dither": 0.0}):
        encoder = made(**changes).train()
        assert not torch.equal(heard(encoder, clip), heard(encoder, clip))


def test_training_asks_the_convolutions_for_few_shapes_and_finds_the_same_states() -> None:
    encoder, shapes = made(SMALL, dropout=0.0, dither=0.0), set()
    encoder.subsampling.first.register_forward_pre_hook(lambda _, given: shapes.add(given[0].shape[2]))
    for length in range(4000, 30000, 1300):
        torch.testing.assert_close(
            heard(encoder.train(), noise(length)), heard(encoder.eval(), noise(length)), rtol=1e-4, atol=1e-5
        )
    rounded = {size for size in shapes if size % 128 == 0}
    assert rounded == {128, 256} and len(shapes - rounded) > 10


def test_a_clip_past_the_position_table_is_refused() -> None:
    encoder = made(positions=20)
    heard(encoder, noise(14000))
    with pytest.raises(RecordError, match="23 encoder frames and the speech encoder has 20") as caught:
        heard(encoder, noise(9000), noise(16000))
    assert (caught.value.rule, caught.value.value, caught.value.threshold) == ("audio_too_long", "23", "20")


def test_saving_memory_changes_no_gradient() -> None:
    def gradients(saves: bool) -> dict[str, torch.Tensor]:
        encoder = made().train()
        encoder.save_memory(saves)
        torch.manual_seed(1)
        wave_sum(heard(encoder, hum(9000), noise(5000))).backward()
        return {name: weight.grad for name, weight in encoder.named_parameters() if weight.grad is not None}

    plain, saved = gradients(False), gradients(True)
    assert plain.keys() == saved.keys() == dict(made().named_parameters()).keys()
    for name, gradient in plain.items():
        torch.testing.assert_close(saved[name], gradient)


def test_clips_too_short_for_a_frame_give_every_weight_a_gradient_of_zero() -> None:
    encoder = made()
    states, frames = encoder(noise(1300), (300, 1000))
    assert states.shape == (0, 64) and frames == (0, 0)
    states.sum().backward()
    assert all(weight.grad is not None and not weight.grad.any() for weight in encoder.parameters())


def test_in_bf16_it_hears_nearly_the_same() -> None:
    exact = heard(made(), hum(16000))
    rough = heard(made().to(torch.bfloat16), hum(16000))
    assert rough.dtype == torch.bfloat16
    assert (rough.float() - exact).norm() < 0.03 * exact.norm()
