"""Operations of whole packs from a few counts, against the counter itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from vita_model.config.lora import Lora
from vita_model.config.presets import tiny
from vita_model.cost.effort import effort, load_of, load_of_shape, segment_effort
from vita_model.cost.flops import Shape, flops
from vita_model.nets.batch import Batch

ALL = ("vision_tower", "projector", "speech_encoder", "speech_adapter", "language_model", "state_head")
STAGES = {
    "1.1": (("projector",), ("lm",)),
    "2.1a": (("speech_encoder",), ("ctc",)),
    "2.1b": (("speech_adapter", "prompt_embeddings"), ("lm",)),
    "2.2": (ALL, ("lm", "state")),
    "3.2": (("speech_decoder",), ("codes",)),
}


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_sample_costs_follows_from_its_lengths_within_two_percent(stage: str) -> None:
    trains, terms = STAGES[stage]
    found = effort(tiny(), trains, terms)
    for shape in (
        Shape(text=40, labelled=25, tiles=3, heard=3.0, symbols=10, said=2.5),
        Shape(text=300, labelled=200, tiles=12, heard=9.0, symbols=10, said=10.0),
    ):
        whole = sum(part.total for part in flops(tiny(), trains, terms, shape).values())
        assert found.of(load_of_shape(tiny(), trains, shape)) == pytest.approx(whole, rel=0.02)


def test_samples_of_a_pack_cost_what_each_costs_alone_and_an_empty_one_nothing() -> None:
    found = effort(tiny(), ("language_model",), ("lm",))
    numbers = torch.zeros(90, dtype=torch.int64)
    pack = Batch(
        ids=numbers,
        positions=numbers,
        segments=(0, 30, 90),
        tiles=torch.zeros(0, 3, 8, 8),
        loss_places=torch.arange(40),
        keys=("a-1", "a-2"),
    )
    alone = sum(found.of(load_of_shape(tiny(), (), Shape(text=length, labelled=20))) for length in (30, 60))
    assert found(pack) == pytest.approx(alone)
    assert found(replace(pack, keys=())) == 0.0
    assert load_of(pack).lengths == (30, 60)


def test_additions_of_low_rank_cost_less_than_learning_the_weights_and_more_than_frozen_ones() -> None:
    shape = Shape(text=200, labelled=50)
    costs = [
        effort(tiny(), trains, ("lm",), lora).of(load_of_shape(tiny(), (), shape))
        for trains, lora in (
            ((), None),
            (("language_model",), Lora(4, 8.0, ("q_proj", "v_proj"))),
            (("language_model",), None),
        )
    ]
    assert 1.5 < costs[1] / costs[0] < 2.5 < costs[2] / costs[0] < 3.1


def test_a_codecs_segment_costs_more_once_it_is_judged() -> None:
    found = segment_effort(tiny())
    assert found.of(True) > found.of(False) > 0
