"""Generation of text from a cache, against the model asked anew at each token."""

from __future__ import annotations

import pytest
import torch

from vita_data.prompt.template import TextPiece, encode_chat
from vita_data.prompt.tokenizer import load_tokenizer
from vita_model.batch.collate import collate
from vita_model.batch.encode import Encoded
from vita_model.config.presets import tiny
from vita_model.nets.batch import Batch
from vita_model.nets.generate import Sampling, generate
from vita_model.nets.vita import Vita, build


@pytest.fixture(scope="module")
def model() -> Vita:
    return build(tiny(), seed=1).eval()


def prompt(ids: list[int]) -> Batch:
    """A conversation as the model is fed it, waiting for an answer."""
    pixels = tiny().geometry.tile_pixels
    return collate(
        [Encoded("q", ids, [-100] * len(ids), [], torch.zeros(0, 3, pixels, pixels, dtype=torch.uint8))]
    )


@pytest.fixture(scope="module")
def asked() -> list[int]:
    tokenizer = load_tokenizer(tiny().geometry.tokenizer)
    pieces = encode_chat([{"from": "human", "value": "What is seen?"}], tokenizer)
    return [token for piece in pieces if isinstance(piece, TextPiece) for token in piece.ids]


def test_the_cache_gives_what_the_whole_sequence_gives(model: Vita, asked: list[int]) -> None:
    found = list(generate(model, prompt(asked), 8, stop=()))
    said = list(asked)
    with torch.no_grad():
        for token in found:
            logits = model.language_model.lm_head(model.hidden(prompt(said))[-1:])
            assert int(logits.argmax()) == token
            said.append(token)
    assert len(found) == 8


def test_a_stop_token_ends_the_answer_and_is_not_part_of_it(model: Vita, asked: list[int]) -> None:
    found = list(generate(model, prompt(asked), 8, stop=()))
    first = found.index(found[5])
    assert list(generate(model, prompt(asked), 8, stop={found[5]})) == found[:first]


def test_equal_seeds_draw_equal_answers_and_others_draw_others(model: Vita, asked: list[int]) -> None:
    def drawn(seed: int) -> list[int]:
        draw = torch.Generator().manual_seed(seed)
        return list(generate(model, prompt(asked), 12, (), Sampling(temperature=1.5, top_p=0.95), draw))

    assert drawn(1) == drawn(1) != drawn(2)


def test_only_the_likeliest_mass_is_drawn_from() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    draw = torch.Generator().manual_seed(0)
    found = {Sampling(1.0, top_p=0.7).choose(logits, draw) for _ in range(200)}
    assert found == {0, 1}


def test_two_conversations_at_once_are_refused(model: Vita, asked: list[int]) -> None:
    one = Encoded("q", asked, [-100] * len(asked), [], torch.zeros(0, 3, 112, 112, dtype=torch.uint8))
    with pytest.raises(ValueError, match="one conversation"):
        next(generate(model, collate([one, one]), 1, ()))
