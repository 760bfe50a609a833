"""Learning to write what is heard: the loss, what it refuses, and that it teaches."""

from __future__ import annotations

from itertools import groupby, product

import pytest
import torch

from tests.vita_model.formulas import noise
from vita_data.errors import RecordError
from vita_data.prompt.characters import Characters
from vita_model.config.speech import EncoderConfig
from vita_model.nets.cmvn import Moments
from vita_model.nets.ctc import CtcHead, greedy
from vita_model.nets.whale import SpeechEncoder


def collapsed(path: tuple[int, ...]) -> list[int]:
    """What a path of one symbol a frame writes."""
    return [symbol for symbol, _ in groupby(path) if symbol]


def made(characters: int, hidden: int = 6) -> CtcHead:
    """A head with random weights that are always the same."""
    torch.manual_seed(0)
    return CtcHead(hidden, characters)


def test_a_loss_is_the_log_of_all_paths_that_write_the_transcript() -> None:
    head, frames = made(4), (5, 3)
    states = torch.randn(8, 6)
    transcripts = [[2, 2, 3], [3]]
    losses = head(states, frames, torch.tensor([2, 2, 3, 3]), (3, 1))
    rows = head(states).softmax(-1).split(frames)
    for loss, row, ids, count in zip(losses, rows, transcripts, frames, strict=True):
        paths = [path for path in product(range(4), repeat=count) if collapsed(path) == ids]
        chance = sum(row[range(count), path].prod() for path in map(list, paths))
        assert loss.item() == pytest.approx(-torch.log(chance).item(), rel=1e-4)


def test_the_loss_of_a_batch_is_the_sum_of_its_clips() -> None:
    head, frames, lengths = made(9), (12, 7, 20), (3, 5, 8)
    states, symbols = torch.randn(39, 6), torch.randint(2, 9, (16,))
    together = head(states, frames, symbols, lengths)
    for loss, clip, ids in zip(together, states.split(frames), symbols.split(lengths), strict=True):
        torch.testing.assert_close(loss, head(clip, (len(clip),), ids, (len(ids),))[0])


def test_a_clip_too_short_for_its_transcript_is_named_before_the_loss_is_infinite() -> None:
    head = made(4)
    assert head(torch.randn(4, 6), (4,), torch.tensor([2, 2, 3]), (3,)).isfinite().all()
    with pytest.raises(RecordError, match="3 encoder frames and its transcript needs 4") as caught:
        head(torch.randn(7, 6), (4, 3), torch.tensor([2, 2, 2, 3]), (1, 3))
    assert caught.value.rule == "ctc_too_short"


def test_a_head_of_low_precision_gives_logits_in_fp32() -> None:
    assert made(4).to(torch.bfloat16)(torch.randn(3, 6, dtype=torch.bfloat16)).dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert made(4)(torch.randn(3, 6)).dtype == torch.float32


def test_the_best_path_joins_repeats_and_drops_blanks_clip_by_clip() -> None:
    path = torch.tensor([2, 2, 0, 2, 3, 3, 0, 0, 1])
    assert greedy(torch.eye(4)[path], (5, 0, 4)) == [[2, 2, 3], [], [3, 1]]


def test_an_encoder_learns_to_write_two_sounds() -> None:
    texts = ["so it is", "天气"]
    characters = Characters.of(texts)
    clips, lengths = torch.cat((noise(10000, 1), noise(6000, 2))), (10000, 6000)
    torch.manual_seed(0)
    encoder = SpeechEncoder(EncoderConfig(hidden=32, layers=1, heads=2, intermediate=64)).eval()
    encoder.cmvn.take(Moments.of(encoder.features(clips, lengths)))
    head = CtcHead(32, len(characters))
    ids = [characters.encode(text) for text in texts]
    symbols = torch.tensor([number for each in ids for number in each])
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=3e-3)
    for _ in range(60):
        states, frames = encoder(clips, lengths)
        loss = head(states, frames, symbols, tuple(map(len, ids))).sum() / len(symbols)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    written = greedy(head(states), frames)
    assert [characters.decode(each) for each in written] == texts
