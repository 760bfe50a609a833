"""The short way to chosen frames: decode from the nearest key frame to each, and prove that nothing is amiss."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import compress
from operator import lt

import av
from av import VideoFrame

from vita_data.media.decode import Choose, Decoder, Render, Watched, shown_order
from vita_data.media.reel import NEW_KEY, NO_STAMP, LostError, Packets, Reel
from vita_data.media.still import Still
from vita_data.media.timeline import Timeline

# Containers that write down a true stamp and a true key mark for every frame, and codecs whose key frames wipe
# the slate clean for all frames shown after them.
_CONTAINERS = ("mov", "matroska", "flv")
_CODECS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg")
_MISSING_SECONDS = 1


class _DoubtError(Exception):
    """The film is not what its packets promise."""


def from_key_frames(reel: Reel, decoder: Decoder, choose: Choose, render: Render) -> Watched | None:
    """Decode what the chosen frames need and no more; None where that is not sure to give the same as all.

    The timeline is that of the packets to the last one in the file, not the header's. It is believed when every
    packet has a stamp of its own, and proven by decoding the film's first frame beside the chosen ones, and
    the part's last too unless the film is whole: each must come out undamaged with its stamp, and the frame
    that decoding starts from as a key frame.
    """
    packets, order = reel.packets, shown_order(reel)
    stamps = array("q", map(packets.pts.__getitem__, order))
    if not _is_plain(reel, decoder, packets, stamps):
        return None
    length = packets.duration[order[-1]]
    timeline = Timeline(stamps, stamps[-1] + (length if length > 0 else reel.step), reel.tick)
    choice = choose(timeline)
    picked = {order[index]: index for _, index in choice.picks}
    proofs = {order[0]} if _is_whole(reel, timeline) else {order[0], order[choice.last]}
    stills: dict[int, Still] = {}
    try:
        for start, numbers in _runs(packets, sorted(proofs | picked.keys())):
            for number, frame in _proven(reel, decoder, start, numbers):
                if number in picked:
                    stills[picked[number]] = render(frame)
    except (_DoubtError, LostError, av.FFmpegError):
        decoder.reset()
        return None
    return Watched(choice, stills)


def _is_plain(reel: Reel, decoder: Decoder, packets: Packets, stamps: array[int]) -> bool:
    """Whether the packets alone say which frame is shown when, and which can be decoded from."""
    return (
        reel.container in _CONTAINERS
        and decoder.codec in _CODECS
        and NEW_KEY not in packets.key[1:]
        and len(stamps) > 0
        and packets.key[0] > 0
        and NO_STAMP not in packets.pts
        and packets.pts[0] <= stamps[0]
        and all(map(lt, stamps, stamps[1:]))
    )


def _is_whole(reel: Reel, timeline: Timeline) -> bool:
    """Whether the film reaches as far as its header says and does not end in nothing."""
    declared = reel.declared
    return declared is not None and timeline.seconds > declared - _MISSING_SECONDS and not reel.ends_blank


def _runs(packets: Packets, numbers: list[int]) -> list[tuple[int, list[int]]]:
    """Where to start decoding, and which packets' frames to wait for: none starts inside another.

    A frame can be had from the last key frame that is stored before it and shown no later than it: what is
    stored after a key frame and shown before it may build on what came earlier (open groups of pictures).
    """
    keys = [n for n in compress(range(len(packets)), packets.key) if not (n and packets.hidden[n])]
    runs: list[tuple[int, list[int]]] = []
    for number in numbers:
        at = bisect_right(keys, number) - 1
        while at > 0 and packets.pts[keys[at]] > packets.pts[number]:
            at -= 1
        if runs and keys[at] <= runs[-1][1][-1]:
            runs[-1][1].append(number)
        else:
            runs.append((keys[at], [number]))
    return runs


def _proven(reel: Reel, decoder: Decoder, start: int, numbers: list[int]) -> Iterator[tuple[int, VideoFrame]]:
    """The frames of these packets, decoded from a key frame; raises _DoubtError when anything is odd."""
    stamps = reel.packets.pts
    awaited = {stamps[number]: number for number in numbers}
    is_proven = start == 0
    for frame in _frames(reel, decoder, start, numbers[-1], awaited):
        is_proven |= frame.pts == stamps[start] and frame.key_frame and not frame.is_corrupt
        number = awaited.get(frame.pts) if frame.pts is not None else None
        if number is not None:
            if frame.is_corrupt or not is_proven:
                raise _DoubtError
            del awaited[stamps[number]]
            yield number, frame
    if awaited:
        raise _DoubtError


def _frames(
    reel: Reel, decoder: Decoder, start: int, stop: int, awaited: dict[int, int]
) -> Iterator[VideoFrame]:
    for packet in reel.read(start, stop):
        yield from decoder.decode(packet, needed=packet.pts in awaited)
    yield from decoder.drain()
