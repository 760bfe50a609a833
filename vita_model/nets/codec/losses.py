"""What trains the codec: sums over segments by name, which a trainer divides by its global count of segments.

Least-squares GAN and feature matching (HiFi-GAN), mel distances at three resolutions, the quantisers' own
losses, and the likeness of the global vectors of two segments of an utterance (TiCodec).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import nn
from torch.nn import functional

from vita_model.config.codec import CodecConfig
from vita_model.nets.codec.codec import Reconstruction
from vita_model.nets.codec.judge import Judgement
from vita_model.nets.codec.mel import LogMel

# Window, hop and weight of each mel distance.
MELS = ((1024, 240, 45.0), (512, 120, 1.0), (256, 60, 1.0))
WEIGHTS = {f"mel_{window}": weight for window, _, weight in MELS} | {
    "adversarial": 1.0,
    "features": 2.0,
    "frame_codes": 10.0,
    "global_codes": 10.0,
    "likeness": 5.0,
}


def over_segments(values: torch.Tensor) -> torch.Tensor:
    """The mean of each segment's numbers, summed over segments: (N, ...) -> a scalar in fp32."""
    return values.float().flatten(1).mean(1).sum()


class MelDistances(nn.Module):
    """Mean absolute differences of log-mel spectrograms, at each resolution."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.spectra = nn.ModuleDict(
            {
                f"mel_{window}": LogMel(config.rate, window, hop, config.mel_bands, config.mel_top)
                for window, hop, _ in MELS
            }
        )

    def forward(self, waveforms: torch.Tensor, segments: torch.Tensor) -> dict[str, torch.Tensor]:
        """(N, 1, T) against (N, 1, T)."""
        return {
            name: over_segments((mel(waveforms.squeeze(1)) - mel(segments.squeeze(1))).abs())
            for name, mel in self.spectra.items()
        }


def codec_terms(
    made: Reconstruction,
    distances: dict[str, torch.Tensor],
    real: Sequence[Judgement] = (),
    fake: Sequence[Judgement] = (),
) -> dict[str, torch.Tensor]:
    """The codec's terms, unweighted, under the names of `WEIGHTS`.

    `distances` are those of `MelDistances`; `real` and `fake` are the discriminators' judgements of the segments
    and of what was made of them; without any, as before the discriminators join, their terms are left out.
    """
    terms = dict(distances)
    if fake:
        terms["adversarial"] = _total(over_segments((1.0 - each.scores.float()).square()) for each in fake)
        terms["features"] = _total(
            over_segments((wanted.detach() - found).abs())
            for truth, guess in zip(real, fake, strict=True)
            for wanted, found in zip(truth.features, guess.features, strict=True)
        )
    terms["frame_codes"] = made.quantised.frame_loss
    terms["global_codes"] = made.quantised.global_loss
    alike = functional.cosine_similarity(made.voice.float(), made.other_voice.float(), dim=1)
    terms["likeness"] = (1.0 - alike).sum()
    return terms


def discriminator_terms(real: Sequence[Judgement], fake: Sequence[Judgement]) -> dict[str, torch.Tensor]:
    """The discriminators' terms, of weight 1 each; `fake` is judged on waveforms without a graph."""
    return {
        "real": _total(over_segments((1.0 - each.scores.float()).square()) for each in real),
        "fake": _total(over_segments(each.scores.float().square()) for each in fake),
    }


def weighted(terms: dict[str, torch.Tensor]) -> torch.Tensor:
    """The codec's terms as one sum by `WEIGHTS`."""
    return _total(WEIGHTS[name] * term for name, term in terms.items())


def _total(values: Iterable[torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(values)).sum()
