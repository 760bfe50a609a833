"""From packets to the chosen frames: decode everything in order, which is always right."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import av
from av import VideoFrame
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from vita_data.errors import RecordError
from vita_data.media.reel import NO_STAMP, Reel
from vita_data.media.still import Still
from vita_data.media.timeline import Choice, Clock, Timeline

Choose = Callable[[Timeline], Choice]
Render = Callable[[VideoFrame], Still]

_PROGRESSIVE = 1
_HVCC_LAYERS = 21


@dataclass(frozen=True, slots=True)
class Watched:
    """What was found: the part of the film, and a still for every frame picked in it."""

    choice: Choice
    stills: dict[int, Still]


class Decoder:
    """The decoder of a reel's track. RecordError `video_too_long` once it has decoded `max_work` pixels."""

    def __init__(self, reel: Reel, max_work: int) -> None:
        self._context = reel.decoder()
        self._drops = drops_exactly(self._context)
        self._max_work = max_work
        self._work = 0

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec, whichever of its decoders is used."""
        return self._context.codec.canonical_name

    def decode(self, packet: Packet, needed: bool = True) -> list[VideoFrame]:
        """The frames that come out when a packet goes in; one not `needed` is left out if none builds on it."""
        self._work += self._context.width * self._context.height
        if self._work > self._max_work:
            raise RecordError(
                "video_too_long",
                f"More than {self._max_work} pixels must be decoded to show the film; cut it.",
                self._work,
                self._max_work,
            )
        if self._drops:
            self._context.skip_frame = "DEFAULT" if needed else "NONREF"
        return self._context.decode(packet)

    def drain(self) -> list[VideoFrame]:
        """The frames still inside; afterwards decoding can start at any key frame."""
        try:
            return self._context.decode(None)
        finally:
            self.reset()

    def reset(self) -> None:
        """Forget what is inside."""
        self._context.flush_buffers()


def expected_timeline(reel: Reel, order: list[int]) -> Timeline:
    """The timeline of a film if every packet decodes to the frame it promises."""
    packets, clock = reel.packets, Clock(reel.step, reel.tick, reel.may_jump)
    raws = packets.dts if NO_STAMP in packets.pts else packets.pts
    stamps = array("q")
    for number in order:
        raw = None if raws[number] == NO_STAMP else raws[number]
        stamps.append(clock.stamp(raw, packets.duration[number]))
    return Timeline(stamps, clock.end, reel.tick)


def shown_order(reel: Reel) -> list[int]:
    """The numbers of the packets that are shown, in the order of their frames as far as stamps tell."""
    packets = reel.packets
    shown = list(range(len(packets)))
    if any(packets.hidden):
        shown = [number for number in shown if not packets.hidden[number]]
    if NO_STAMP not in packets.pts:
        shown.sort(key=packets.pts.__getitem__)
    return shown


def from_the_start(reel: Reel, decoder: Decoder, choose: Choose, render: Render) -> Watched:
    """Decode all frames and keep the chosen ones; frames that a decoder calls damaged are left out.

    Which are chosen is known for sure only at the end. The packets tell it beforehand but for damaged films,
    which are decoded twice. RecordError `video_undecodable` when no frame comes out.
    """
    wanted = _guess(reel, choose)
    stills: dict[int, Still] = {}
    for _ in range(2):
        timeline, found = _watch(reel, decoder, wanted, render)
        stills |= found
        choice = choose(timeline)
        picked = {index for _, index in choice.picks}
        if picked <= stills.keys():
            return Watched(choice, stills)
        wanted = picked - stills.keys()
    raise RecordError("video_undecodable", "The film does not decode the same way twice; drop it.")


def _guess(reel: Reel, choose: Choose) -> set[int]:
    """The frames that will be chosen if nothing is broken."""
    order = shown_order(reel)
    if not order:
        return set()
    try:
        return {index for _, index in choose(expected_timeline(reel, order)).picks}
    except RecordError as refusal:
        if refusal.rule == "video_too_long":
            raise
        return set()  # The decoded timeline has the last word.


def _watch(
    reel: Reel, decoder: Decoder, wanted: set[int], render: Render
) -> tuple[Timeline, dict[int, Still]]:
    clock, stamps, stills = Clock(reel.step, reel.tick, reel.may_jump), array("q"), {}
    for frame in _all_frames(reel, decoder):
        if len(stamps) in wanted:
            stills[len(stamps)] = render(frame)
        stamps.append(clock.stamp(frame.dts if frame.pts is None else frame.pts, frame.duration))
    if not stamps:
        raise RecordError("video_undecodable", "No frame of the film can be decoded; fetch it again.")
    order = shown_order(reel)
    if NO_STAMP in reel.packets.pts and len(stamps) == len(order):
        # Where stamps are missing (AVI) the n-th frame is shown when the n-th packet says.
        return expected_timeline(reel, order), stills
    return Timeline(stamps, clock.end, reel.tick), stills


def _all_frames(reel: Reel, decoder: Decoder) -> Iterator[VideoFrame]:
    """Every frame that decodes undamaged; what a broken packet would have given is missing.

    In broadcast streams a mark of damage says only that packets were counted wrongly, so it is not heeded.
    """
    for packet in chain(reel.read(0, len(reel.packets) - 1), (None,)):
        try:
            frames = decoder.drain() if packet is None else decoder.decode(packet)
        except av.FFmpegError:
            continue
        yield from (frame for frame in frames if reel.may_jump or not frame.is_corrupt)


def drops_exactly(context: VideoCodecContext) -> bool:
    """Whether frames that the decoder calls unreferenced are so for all others.

    H.264: `nal_ref_idc` 0 (ITU-T H.264, 7.4.1), where no field stands alone. H.265: a sub-layer non-reference
    picture may serve higher sub-layers, so only where the configuration record counts one layer (ISO 14496-15,
    8.3.3.1).
    """
    if context.field_order > _PROGRESSIVE:
        return False
    if context.codec.canonical_name == "h264":
        return True
    record = context.extradata or b""
    is_record = len(record) > _HVCC_LAYERS and record[0] == 1
    return context.codec.canonical_name == "hevc" and is_record and record[_HVCC_LAYERS] >> 3 & 7 == 1
