"""The speech decoder: what sees what, positions without gaps, one loss however utterances are batched, sampling."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

import pytest
import torch
from torch.nn import functional

from vita_data.errors import UsageError
from vita_model.config.decoder import DecoderConfig
from vita_model.config.released import decoder_config
from vita_model.nets.sampling import Sampling
from vita_model.nets.speech_decoder import SpeechDecoder

CONFIG = DecoderConfig(
    width=32, heads=4, kv_heads=4, intermediate=48, layers=2, nar_layers=1, codes=50, positions=160
)
HIDDEN = 64
RELEASED = {
    "idim": 896,
    "odim": 1024,
    "encoder_output_dim": 896,
    "transformer_attention_dim": 896,
    "transformer_num_blocks": 4,
    "transformer_attention_heads": 14,
    "transformer_linear_units": 4864,
    "transformer_dropout_rate": 0.1,
}


def decoder(config: DecoderConfig = CONFIG, seed: int = 0) -> SpeechDecoder:
    """Weights large enough that every position and every neighbour shows in the result."""
    torch.manual_seed(seed)
    model = SpeechDecoder(config, HIDDEN).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.15)
    return model


def utterances(*lengths: tuple[int, int], seed: int = 1) -> tuple:
    """Text vectors, their lengths, codes and their lengths of utterances of so many text and codec tokens."""
    draw = torch.Generator().manual_seed(seed)
    texts, codes = (tuple(side) for side in zip(*lengths, strict=True))
    return (
        torch.randn(sum(texts), HIDDEN, generator=draw),
        texts,
        torch.randint(0, CONFIG.codes, (sum(codes),), generator=draw),
        codes,
    )


def one_of(batch: tuple, number: int) -> tuple:
    vectors, texts, codes, lengths = batch
    return (
        vectors.split(texts)[number],
        texts[number : number + 1],
        codes.split(lengths)[number],
        lengths[number : number + 1],
    )


def parameters(config: DecoderConfig) -> int:
    with torch.device("meta"):
        return sum(weight.numel() for weight in SpeechDecoder(config, 3584).parameters())


def test_the_released_shape_has_its_number_of_parameters() -> None:
    config = decoder_config([896, 1024, RELEASED], "decoder/model.json")
    assert (config.layers, config.nar_layers, config.vocabulary, config.dropout) == (4, 2, 1028, 0.1)
    assert parameters(config) == 99_569_028


def test_the_papers_four_blocks_each_have_theirs() -> None:
    assert parameters(DecoderConfig()) == 132_144_004


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"transformer_num_blocks": None}, "transformer_num_blocks is None"),
        ({"idim": 512}, "idim is 512; only 896 fits"),
    ],
)
def test_a_released_shape_that_cannot_be_built_is_refused(change: dict, words: str) -> None:
    with pytest.raises(UsageError, match=rf"m\.json: {words}"):
        decoder_config([896, 1024, RELEASED | change], "m.json")


def test_an_embedding_that_the_width_does_not_divide_is_refused() -> None:
    with pytest.raises(UsageError, match="an embedding of 70 is no whole number of its vectors of 32"):
        SpeechDecoder(CONFIG, 70)


def test_an_utterance_beyond_the_positions_is_refused_with_the_numbers() -> None:
    model, full = decoder(), utterances((4, 150))
    assert CONFIG.positions == 1 + 8 + 1 + 150 and model(*full).isfinite().all()
    with pytest.raises(UsageError, match="4 text tokens and 151 codec tokens take 161 positions of 160"):
        model(*utterances((3, 9), (4, 151)))
    with pytest.raises(UsageError, match="take 161 positions"):
        model.generate(full[0], Sampling(most=151))


def test_an_utterance_without_text_is_refused() -> None:
    with pytest.raises(UsageError, match="without text"):
        decoder()(*utterances((3, 4), (0, 4)))


def test_a_batch_is_its_utterances_one_by_one_with_every_gradient() -> None:
    model, batch = decoder(), utterances((3, 11), (1, 2), (9, 30), (2, 0))
    alone = [model(*one_of(batch, number)) for number in range(4)]
    wanted = torch.autograd.grad(torch.cat(alone).sum(), list(model.parameters()))
    together = model(*batch)
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-5, atol=1e-5)
    for found, gradient in zip(
        torch.autograd.grad(together.sum(), list(model.parameters())), wanted, strict=True
    ):
        torch.testing.assert_close(found, gradient, rtol=1e-4, atol=1e-4)


def test_positions_have_no_gaps_whatever_else_is_in_the_batch() -> None:
    model, batch = decoder(), utterances((3, 11), (20, 60), (1, 5))
    logits = model.logits(*batch).split([12, 61, 6])
    for number in range(3):
        torch.testing.assert_close(logits[number], model.logits(*one_of(batch, number)), rtol=1e-5, atol=1e-5)


def test_codec_tokens_and_the_end_have_a_loss_each_and_padding_has_none() -> None:
    model, (vectors, texts, codes, _) = decoder(), utterances((3, 6))
    logits = model.logits(vectors, texts, codes, (6,))
    wanted = functional.cross_entropy(logits, torch.tensor([*codes, CONFIG.end_speech]), reduction="none")
    torch.testing.assert_close(model(vectors, texts, codes, (6,)), wanted)
    codes[2] = CONFIG.padding
    logits = model.logits(vectors, texts, codes, (6,))
    wanted = functional.cross_entropy(logits, torch.tensor([*codes, CONFIG.end_speech]), reduction="none")
    wanted[2] = 0
    torch.testing.assert_close(model(vectors, texts, codes, (6,)), wanted)


def test_text_is_read_in_both_directions_and_codec_tokens_only_backwards() -> None:
    model, (vectors, texts, codes, lengths) = decoder(), utterances((5, 8))
    before = model.logits(vectors, texts, codes, lengths)
    changed = vectors.clone()
    changed[-1] += 1
    read, again = (model._read(text, texts)[0] for text in (vectors, changed))
    assert not torch.isclose(read[1:], again[1:]).all(dim=1).any(), "the last word is not seen from the first"
    codes[4] = (codes[4] + 1) % CONFIG.codes
    after = model.logits(vectors, texts, codes, lengths)
    assert torch.equal(before[:5], after[:5]) and not torch.isclose(before[5:], after[5:]).all(dim=1).any()


def test_the_ar_half_sees_all_text_from_its_first_vector() -> None:
    model, (vectors, texts, _, _) = decoder(), utterances((5, 8))
    (prompt,) = model._read(vectors, texts)
    other = prompt.clone()
    other[-1] += 1
    seen = []
    for text in (prompt, other):
        mask = torch.ones(len(text), len(text), dtype=torch.bool)
        seen.append(model.ar(text, torch.arange(len(text)), (mask,)))
    assert not torch.isclose(seen[0][0], seen[1][0]).all()


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_sampling_with_kept_keys_equals_the_whole_sequence_again(seed: int) -> None:
    model, vectors = decoder(seed=seed), utterances((6, 0))[0]
    with torch.no_grad():
        model.head.bias[CONFIG.end_speech] = -1e4
    steps: list[torch.Tensor] = []
    hook = model.head.register_forward_hook(lambda module, inputs, output: steps.append(output[0].clone()))
    tokens = model.generate(vectors, Sampling(top_k=1, most=40))
    hook.remove()
    whole = model.logits(vectors, (6,), tokens, (len(tokens),))
    torch.testing.assert_close(torch.stack(steps), whole[: len(steps)], rtol=1e-5, atol=1e-5)
    allowed = whole[:, [*range(CONFIG.codes), CONFIG.end_speech]].argmax(dim=1)
    assert allowed[: len(tokens)].tolist() == tokens.tolist() and len(tokens) == 40


def test_a_seed_decides_the_draw_and_another_draws_otherwise() -> None:
    model, vectors = decoder(), utterances((6, 0))[0]
    rule = Sampling(top_k=40, most=30)
    first, again, other = (model.generate(vectors, replace(rule, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.max() < CONFIG.codes and first.dtype == torch.int64


def test_only_codec_tokens_are_drawn_however_likely_the_specials_are() -> None:
    model, vectors = decoder(), utterances((6, 0))[0]
    with torch.no_grad():
        for token in (CONFIG.begin_text, CONFIG.begin_speech, CONFIG.padding):
            model.head.bias[token] = 1e4
    tokens = model.generate(vectors, Sampling(top_k=2, most=60))
    assert len(tokens) and tokens.max() < CONFIG.codes


def test_the_end_stops_the_speech_and_is_not_part_of_it() -> None:
    model, vectors = decoder(), utterances((6, 0))[0]
    with torch.no_grad():
        model.head.bias[CONFIG.end_speech] = 1e4
    assert model.generate(vectors, Sampling(most=9)).tolist() == []
    assert list(model.stream(vectors, Sampling(most=9))) == []


def test_a_stream_brings_the_first_tokens_before_the_others_are_drawn() -> None:
    model, vectors = decoder(), utterances((6, 0))[0]
    with torch.no_grad():
        model.head.bias[CONFIG.end_speech] = -1e4
    rule = Sampling(most=50)
    calls: list[int] = []
    hook = model.head.register_forward_hook(lambda *_: calls.append(1))
    stream = model.stream(vectors, rule, first=7, then=20)
    pieces = [next(stream)]
    assert len(calls) == 7
    hook.remove()
    pieces += list(stream)
    assert [len(piece) for piece in pieces] == [7, 20, 20, 3]
    assert torch.equal(torch.cat(pieces), model.generate(vectors, rule))


def test_weights_of_half_precision_keep_fp32_logits_and_exact_positions() -> None:
    model = decoder().to(torch.bfloat16)
    logits = model.logits(*utterances((6, 5)))
    assert logits.dtype == torch.float32 and not list(model.buffers())
    assert model(*utterances((6, 5))).dtype == torch.float32


def test_blocks_computed_twice_give_the_same_gradients() -> None:
    model, batch = decoder().train(), utterances((3, 11), (2, 4))
    weights = list(model.parameters())
    plain = torch.autograd.grad(model(*batch).sum(), weights)
    model.save_memory(True)
    saved = torch.autograd.grad(model(*batch).sum(), weights)
    assert all(torch.equal(one, other) for one, other in zip(plain, saved, strict=True))


def test_every_weight_learns_but_the_paddings_row() -> None:
    model = decoder()
    model(*utterances((3, 50), (2, 40))).sum().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name
    assert not model.embedding.weight.grad[CONFIG.padding].any()


def test_a_model_learns_to_say_what_it_was_shown() -> None:
    torch.manual_seed(0)
    model, batch = SpeechDecoder(CONFIG, HIDDEN), utterances((3, 12), (4, 9), seed=8)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        model(*batch).sum().backward()
        optimizer.step()
    ends = list(accumulate(batch[3]))
    model.eval()
    for number, (first, last) in enumerate(zip([0, *ends], ends, strict=False)):
        said = model.generate(one_of(batch, number)[0], Sampling(top_k=1, most=40))
        assert said.tolist() == batch[2][first:last].tolist()
