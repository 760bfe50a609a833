"""A film's packets: what is known of all of them without decoding, and reading any of them again."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, compress, islice
from typing import BinaryIO

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from vita_data.errors import RecordError
from vita_data.media.blocks import blocks_of
from vita_data.media.track import declared_seconds, decoder_of, open_track

_MAY_JUMP = ("mpeg", "mpegts")
_FAR = 1 << 20
NO_STAMP = -(1 << 63)
OLD_KEY, NEW_KEY = 1, 2
# Where each frame's own first bytes say whether it is a key frame, and none is shown before one stored earlier.
_SKIMMED = ("vp8", "vp9", "av1")


class LostError(RecordError):
    """After a seek, other packets came than were there before."""


@dataclass(frozen=True, slots=True)
class Packets:
    """What is known of a film's packets without decoding, in stored order; times in ticks.

    `key` marks those that decoding can start from (NEW_KEY: after setting up the decoder anew), `hidden` those
    that are decoded and not shown (edit lists).
    """

    pts: array[int] = field(default_factory=lambda: array("q"))
    dts: array[int] = field(default_factory=lambda: array("q"))
    duration: array[int] = field(default_factory=lambda: array("q"))
    size: array[int] = field(default_factory=lambda: array("q"))
    place: array[int] = field(default_factory=lambda: array("q"))
    key: bytearray = field(default_factory=bytearray)
    hidden: bytearray = field(default_factory=bytearray)

    def __len__(self) -> int:
        return len(self.key)

    def note(self, packets: Iterator[Packet], most: int) -> Packet | None:
        """Note up to `most` packets, and give back the last. A film has many: nothing here is done twice."""
        packet = None
        pts, dts, duration = self.pts.append, self.dts.append, self.duration.append
        size, place, key, hidden = self.size.append, self.place.append, self.key.append, self.hidden.append
        for packet in islice(packets, most):
            stamp, decoding, where = packet.pts, packet.dts, packet.pos
            pts(NO_STAMP if stamp is None else stamp)
            dts(NO_STAMP if decoding is None else decoding)
            place(-1 if where is None else where)
            duration(packet.duration or 0)
            size(packet.size)
            key(packet.is_keyframe and (NEW_KEY if packet.has_sidedata("new_extradata") else OLD_KEY))
            hidden(packet.is_discard)
        return packet

    def drop_last(self) -> None:
        """Forget the last packet."""
        for column in (self.pts, self.dts, self.duration, self.size, self.place, self.key, self.hidden):
            column.pop()

    def identity(self, number: int) -> tuple[int, int, int]:
        """The identity of a noted packet."""
        return self.pts[number], self.place[number], self.size[number]


def identity(packet: Packet) -> tuple[int, int, int]:
    """What tells a packet from the others of its film: its stamp, where it lies and its size."""
    return (
        NO_STAMP if packet.pts is None else packet.pts,
        -1 if packet.pos is None else packet.pos,
        packet.size,
    )


class Reel:
    """One opened film: its video track, what the container says of it, and its packets.

    `tick` is the unit of stamps in seconds, `step` the ticks of a usual frame, `declared` the seconds that the
    header claims (None where a container has no such field), `may_jump` says that stamps can start anew,
    `ends_blank` that the last packet is all zeros, as where a download left off in a file of full size; it is
    known once the reel is skimmed or scanned. RecordErrors are those of `open_track`.
    """

    def __init__(self, file: BinaryIO, max_pixels: int) -> None:
        self._file, self._max_pixels = file, max_pixels
        self._container, self._track = open_track(file, max_pixels)
        self.container = self._container.format.name.split(",")[0]
        self.may_jump = self.container in _MAY_JUMP
        self.sound = bool(self._container.streams.audio)
        self.declared = declared_seconds(self._container, self._track)
        self.pixel_aspect = self._track.sample_aspect_ratio
        self.tick = self._track.time_base or Fraction(1, av.time_base)
        rate = self._track.average_rate or self._track.guessed_rate or Fraction(25)
        self.step = max(1, round(1 / (rate * self.tick)))
        self.packets = Packets()
        self.ends_blank = True
        self._numbers: dict[tuple[int, int, int], int] = {}
        self._source, self._at = self._demux(), 0

    def decoder(self) -> VideoCodecContext:
        """The track's decoder, which decodes the packets of all later reads too."""
        return decoder_of(self._track, self._max_pixels)

    def scan(self, most: int) -> Packets:
        """Read through the film once without decoding, to its end or to where it breaks off.

        RecordError `video_too_long` when it has more than `most` packets.
        """
        if len(self.packets):  # skimmed before
            self._start_anew()
            self.packets, self._numbers = Packets(), {}
        last = self.packets.note(self._source, most + 1)
        if len(self.packets) > most:
            raise RecordError(
                "video_too_long", f"The film has more than {most} frames; cut it.", most + 1, most
            )
        self._at = len(self.packets)
        if last is not None and last.is_corrupt and not self.may_jump:
            self.packets.drop_last()  # the stump at a break
        self.ends_blank = last is None or not any(memoryview(last))
        return self.packets

    def skim(self, most: int) -> Packets | None:
        """Find the packets without demuxing all of them; None where that is not sure to give the same as a scan.

        Durations and decoding times stay unknown but for the last packet. What the file says is held against
        the demuxer's first packet, its last ones from a key frame to the end, and any that is read later.
        """
        if self.container != "matroska" or self._track.codec_context.codec.canonical_name not in _SKIMMED:
            return None
        first = next(self._source, None)
        self._source = chain([] if first is None else [first], self._source)
        if first is None or first.pos is None:
            return None
        blocks = blocks_of(self._file, first.pos, len(self._container.streams), most)
        if blocks is None or not blocks.keys[0]:
            return None
        count = len(blocks.keys)
        unknown, none = array("q", [NO_STAMP]) * count, array("q", [0]) * count
        self.packets = Packets(
            blocks.stamps, unknown, none, blocks.sizes, blocks.places, blocks.keys, bytearray(count)
        )
        try:
            last = deque(self.read(blocks.keys.rindex(OLD_KEY), count - 1), maxlen=1).pop()
        except LostError:
            return None
        if next(self._source, None) is not None:
            return None
        self.packets.duration[-1] = last.duration or 0
        self.ends_blank = not any(memoryview(last))
        return self.packets

    def read(self, first: int, last: int) -> Iterator[Packet]:
        """Packets by their numbers in the scan, both ends included.

        Reading on costs a hundredth of decoding, so it is left out only where more than a megabyte would be
        skipped and the container leads to a packet that the scan has seen.
        """
        if first <= last:
            self._go_to(first)
        while self._at <= last:
            packet = next(self._source, None)
            if packet is None or identity(packet) != self.packets.identity(self._at):
                raise LostError(
                    "video_undecodable", "The film does not read the same way twice; fetch it again."
                )
            self._at += 1
            if self._at > first:
                yield packet

    def close(self) -> None:
        """Let go of the container; the file stays open."""
        self._container.close()

    def _go_to(self, number: int) -> None:
        near = self._at <= number and sum(self.packets.size[self._at : number]) < _FAR
        if not near and not self._jump(number):
            self._start_anew()

    def _start_anew(self) -> None:
        self.close()
        self._container, self._track = open_track(self._file, self._max_pixels)
        self._source, self._at = self._demux(), 0

    def _jump(self, number: int) -> bool:
        """Seek to a packet or a key frame before it; False when the container cannot."""
        if not self._numbers:
            keys = compress(range(len(self.packets)), self.packets.key)
            self._numbers = {self.packets.identity(number): number for number in keys}
        try:
            self._container.seek(self.packets.pts[number], stream=self._track)
        except av.FFmpegError:
            return False
        source = self._demux()
        landed = next(source, None)
        found = None if landed is None else self._numbers.get(identity(landed))
        if landed is None or found is None or found > number:
            return False
        self._source, self._at = chain([landed], source), found
        return True

    def _demux(self) -> Iterator[Packet]:
        """The track's packets from here to the end, or to where the file breaks off."""
        try:
            for packet in self._container.demux(self._track):
                if packet.size:  # an empty one would end the decoding
                    yield packet
        except av.FFmpegError:
            return
