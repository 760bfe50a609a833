"""What training costs, against torch's counter over the whole model and against arithmetic by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from vita_data.errors import UsageError
from vita_data.prompt.lengths import audio_tokens
from vita_model.config.presets import tiny, vita_1_5
from vita_model.cost.flops import Shape, codec_flops, flops
from vita_model.cost.memory import activation_bytes, state_bytes
from vita_model.cost.stage import asked
from vita_model.nets.batch import Batch
from vita_model.nets.vita import Vita, build

SHAPE = Shape(text=60, labelled=25, tiles=2, heard=2.0)
EVERYTHING = (
    "vision_tower",
    "projector",
    "speech_encoder",
    "speech_adapter",
    "language_model",
    "state_head",
)


def batch_of(shape: Shape) -> Batch:
    """One sample of this shape, of zeros, vectors at its beginning."""
    samples = int(16000 * shape.heard)
    vectors, heard = shape.tiles * 16, audio_tokens(samples)
    length = shape.text + vectors + heard
    places = torch.arange(length)
    return Batch(
        ids=torch.zeros(length, dtype=torch.int64),
        positions=places,
        segments=(0, length),
        tiles=torch.zeros(shape.tiles, 3, 112, 112, dtype=torch.uint8),
        tile_places=places[:vectors],
        sounds=torch.randn(samples),
        sound_lengths=(samples,),
        sound_places=places[vectors : vectors + heard],
        loss_places=places[-shape.labelled :],
        targets=torch.zeros(shape.labelled, dtype=torch.int64),
        state_places=places[vectors + heard - 1 : vectors + heard],
        state_targets=torch.zeros(1, dtype=torch.int64),
    )


def counted(model: Vita, batch: Batch) -> int:
    """Operations of a pass that really runs, with attention as products of matrices, which alone are counted."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        torch.stack([values.sum() for values in model(batch).values()]).sum().backward()
    return int(counter.get_total_flops())


@pytest.mark.parametrize(
    "trains",
    [
        ("projector",),
        ("speech_adapter",),
        ("vision_tower", "projector"),
        ("language_model",),
        EVERYTHING,
    ],
    ids="+".join,
)
def test_the_parts_add_up_to_what_runs_within_one_percent(trains: tuple[str, ...]) -> None:
    model = build(tiny(), seed=1)
    model.set_trained(trains, ("lm", "state"))
    found = flops(tiny(), trains, ("lm", "state"), SHAPE)
    assert sum(each.total for each in found.values()) == pytest.approx(
        counted(model.eval(), batch_of(SHAPE)), rel=0.01
    )


def test_the_papers_language_model_takes_six_operations_a_weight_and_token_and_its_attention() -> None:
    config = vita_1_5()
    found = flops(config, ("language_model",), ("lm",), Shape(text=1000, labelled=1))["language_model"]
    weights = 7_615_616_512 - 2 * 152064 * 3584
    attention = 28 * 4 * 1000**2 * 3584
    assert found.forward == pytest.approx(2 * weights * 1000 + attention, rel=0.001)
    assert found.backward == pytest.approx(2 * found.forward, rel=0.001)


def test_what_is_frozen_with_nothing_learned_before_it_has_no_backward_pass() -> None:
    found = flops(tiny(), ("projector",), ("lm",), SHAPE)
    assert found["vision_tower"].backward == 0
    assert 0.9 < found["language_model"].backward / found["language_model"].forward < 1.3


def test_hearing_seeing_and_speaking_cost_nothing_where_a_stage_does_not_use_them() -> None:
    assert set(flops(tiny(), ("speech_encoder",), ("ctc",), SHAPE)) == {"speech_encoder"}
    said = flops(tiny(), ("speech_decoder",), ("codes",), Shape(text=10, said=2.0))
    assert set(said) == {"speech_decoder"}
    assert set(codec_flops(tiny())) == {"codec", "discriminators"}


def test_grouped_convolutions_of_the_discriminators_are_not_counted_as_whole_ones() -> None:
    found = codec_flops(vita_1_5())
    assert found["discriminators"].backward == 1.25 * found["discriminators"].forward
    assert found["codec"].backward == pytest.approx(2 * found["codec"].forward, rel=0.05)


def test_zero_divides_optimizer_then_gradients_then_weights() -> None:
    held = [state_bytes({"a": 100, "b": 10}, {"a"}, zero, gpus=4) for zero in range(4)]
    assert [each["optimizer"] for each in held] == [1200, 300, 300, 300]
    assert [each["gradients"] for each in held] == [400, 400, 100, 100]
    assert [each["weights"] for each in held] == [220, 220, 220, 55]


def test_checkpointing_keeps_a_fraction_of_the_activations() -> None:
    kept, fewer = (activation_bytes(vita_1_5(), 6200, on) for on in (False, True))
    assert 5 < kept / fewer < 15


def test_a_stage_by_its_cards_has_the_papers_samples_and_an_average_shape() -> None:
    found = asked("1.3")
    assert found.trains == ("vision_tower", "projector", "language_model") and found.terms == ("lm",)
    assert 6e6 < found.samples < 7e6 and found.shape.tiles >= 4 and found.shape.text > 100
    spoken = asked("2.2")
    assert spoken.shape.heard > 0 and spoken.samples < found.samples
    assert asked("2.1a").terms == ("ctc",) and asked("3.2").shape.said > 0


def test_a_mixture_that_estimates_nothing_is_refused() -> None:
    for stage in ("1.3", "3.1"):
        with pytest.raises(UsageError, match=f"stage {stage} do not estimate"):
            asked(stage, "sample")


def test_a_model_without_guiding_embeddings_or_characters_has_no_such_parts() -> None:
    without = replace(tiny(), adapter=replace(tiny().adapter, prompts=0), characters=40)
    parts = build(without, 0).parts
    assert "prompt_embeddings" not in parts and "ctc_head" in parts
