"""Segments cut out of long recordings, brought to 16 kHz and stored as FLAC: this toolkit beside lhotse.

    python benchmarks/audio.py [--files 20] [--seconds 60] [--segments 200] [--repeats 5] [--folder DIR]

Work: recordings of 48 kHz as WAV, FLAC and Opus; segments of 3 to 9 s in the order in which they lie. Ours:
`LongSound.cut` (decode, resample, loudness, clipping, digest of the samples, FLAC) into `write_shard` (tar,
sha256 of every member, Parquet index). Theirs: `cut.truncate().resample(16000)` into `SharWriter` (FLAC in a
tar, gzipped manifest). One process, torch on one thread, page cache warm, contestants in turn within every
repeat; seconds of sound per CPU-second (user and system), medians and spread, and the ratio within each repeat.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import json
import os
import platform
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

NATIVE, RATE = 48_000, 16_000
Segment = tuple[str, float, float]  # path, start, end


def recording(seconds: int, seed: int) -> Any:
    """A voice of sorts in 16 bits: gliding harmonics in syllables, breath between them; always the same."""
    rng = np.random.default_rng(seed)
    moment = np.arange(seconds * NATIVE) / NATIVE
    phase = np.cumsum(120 + 40 * np.sin(2 * np.pi * 0.31 * moment + seed)) / NATIVE
    voice = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 16))
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * moment) + 0.4, 0, 1)
    breath = rng.standard_normal(len(moment)) * np.clip(np.sin(2 * np.pi * 1.7 * moment), 0, 1)
    return np.rint((0.15 * voice * syllables + 0.02 * breath) * 32767).astype(np.int16)


def write_opus(path: Path, samples: Any) -> None:
    """Ogg Opus of 32 kbit/s by libopus."""
    import av

    with av.open(str(path), "w", "ogg") as output:
        stream = output.add_stream("libopus", rate=NATIVE, layout="mono")
        stream.bit_rate = 32_000
        stream.codec_context.open()
        size = stream.codec_context.frame_size
        for at in range(0, len(samples), size):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + size], "s16", "mono")
            frame.sample_rate, frame.pts = NATIVE, at
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def write_recordings(folder: Path, kind: str, files: int, seconds: int) -> list[str]:
    """The recordings as files of one kind; every fourth sounds differently."""
    import soundfile

    paths = []
    voices = [recording(seconds, seed) for seed in range(4)]
    for number in range(files):
        path = folder / f"{number:03}.{kind}"
        if number >= len(voices):
            shutil.copy(paths[number % len(voices)], path)
        elif kind == "opus":
            write_opus(path, voices[number])
        else:
            soundfile.write(path, voices[number], NATIVE, subtype="PCM_16")
        paths.append(str(path))
    return paths


def choose_segments(paths: list[str], count: int, seconds: int) -> list[Segment]:
    """Segments of 3 to 9 s, as many in each file, in order."""
    rng = random.Random(7)
    segments = []
    for path in paths:
        for start in sorted(rng.uniform(0, seconds - 9.5) for _ in range(count // len(paths))):
            segments.append((path, round(start, 3), round(start + rng.uniform(3, 9), 3)))
    return segments


def ours(folder: str, segments: list[Segment]) -> None:
    """Cuts through one LongSound per file, into a shard."""
    from vita_data.media.audio import LongSound
    from vita_data.shards.write import ShardSample, write_shard

    def samples() -> Any:
        path, sound = "", None
        for number, (name, start, end) in enumerate(segments):
            if name != path:
                if sound:
                    sound.close()
                path, sound = name, LongSound(name)
            cut = sound.cut(RATE, start, end)
            record = json.dumps(
                {"id": number, "samples": cut.samples, "rms": cut.rms, "clipped": cut.clipped}
            )
            yield ShardSample(f"bench-{number:016x}", record.encode(), [("flac", cut.flac)])

    write_shard(folder, 0, samples())


def lhotse(folder: str, segments: list[Segment]) -> None:
    """The same cuts by lhotse, into Shar."""
    from lhotse import Recording
    from lhotse.shar import SharWriter

    recordings: dict[str, Any] = {}
    with SharWriter(folder, fields={"recording": "flac"}, shard_size=None) as writer:
        for number, (name, start, end) in enumerate(segments):
            if name not in recordings:
                recordings[name] = Recording.from_file(name).to_cut()
            cut = recordings[name].truncate(offset=start, duration=end - start, preserve_id=False)
            writer.write(cut.resample(RATE).with_id(f"bench-{number:016x}"))


def cpu_seconds(work: Callable[[], Any]) -> float:
    """CPU time of this process that a call takes, its threads included."""
    start = time.process_time()
    work()
    return time.process_time() - start


def race(segments: list[Segment], base: Path, repeats: int) -> dict[str, list[float]]:
    """Seconds of sound per CPU-second, in turn within every repeat; the first is for warming up."""
    total = sum(end - start for _, start, end in segments)
    rates: dict[str, list[float]] = {"ours": [], "lhotse.SharWriter": []}
    for repeat in range(repeats + 1):
        for name, write in (("ours", ours), ("lhotse.SharWriter", lhotse)):
            folder = base / "written"
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            seconds = cpu_seconds(lambda write=write, folder=folder: write(str(folder), segments))
            if repeat:
                rates[name].append(total / seconds)
    return rates


def table(rates: dict[str, list[float]]) -> list[str]:
    """A Markdown table: medians, spread, and our ratio within the repeats."""
    lines = [
        "| | seconds of sound per CPU-second, median (min to max) | ours / theirs, median (min to max) |",
        "|---|---|---|",
    ]
    for name, values in rates.items():
        ratios = [mine / other for mine, other in zip(rates["ours"], values, strict=True)]
        spread = f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"
        ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        lines.append(f"| {name} | {spread} | {ratio if name != 'ours' else ''} |")
    return lines


def leaks() -> list[str]:
    """What each resampler leaves of a tone that 16 kHz cannot hold, and takes of one that it can."""
    import soundfile
    from lhotse import Recording

    from vita_data.media.audio import read_sound

    lines = ["| | tone of 9 kHz | tone of 7 kHz |", "|---|---|---|"]
    levels: dict[str, list[str]] = {"ours": [], "lhotse": []}
    for hertz in (9000, 7000):
        tone = np.rint(16000 * np.sin(2 * np.pi * hertz * np.arange(2 * NATIVE) / NATIVE)).astype(np.int16)
        buffer = io.BytesIO()
        soundfile.write(buffer, tone, NATIVE, format="WAV")
        stored, _ = soundfile.read(io.BytesIO(read_sound(buffer.getvalue(), RATE).flac))
        other = Recording.from_bytes(buffer.getvalue(), "tone").resample(RATE).load_audio()[0]
        for name, samples in (("ours", stored), ("lhotse", other)):
            power = float((np.asarray(samples, np.float64)[RATE // 2 : -RATE // 2] ** 2).mean())
            levels[name].append(f"{10 * np.log10(power / ((16000 / 32768) ** 2 / 2) + 1e-12):.1f} dB")
    return [*lines, *(f"| {name} | {' | '.join(values)} |" for name, values in levels.items())]


def main() -> None:
    """Runs the race for every kind of file and prints its tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--segments", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    base = Path(tempfile.mkdtemp(prefix="bench-audio-", dir=options.folder))
    names = ("lhotse", "torch", "soundfile", "av", "soxr", "numpy")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    print(
        f"{options.segments} segments of {options.files} recordings of {options.seconds} s, "
        f"{options.repeats} repeats; {versions}, Python {platform.python_version()}\n"
    )
    for kind in ("wav", "flac", "opus"):
        paths = write_recordings(base, kind, options.files, options.seconds)
        segments = choose_segments(paths, options.segments, options.seconds)
        print(f"{kind.upper()} of 48 kHz\n", *table(race(segments, base, options.repeats)), "", sep="\n")
    print("What is left of two tones\n", *leaks(), sep="\n")
    shutil.rmtree(base)


if __name__ == "__main__":
    main()
