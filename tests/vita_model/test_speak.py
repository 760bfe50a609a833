"""Speech from text, piece by piece and at once."""

from __future__ import annotations

import pytest
import torch

from vita_data.prompt.tokenizer import load_tokenizer
from vita_model.config.presets import tiny
from vita_model.nets.sampling import Sampling
from vita_model.nets.speak import Spoken, speak, spoken
from vita_model.nets.vita import Vita, build

CLAUSES = [Spoken((12, 900, 77)), Spoken((5, 6, 7, 8))]
SHORT = Sampling(most=50, seed=3)


@pytest.fixture(scope="module")
def model() -> Vita:
    return build(tiny(), seed=1).eval()


def test_the_pieces_are_what_all_tokens_at_once_decode_to(model: Vita) -> None:
    voice = torch.tensor(model.config.codec.voice)
    found = torch.cat(list(speak(model, CLAUSES, sampling=SHORT)))
    whole = []
    with torch.no_grad():
        for clause in CLAUSES:
            codes = model.speech_decoder.generate(model.language_model.embed(torch.tensor(clause)), SHORT)
            whole.append(model.codec.decode(codes, voice))
    torch.testing.assert_close(found, torch.cat(whole), atol=1e-5, rtol=1e-4)


def test_the_first_piece_comes_before_the_clause_is_through(model: Vita) -> None:
    pieces = speak(model, CLAUSES[:1], sampling=SHORT, first=30, then=10)
    first = next(pieces)
    rest = list(pieces)
    assert 0 < len(first) < 30 * model.config.codec.hop and rest


def test_another_voice_is_another_sound(model: Vita) -> None:
    own = torch.cat(list(speak(model, CLAUSES[:1], sampling=SHORT)))
    voice = torch.zeros(model.config.codec.global_codes, dtype=torch.int64)
    other = torch.cat(list(speak(model, CLAUSES[:1], voice, SHORT)))
    assert own.shape == other.shape and not torch.allclose(own, other)


def test_a_clause_is_spoken_in_the_spelling_that_was_learned() -> None:
    tokenizer = load_tokenizer(tiny().geometry.tokenizer)
    assert spoken("**It's** FIVE (☺)!", tokenizer) == tuple(tokenizer.encode("it's five!"))


def test_a_clause_with_nothing_to_say_is_passed_over(model: Vita) -> None:
    tokenizer = load_tokenizer(tiny().geometry.tokenizer)
    silent = spoken("(☺)", tokenizer)
    plain, with_silent = (
        list(speak(model, clauses, sampling=SHORT)) for clauses in (CLAUSES, [silent, *CLAUSES])
    )
    assert silent == () and torch.equal(torch.cat(plain), torch.cat(with_silent))
