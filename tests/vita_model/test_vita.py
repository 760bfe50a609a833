"""The model as a whole: splicing, isolation, what is frozen, and the paper's size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from vita_data.errors import UsageError
from vita_data.shards.read import Stage
from vita_model.batch.collate import collate, empty
from vita_model.batch.encode import Encoded
from vita_model.config.presets import tiny, vita_1_5
from vita_model.nets.vita import Vita, build, count
from vita_model.train.task import Task, open_task

SEEING = ("vision_tower", "projector", "language_model")


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> Task:
    return open_task(str(make_stage(tmp_path_factory.mktemp("vita"), shards=1)), tiny(), None, None)


@pytest.fixture(scope="module")
def samples(task: Task) -> list[Encoded]:
    stage: Stage = task.stage
    return [task.reader.encoder.encode(stage.sample(0, row)) for row in range(5)]


@pytest.fixture()
def model() -> Vita:
    return build(tiny(), seed=1).eval()


def test_the_papers_model_has_the_papers_parameters() -> None:
    found = count(vita_1_5())
    assert found["vision_tower"] == 304_012_288
    assert found["projector"] == 4096 * 3584 + 3584 + 3584 * 3584 + 3584
    assert found["language_model"] == 7_615_616_512
    assert found["state_head"] == 3 * 3584 + 3


def test_equal_seeds_give_equal_weights_and_leave_the_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, other = build(tiny(), 3), build(tiny(), 3), build(tiny(), 4)
    pairs = list(zip(first.parameters(), second.parameters(), strict=True))
    assert all(torch.equal(one, two) for one, two in pairs)
    assert not torch.equal(first.projector[0].weight, other.projector[0].weight)
    assert torch.equal(before, torch.get_rng_state())


def test_tile_vectors_stand_in_their_places_among_the_text(model: Vita, samples: list[Encoded]) -> None:
    batch = collate(samples[1:4])
    with torch.no_grad():
        found = model.embed(batch)
        pictured = [one.tiles for one in samples[1:4] if len(one.tiles)]
        seen = torch.cat([model.projector(model.vision_tower(tiles)).flatten(0, 1) for tiles in pictured])
        text = model.language_model.embed(batch.ids)
    torch.testing.assert_close(found[batch.tile_places], seen, atol=1e-5, rtol=1e-5)
    elsewhere = torch.ones(batch.tokens, dtype=torch.bool)
    elsewhere[batch.tile_places] = False
    assert torch.equal(found[elsewhere], text[elsewhere])


def test_packed_samples_give_what_each_gives_alone(model: Vita, samples: list[Encoded]) -> None:
    packed, alone = collate(samples), [collate([one]) for one in samples]
    with torch.no_grad():
        together = model.hidden(packed)
        for one, first, last in zip(alone, packed.segments, packed.segments[1:], strict=False):
            torch.testing.assert_close(together[first:last], model.hidden(one), atol=2e-5, rtol=1e-4)
        whole = sum(float(model(one)["lm"].sum()) for one in alone)
        assert float(model(packed)["lm"].sum()) == pytest.approx(whole, rel=1e-5)


def test_changing_a_neighbour_changes_nothing_to_the_bit(model: Vita, samples: list[Encoded]) -> None:
    batch = collate(samples[1:4])
    first, last = batch.segments[1], batch.segments[2]
    ids, tiles = batch.ids.clone(), batch.tiles.clone()
    ids[:first] = 17
    ids[last:] = 4000
    mine = slice(len(samples[1].tiles), len(samples[1].tiles) + len(samples[2].tiles))
    tiles[: mine.start], tiles[mine.stop :] = 255, 3
    with torch.no_grad():
        before, after = model.hidden(batch), model.hidden(replace(batch, ids=ids, tiles=tiles))
    assert torch.equal(before[first:last], after[first:last])
    assert not torch.equal(before[:first], after[:first])


def test_the_loss_is_the_plain_cross_entropy_of_the_next_token(model: Vita, samples: list[Encoded]) -> None:
    batch = collate([samples[1]])
    with torch.no_grad():
        logits = model.language_model.lm_head(model.hidden(batch))
        labels = torch.tensor(samples[1].labels)
        plain = functional.cross_entropy(logits[:-1], labels[1:], ignore_index=-100, reduction="sum")
        torch.testing.assert_close(model(batch)["lm"].sum(), plain)


def test_gradients_reach_exactly_the_trained_parts(model: Vita, samples: list[Encoded]) -> None:
    for trained in (("projector",), ("projector", "language_model"), SEEING):
        model.zero_grad(set_to_none=True)
        model.set_trained(trained)
        model.train()
        model(collate(samples))["lm"].sum().backward()
        for part in SEEING:
            reached = [weight.grad is not None for weight in model.part(part).parameters()]
            assert all(reached) if part in trained else not any(reached)
            assert model.part(part).training == (part in trained)


@pytest.mark.parametrize("idle", ["zeros", "call"])
def test_a_pack_without_pictures_gives_the_vision_side_zero_gradients(
    model: Vita, samples: list[Encoded], idle: str
) -> None:
    model.set_trained(SEEING)
    model.train()
    loss = model(collate([samples[0]]), {"sight": idle})["lm"].sum()
    alone = model(collate([samples[0]]), {"sight": "skip"})["lm"].sum()
    torch.testing.assert_close(loss.detach(), alone.detach())
    loss.backward()
    seen = [weight.grad for part in SEEING[:2] for weight in model.part(part).parameters()]
    assert all(grad is not None and not grad.any() for grad in seen)


def test_an_empty_pack_costs_nothing_and_still_reaches_every_weight(model: Vita) -> None:
    model.set_trained(("projector",))
    model.train()
    loss = model(empty(112))["lm"].sum()
    loss.backward()
    assert loss.item() == 0.0
    assert all(weight.grad is not None and not weight.grad.any() for weight in model.projector.parameters())


def test_a_part_that_is_not_there_is_refused_by_name(model: Vita) -> None:
    with pytest.raises(UsageError, match="no part 'nose'"):
        model.set_trained(("nose",))
