"""Sound in the lossy forms that corpora are shipped in: Opus in Ogg, and MP3."""

from __future__ import annotations

from io import BytesIO

import av
from av.audio.stream import AudioStream

from vita_data.sample.voices import Sound

# Ogg streams are numbered at random unless the muxer is told to be exact.
EXACT = {"fflags": "+bitexact"}


def opus(sound: Sound, rate: int) -> bytes:
    """An Ogg file with Opus; `rate` is one of those that Opus knows, such as 16000."""
    options = {"b": "20000", "application": "voip", "compression_level": "1"}
    return _encoded(sound, rate, "ogg", "libopus", "s16", options)


def mp3(sound: Sound, rate: int) -> bytes:
    """An MP3 file."""
    return _encoded(sound, rate, "mp3", "libmp3lame", "s16p", {"b": "40000", "compression_level": "7"})


def _encoded(sound: Sound, rate: int, form: str, codec: str, layout: str, options: dict[str, str]) -> bytes:
    buffer = BytesIO()
    with av.open(buffer, "w", format=form, options=EXACT) as container:
        stream = container.add_stream(codec, rate=rate, options=options, layout="mono")
        assert isinstance(stream, AudioStream)
        stream.codec_context.format = layout
        stream.codec_context.thread_count = 1
        frame = av.AudioFrame.from_ndarray(sound[None, :], format=layout, layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return buffer.getvalue()
