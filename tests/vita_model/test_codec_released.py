"""The released dimensions: parameter counts, and numbers that the public code gives for weights by formula.

The expected numbers were computed once with TiCodec's code, in fp32, on the weights and the sound made here.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from vita_model.config.codec import CodecConfig
from vita_model.nets.codec.codec import Codec
from vita_model.nets.codec.losses import MelDistances
from vita_model.nets.codec.periods import PeriodDiscriminator
from vita_model.nets.codec.scales import ScaleDiscriminator
from vita_model.nets.codec.spectra import WINDOWS, SpectrumDiscriminator


def wave(shape: torch.Size, scale: float, rate: float) -> torch.Tensor:
    """Numbers without a pattern that a layer could like, from their places alone."""
    places = torch.arange(shape.numel(), dtype=torch.float64)
    return (scale * torch.sin(rate * places**1.5)).float().reshape(shape)


def filled(module: nn.Module) -> nn.Module:
    """The module with every weight set by its role and its shape."""
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if name.endswith("bias"):
                weight.copy_(wave(weight.shape, 0.05, 1.3))
            elif name.endswith("vectors"):
                weight.copy_(wave(weight.shape, 1.0 if weight.shape[1] == 16 else 0.25, 0.61))
            elif name.endswith("original1"):
                weight.copy_(wave(weight.shape, 1.0, 0.37))
            elif name.endswith("original0") or weight.dim() == 1:
                weight.fill_(1.0)
            else:
                weight.copy_(wave(weight.shape, weight[0].numel() ** -0.5, 0.37))
    return module.eval()


def sound() -> torch.Tensor:
    """A low tone and a rising one, (1, 1, 3600)."""
    time = torch.arange(3600) / 24000
    low, rising = torch.sin(2 * torch.pi * 220 * time), torch.sin(2 * torch.pi * 1730 * time * (1 + time))
    return (0.3 * low + 0.2 * rising)[None, None]


def size(values: torch.Tensor) -> float:
    """The root of the mean square."""
    return float(values.detach().double().square().mean().sqrt())


def test_the_released_parameters_are_counted_to_the_digit():
    with torch.device("meta"):
        codec = Codec(CodecConfig())
    counts = {name: sum(w.numel() for w in part.parameters()) for name, part in codec.named_children()}
    assert counts == {"encoder": 47333792, "quantiser": 655360, "generator": 15379970}


@torch.no_grad()
def test_weights_by_formula_give_the_public_codes_numbers():
    codec = filled(Codec(CodecConfig()))
    vectors, voice = codec.encoder(sound())
    assert vectors[0, ::128, 2].tolist() == pytest.approx(
        [-0.056186, -0.15557, 0.146726, -0.120239], abs=2e-6
    )
    assert voice[0, ::32].tolist() == pytest.approx([-0.000692, 0.034621, 0.029416, -0.031591], abs=2e-6)
    made = codec.quantiser(vectors, voice)
    assert made.frame_codes.tolist() == [[642, 1002, 754, 754, 754, 524]]
    assert made.global_codes.tolist() == [[124] * 8]
    assert float(made.frame_loss + made.global_loss) == pytest.approx(0.1155366, rel=1e-5)
    waveform = codec.generator(made.vectors, made.voice)
    wanted = [-0.000458, 0.028336, 0.047631, 0.020416, 0.033723, 0.028354, 0.042808, 0.028351]
    assert waveform[0, 0, ::450].tolist() == pytest.approx(wanted, abs=2e-6)
    assert size(waveform) == pytest.approx(0.05340471, rel=1e-5)
    apart = MelDistances(codec.config)(waveform, sound())
    assert [float(each) for each in apart.values()] == pytest.approx([4.169987, 3.892128, 3.111641], rel=1e-5)


@torch.no_grad()
def test_discriminators_by_formula_give_the_public_codes_numbers():
    smoothed = functional.avg_pool1d(functional.avg_pool1d(sound(), 4, 2, 2), 4, 2, 2)
    judged = [
        filled(PeriodDiscriminator(2, 32))(sound()),
        filled(ScaleDiscriminator(32, spectral=False))(smoothed),
        *(filled(SpectrumDiscriminator(window, 32))(sound()) for window in WINDOWS),
    ]
    scores = [0.079415, 0.009275, 0.015501, 0.009371, 0.019305, 0.017643, 0.017271]
    fourth = [0.080737, 0.045404, 0.0309, 0.022902, 0.032651, 0.029534, 0.029145]
    assert [size(each.scores) for each in judged] == pytest.approx(scores, abs=2e-6)
    assert [size(each.features[3]) for each in judged] == pytest.approx(fourth, abs=2e-6)
