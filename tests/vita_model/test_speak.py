"""Speech from text, piece by piece and at once."""

from __future__ import annotations

import pytest
import torch

from vita_model.config.presets import tiny
from vita_model.nets.sampling import Sampling
from vita_model.nets.speak import speak
from vita_model.nets.vita import Vita, build

CLAUSES = [[12, 900, 77], [5, 6, 7, 8]]
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
