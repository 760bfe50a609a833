"""Small sound files for tests, made here: known samples in many containers and codecs."""

from __future__ import annotations

import functools
import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

_AT_ONCE = 1 << 16  # libsndfile dies of a long Vorbis in one piece

Samples = NDArray[np.int16]

# libsndfile's names.
WRITTEN = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "vorbis": ("OGG", "VORBIS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "adpcm": ("WAV", "MS_ADPCM"),
    "aiff": ("AIFF", "PCM_16"),
    "nist": ("NIST", "PCM_16"),
    "gsm": ("WAV", "GSM610"),
}
# FFmpeg's names. Without its noise substitution AAC decodes alike from wherever decoding starts.
ENCODED: dict[str, tuple[str, str, dict[str, str]]] = {
    "opus": ("ogg", "libopus", {}),
    "webm": ("webm", "libopus", {}),
    "m4a": ("ipod", "aac", {"aac_pns": "0"}),
    "mkv": ("matroska", "aac", {"aac_pns": "0"}),
    "adts": ("adts", "aac", {"aac_pns": "0"}),
}

KINDS = (*WRITTEN, *ENCODED)
_RATES = {"opus": 48000, "webm": 48000, "gsm": 8000}


def speechlike(seconds: float, rate: int, seed: int = 1) -> Samples:
    """A voice of sorts: gliding harmonics and bursts of noise, never the same twice within a file."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    phase = np.cumsum(120 + 60 * np.sin(2 * np.pi * 0.37 * time) + 5 * time) / rate
    voice = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 12))
    noise = rng.standard_normal(len(time)) * np.clip(np.sin(2 * np.pi * 2.3 * time), 0, 1)
    sound = 0.15 * voice * (1.2 + np.sin(2 * np.pi * 3.1 * time)) / 2.2 + 0.05 * noise
    return np.rint(sound * 32767).clip(-32768, 32767).astype(np.int16)


def written(kind: str, samples: NDArray[Any], rate: int, subtype: str | None = None) -> bytes:
    """A file by libsndfile; samples are (n,) or (n, channels)."""
    form, usual = WRITTEN[kind]
    buffer = io.BytesIO()
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with soundfile.SoundFile(buffer, "w", rate, channels, subtype or usual, format=form) as output:
        for at in range(0, len(samples), _AT_ONCE):
            output.write(samples[at : at + _AT_ONCE])
    return buffer.getvalue()


def encoded(kind: str, samples: Samples, rate: int, bit_rate: int | None = None) -> bytes:
    """A file by FFmpeg's libraries; samples are (n,)."""
    container, codec, options = ENCODED[kind]
    buffer = io.BytesIO()
    with av.open(buffer, "w", container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono", options=options)
        if bit_rate:
            stream.bit_rate = bit_rate
        stream.codec_context.open()
        _mux(output, stream, samples, rate)
    return buffer.getvalue()


def made(kind: str, samples: Samples, rate: int) -> bytes:
    """A file of any kind named above."""
    return written(kind, samples, rate) if kind in WRITTEN else encoded(kind, samples, rate)


def film(sound: Samples | None, rate: int = 48000, container: str = "mp4") -> bytes:
    """A second of moving grey, with or without a sound track."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", container) as output:
        video = output.add_stream("mpeg4", rate=10)
        video.width = video.height = 64
        audio = None if sound is None else output.add_stream("aac", rate=rate, layout="mono")
        if audio is not None:
            audio.codec_context.open()
        for number in range(10):
            picture = np.full((64, 64, 3), number * 20, np.uint8)
            output.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        output.mux(video.encode(None))
        if audio is not None:
            _mux(output, audio, sound, rate)
    return buffer.getvalue()


def _mux(output: av.container.OutputContainer, stream: av.AudioStream, samples: Samples, rate: int) -> None:
    context = stream.codec_context
    resampler = av.AudioResampler(context.format.name, "mono", rate, frame_size=context.frame_size)
    frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    for part in resampler.resample(frame) + resampler.resample(None):
        output.mux(stream.encode(part))
    output.mux(stream.encode(None))


def rate_of(kind: str) -> int:
    """The rate at which tests make a kind."""
    return _RATES.get(kind, 44100)


@functools.cache
def all_kinds() -> dict[str, bytes]:
    """Six seconds of the same voice in every kind named above."""
    return {kind: made(kind, speechlike(6, rate_of(kind)), rate_of(kind)) for kind in KINDS}


def stored(flac: bytes) -> Samples:
    """The samples of a FLAC file that was stored."""
    samples, _ = soundfile.read(io.BytesIO(flac), dtype="int16")
    return samples
