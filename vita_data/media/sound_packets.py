"""Opus, MP3, Vorbis, AAC and all else by FFmpeg's libraries, cut to the sample.

A cut does not decode what lies before it: decoding starts half a second early, at a packet that depends on
nothing but the place of the cut. By then MP3 and Vorbis give, to the bit, what they would have given from
the start of the file, and Opus what differs by less than one step of 16 bits; AAC draws its noise anew.
Places are counted in samples from the first one that is heard, as FFmpeg counts them: the delay that an
encoder wrote down is not heard.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

import av
import numpy as np
from av.container import InputContainer

from vita_data.errors import RecordError
from vita_data.media.sound_declared import samples_in_mp3_header
from vita_data.media.sound_source import SoundSource
from vita_data.media.sound_track import Block, check_shape, undecodable

# Formats that hold sound and name no other file; play lists and scripts of file names are not among them.
_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,asf,au,avi,caf,eac3,flac,flv,g722,matroska,mov,mp3,mpeg,mpegts,"
    "nistsphere,ogg,w64,wav,wv"
)
_HEADERLESS = {".g722": "g722"}  # nothing in the bytes tells these; the name must
_PREROLL = Fraction(1, 2)  # seconds
_LAST_STAMP = 1 << 62
_SAMPLES_AT_ONCE = 1 << 16
# To find a place in an MP3 is to read it from the front, once, so it is kept open. Other containers are cheap to
# open, and what was read before has been seen to matter: to where Ogg Vorbis ends, to the noise of AAC.
_KEPT_OPEN = ("mp3",)
_OPUS_STEP = 120  # its packets are multiples of 2.5 ms at 48 kHz
# Containers whose length is a count of samples; others are guessed from the bit rate or cover all tracks.
_COUNTING = ("aiff", "au", "caf", "flac", "mov", "nistsphere", "ogg", "w64", "wav", "wv")
_FULL_SCALE = {"u1": 128.0, "i2": 32768.0, "i4": 2147483648.0}


class PacketTrack:
    """The first sound track of a file, packet by packet.

    RecordError `no_audio` for a film without sound, `audio_empty` and `audio_undecodable`.
    """

    def __init__(self, source: SoundSource) -> None:
        self._source = source
        self._open()
        codec = self._stream.codec_context
        self.forgets = self._container.format.name in _KEPT_OPEN
        self._tick = Fraction(self._stream.time_base or 0) * self.rate  # samples per unit of time stamps
        self.declared = self._declared()
        self._step = _OPUS_STEP if codec.codec.name == "opus" else codec.frame_size

    def _open(self) -> None:
        """Opens the file and decodes its first frame, which alone says for certain what the samples are."""
        self.end = self.lost = 0
        self._words = ""
        self._passed: int | None = None
        self._container = _open(self._source)
        if not self._container.streams.audio:
            self._container.close()
            raise RecordError("no_audio", "The file holds no sound track; drop it or name it as a film.")
        self._stream = self._container.streams.audio[0]
        if self._stream.codec_context is None:  # whatever its type says
            raise undecodable("its codec is unknown")
        self._stream.codec_context.thread_count = 1
        frames = self._decoded(None)
        head = next(frames, None)
        if head is None:
            self._container.close()
            if self._words:
                raise undecodable(self._words)
            raise RecordError("audio_empty", "The sound file holds no samples; fetch it again.", 0)
        self._head = head
        self._origin = head.pts
        self._fresh: Iterator[av.AudioFrame] | None = frames
        self.rate, self.channels = check_shape(head.sample_rate, head.layout.nb_channels)

    def blocks(self, first: int, count: int) -> Iterator[Block]:
        """Yields `count` samples from number `first` on, some dozens of packets at a time."""
        frames, self.end = self._from(first)
        for group in self._grouped(frames, first + count - self.end):
            block = _as_float(group)
            wanted = block[max(0, first - self.end) : max(0, first + count - self.end)]
            self.end += len(block)
            if len(wanted):
                yield wanted

    def _grouped(self, frames: Iterator[av.AudioFrame], samples: int) -> Iterator[list[av.AudioFrame]]:
        """Frames that hold `samples`, neighbours of one form together: many at a time are worked on faster."""
        group: list[av.AudioFrame] = []
        held = 0
        for frame in frames:
            if frame.sample_rate != self.rate:
                words = f"its sample rate changes from {self.rate} to {frame.sample_rate} Hz"
                raise undecodable(words, frame.sample_rate, self.rate)
            if group and (held >= _SAMPLES_AT_ONCE or _form(frame) != _form(group[0])):
                yield group
                samples -= held
                group, held = [], 0
            group.append(frame)
            held += frame.samples
            if held >= samples:
                break
        if group:
            yield group

    def close(self) -> None:
        """Closes the container."""
        self._container.close()

    def _from(self, first: int) -> tuple[Iterator[av.AudioFrame], int]:
        """Frames from the one that holds a sample or from before it, and the number of their first sample."""
        target = first - math.floor(_PREROLL * self.rate)
        if target > 0 and self._origin is not None and self._can_seek():
            found = self._sought(min(self._origin + math.floor(target / self._tick), _LAST_STAMP))
            if found is not None and 0 <= found[1] <= first:
                return found
        if self._fresh is None:
            self.close()
            self._open()
        rest, self._fresh = self._fresh, None
        assert rest is not None
        return chain([self._head], rest), 0

    def _sought(self, begin: int) -> tuple[Iterator[av.AudioFrame], int] | None:
        """Frames from time stamp `begin` on and the number of their first sample; none where the file ends before.

        FFmpeg stamps some Vorbis frames wrongly, where the block length changes: what most frames of the
        pre-roll say of the first one is right.
        """
        self._fresh, self._passed, self.lost, self._words = None, None, 0, ""
        try:
            self._container.seek(begin, stream=self._stream)
        except av.FFmpegError:
            return None
        frames = self._decoded(begin)
        early: list[av.AudioFrame] = []
        places = []
        held = 0
        for frame in frames:
            if frame.pts is not None:
                places.append(self._place(frame.pts) - held)
            early.append(frame)
            held += frame.samples
            if held >= _PREROLL * self.rate:
                break
        if places:
            return chain(early, frames), statistics.mode(places)
        return None if early or self._passed is None else (frames, self._place(self._passed))

    def _can_seek(self) -> bool:
        """Whether time stamps tell the sample: they are fine enough, or packets all have one length."""
        return 0 < self._tick <= 1 or self._step > 2 * self._tick > 0

    def _place(self, pts: int) -> int:
        """The number of the sample with a time stamp."""
        samples = (pts - (self._origin or 0)) * self._tick
        if self._tick <= 1:
            return round(samples)
        return self._head.samples + self._step * round((samples - self._head.samples) / self._step)

    def _decoded(self, begin: int | None) -> Iterator[av.AudioFrame]:
        """Frames of the packets from time stamp `begin` on; a damaged packet is left out and counted."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                self._words = str(error.strerror)
                return
            if packet is None:
                return
            if begin is not None and packet.pts is not None and packet.pts < begin:
                self._passed = packet.pts + (packet.duration or 0)
                continue
            try:
                frames = packet.decode()
            except av.FFmpegError as error:
                self._words = str(error.strerror)
                self.lost += self._samples_of(packet)
                continue
            yield from (frame for frame in frames if frame.samples)

    def _samples_of(self, packet: av.Packet) -> int:
        if not packet.duration or not packet.time_base or not self._stream.rate:
            return 0
        return round(packet.duration * packet.time_base * self._stream.rate)

    def _declared(self) -> int | None:
        """Samples by the header, where it counts them; FFmpeg's guess from the bit rate is not taken."""
        kind, length = self._container.format.name.split(",")[0], self._stream.duration
        if kind == "mp3":
            return samples_in_mp3_header(self._source)
        if kind == "matroska" and len(self._container.streams) == 1 and self._container.duration:
            return round(Fraction(self._container.duration, av.time_base) * self.rate)
        return round(length * self._tick) if kind in _COUNTING and length else None


def _open(source: SoundSource) -> InputContainer:
    """The container, told by the bytes, or by the name where bytes tell nothing."""
    options = {"format_whitelist": _FORMATS}
    kinds = (None, _HEADERLESS[source.suffix]) if source.suffix in _HEADERLESS else (None,)
    refusal = ""
    for kind in kinds:
        source.seek(0)
        try:
            return av.open(source, "r", format=kind, options=options, metadata_errors="ignore")
        except av.FFmpegError as error:
            refusal = str(error.strerror)
    raise undecodable(refusal)


def _form(frame: av.AudioFrame) -> tuple[str, int]:
    return frame.format.name, frame.layout.nb_channels


def _as_float(frames: list[av.AudioFrame]) -> Block:
    """The samples of frames of one form as (samples, channels), full scale 1."""
    data = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    kind, channels = _form(frames[0])
    values = data.T if kind.endswith("p") else data.reshape(-1, channels)
    block = values.astype(np.float32)
    scale = _FULL_SCALE.get(data.dtype.str[1:])
    if scale is None:
        return block
    if data.dtype == np.uint8:
        block -= scale
    return block / np.float32(scale)
