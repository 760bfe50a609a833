"""What the codec makes of seconds that it is over-fitted on: distances, code use, and a picture of the waveforms.

    python benchmarks/codec_overfit.py speech.wav [--seconds 10] [--preset tiny] [--minutes 4] [--picture codec.png]

The recipe is that of training (mel distances, quantisers, likeness; the discriminators join after the share `--join`
of the time, 1 for never) on random cuts of the one recording, with a higher learning rate that falls to nothing.
Printed before and after,
on the whole recording through `encode` and `decode`: the mean absolute difference of log-mel spectrograms
(1,024 / 240, natural logarithm), SI-SDR in dB, and codes used; then what streaming in chunks of 40 tokens with 10
on each side is off against the whole decode, and the same for the exact stream.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from PIL import Image, ImageDraw

from vita_model.config.presets import PRESETS, preset
from vita_model.nets.codec.codebook import code_use
from vita_model.nets.codec.codec import Codec
from vita_model.nets.codec.discriminators import Discriminators
from vita_model.nets.codec.losses import MelDistances, codec_terms, discriminator_terms, weighted

CHUNK, OVERLAP = 40, 10
WIDTH, ROW = 1200, 160
INKS = {"recording": (40, 60, 120), "codec": (170, 60, 40), "difference": (110, 110, 110)}


def read(path: Path, seconds: float, rate: int, hop: int) -> torch.Tensor:
    """The first channel at the codec's rate, cut to whole tokens."""
    sound, native = soundfile.read(path, dtype="float32", always_2d=True)
    sound = soxr.resample(sound[:, 0], native, rate)
    return torch.from_numpy(sound[: int(min(seconds * rate, len(sound)) // hop * hop)].copy())


def si_sdr(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019)."""
    found, wanted = found - found.mean(), wanted - wanted.mean()
    target = (found @ wanted) / (wanted @ wanted) * wanted
    return float(10 * torch.log10(target.square().sum() / (found - target).square().sum()))


class Run:
    """One over-fitting: codec, discriminators, their optimisers and the recording."""

    def __init__(self, sound: torch.Tensor, chosen: argparse.Namespace) -> None:
        self.config = preset(chosen.preset).codec
        self.sound, self.chosen = sound, chosen
        self.codec, self.judges = Codec(self.config), Discriminators(self.config)
        self.mels = MelDistances(self.config)
        self.to_codec = torch.optim.Adam(self.codec.parameters(), chosen.rate, betas=(0.5, 0.9))
        self.to_judges = torch.optim.Adam(self.judges.parameters(), chosen.rate / 5, betas=(0.5, 0.9))
        self.random = torch.Generator().manual_seed(0)

    def cuts(self) -> torch.Tensor:
        """A batch of random cuts, (N, 1, samples)."""
        last = len(self.sound) - self.chosen.segment
        starts = torch.randint(last + 1, (self.chosen.batch,), generator=self.random)
        return torch.stack([self.sound[s : s + self.chosen.segment] for s in starts.tolist()])[:, None]

    def step(self, number: int, spent: float) -> float:
        """One step when `spent` of the time is over; the loss a segment."""
        segments = self.cuts()
        for optimiser in (self.to_codec, self.to_judges):
            optimiser.param_groups[0]["lr"] = optimiser.defaults["lr"] * (1.0 - spent)
        made = self.codec(segments, self.cuts())
        real, fake = [], []
        if spent >= self.chosen.join:
            judged = discriminator_terms(self.judges(segments), self.judges(made.waveform.detach()))
            self.to_judges.zero_grad()
            (sum(judged.values()) / len(segments)).backward()
            self.to_judges.step()
            self.judges.requires_grad_(False)
            real, fake = self.judges(segments), self.judges(made.waveform)
            self.judges.requires_grad_(True)
        terms = codec_terms(made, self.mels(made.waveform, segments), real, fake)
        loss = weighted(terms) / len(segments)
        self.to_codec.zero_grad()
        loss.backward()
        self.to_codec.step()
        self.codec.refresh(number)
        return float(loss.detach())

    @torch.no_grad()
    def measure(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Prints the distances of the whole recording; its codes, those of its voice, and what they decode to."""
        ((frames, voice),) = self.codec.encode([self.sound])
        made = self.codec.decode(frames, voice)
        apart = self.mels(made[None, None], self.sound[None, None])
        perplexity, _ = code_use(self.codec.quantiser.frames.count(frames))
        print(
            f"mel distance {float(apart['mel_1024']):.3f}, SI-SDR {si_sdr(made, self.sound):.2f} dB, "
            f"{frames.unique().numel()} of {len(frames)} tokens' codes differ, perplexity {float(perplexity):.0f}"
        )
        return frames, voice, made


def streamed(codec: Codec, frames: torch.Tensor, voice: torch.Tensor) -> torch.Tensor:
    """The exact stream, in chunks."""
    stream = codec.stream(voice)
    return torch.cat([*(stream.push(piece) for piece in frames.split(CHUNK)), stream.finish()])


def windowed(codec: Codec, frames: torch.Tensor, voice: torch.Tensor) -> torch.Tensor:
    """Chunks decoded with `OVERLAP` tokens on each side, which are cut off again."""
    hop, pieces = codec.config.hop, []
    for first in range(0, len(frames), CHUNK):
        start = max(0, first - OVERLAP)
        window = codec.decode(frames[start : first + CHUNK + OVERLAP], voice)
        pieces.append(window[(first - start) * hop :][: len(frames[first : first + CHUNK]) * hop])
    return torch.cat(pieces)


def draw(path: Path, recording: torch.Tensor, made: torch.Tensor) -> None:
    """Recording, codec and their difference below each other, all to one scale."""
    rows = {"recording": recording, "codec": made, "difference": made - recording}
    picture = Image.new("RGB", (WIDTH, ROW * len(rows)), (255, 255, 255))
    pen = ImageDraw.Draw(picture)
    loudest = float(recording.abs().max())
    for number, (name, values) in enumerate(rows.items()):
        middle = ROW * number + ROW // 2
        pen.line((0, middle, WIDTH, middle), fill=(220, 220, 220))
        for column, part in enumerate(np.array_split(values.numpy(), WIDTH)):
            high, low = (middle - int(end / loudest * ROW * 0.45) for end in (part.max(), part.min()))
            pen.line((column, high, column, low), fill=INKS[name])
        pen.text((4, ROW * number + 2), name, fill=(0, 0, 0))
    picture.save(path)


def main() -> None:
    """Reads the call and runs it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wav", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--preset", choices=PRESETS, default="tiny")
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--segment", type=int, default=12000, help="samples of a cut, a multiple of 600")
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate at the start")
    parser.add_argument("--join", type=float, default=0.5, help="share of the time without discriminators")
    parser.add_argument("--picture", type=Path, default=Path("codec_overfit.png"))
    chosen = parser.parse_args()
    torch.manual_seed(0)
    config = preset(chosen.preset).codec
    run = Run(read(chosen.wav, chosen.seconds, config.rate, config.hop), chosen)
    print(f"{chosen.wav.name}: {len(run.sound) / config.rate:.2f} s, codec of preset {chosen.preset}")
    run.measure()
    began, number = time.perf_counter(), 0
    while (spent := (time.perf_counter() - began) / (60 * chosen.minutes)) < 1.0:
        loss = run.step(number, spent)
        number += 1
        if number % 100 == 0:
            print(f"step {number}, {spent:.0%} of the time: loss {loss:.2f}", flush=True)
    frames, voice, made = run.measure()
    print(f"after {number} steps of {chosen.batch} cuts of {chosen.segment / config.rate:.2f} s")
    for name, found in (
        (f"windows of {CHUNK} with {OVERLAP} on each side", windowed(run.codec, frames, voice)),
        ("stream", streamed(run.codec, frames, voice)),
    ):
        off = found - made
        print(
            f"{name}: off the whole decode by {float(off.norm() / made.norm()):.1e} relative, "
            f"at most {float(off.abs().max()):.1e}"
        )
    draw(chosen.picture, run.sound, made)
    print(f"waveforms in {chosen.picture}")


if __name__ == "__main__":
    main()
