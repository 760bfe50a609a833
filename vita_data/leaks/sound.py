"""The recordings of benchmarks, ready to be found in training sounds by their fingerprints.

A frame of a sound that is equal to one of a recording, or would be if doubtful bits were others, proposes how the
two lie on each other; where they lie so, the bits are compared. Two sounds of the same recording differ in a tenth
of the bits after encoding at a low rate, others in two fifths or more however they are laid.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from vita_data.curate.words import mixed
from vita_data.leaks import arrays, bitmap, prints
from vita_data.leaks.prints import RATE, STEP, Print

# Raise when other sounds would be found, or be described otherwise.
VERSION = 1
KIND = "sounds"
VERSIONS = [prints.VERSION, bitmap.VERSION, VERSION]
ERRORS = 0.25  # of the bits, at most
LEAST = 40  # frames that are compared, quiet ones not counted: about a second of sound
PART, ENOUGH = (
    0.5,
    150,
)  # the two agree for that part of the shorter one, or for three seconds: less is a word or two
COMMON = 100  # a frame that stands in more places proposes nothing
LAYS = 24  # that are compared for a sound
FLIPS = np.array(list(itertools.product((0, 1), repeat=3)), np.uint32)  # which doubtful bits are others


class Heard(NamedTuple):
    """A recording in a sound, both by number.

    `score` is the share of equal bits, `seconds` how long the two agree, from `at` seconds into the sound on and
    `begin` seconds into the recording.
    """

    sound: int
    recording: int
    score: float
    seconds: float
    at: float
    begin: float


class _Sounds(NamedTuple):
    """Recording r has the frames `frames[firsts[r]:firsts[r + 1]]`; `values` are sorted and stand at `places`."""

    frames: Any
    loud: Any
    firsts: Any
    values: Any
    value_firsts: Any
    places: Any
    bitmap: Any


@dataclass(frozen=True)
class SoundIndex:
    """Recordings by number, in the order in which their fingerprints were given; about a kilobyte a second."""

    sounds: _Sounds

    @classmethod
    def build(cls, fingerprints: Sequence[Print]) -> Self:
        """An index of recordings."""
        frames = np.concatenate([np.zeros(0, np.uint32), *(one.frames for one in fingerprints)])
        loud = np.concatenate([np.zeros(0, bool), *(one.loud for one in fingerprints)])
        firsts = np.cumsum([0, *(len(one.frames) for one in fingerprints)])
        places = np.flatnonzero(loud)
        places = places[np.argsort(frames[places], kind="stable")]
        values, counts = np.unique(frames[places], return_counts=True)
        rare = counts <= COMMON
        kept = np.repeat(rare, counts)
        value_firsts = np.concatenate([[0], np.cumsum(counts[rare])]).astype(np.int32)
        seen = bitmap.bitmap_of(_hashed(values[rare]))
        return cls(
            _Sounds(frames, loud, firsts, values[rare], value_firsts, places[kept].astype(np.int32), seen)
        )

    def save(self, folder: str) -> None:
        """Writes the index to a folder."""
        arrays.save(folder, KIND, VERSIONS, self.sounds._asdict())

    @classmethod
    def load(cls, folder: str) -> Self:
        """The index in a folder, mapped into memory; raises VitaError for none, another version's or a damaged one."""
        return cls(_Sounds(**arrays.load(folder, KIND, VERSIONS)))

    def __len__(self) -> int:
        return len(self.sounds.firsts) - 1


def near(fingerprints: Sequence[Print], index: SoundIndex) -> list[Heard]:
    """Recordings that are heard in sounds, in the order of the sounds, the longest part that the two share of each."""
    found: list[Heard] = []
    for number, one in enumerate(fingerprints):
        best: dict[int, Heard] = {}
        for recording, lay in _lays(one, index.sounds):
            heard = _compared(number, one, index.sounds, recording, lay)
            if heard and (recording not in best or heard.seconds > best[recording].seconds):
                best[recording] = heard
        found += (best[recording] for recording in sorted(best))
    return found


def _hashed(values: Any) -> Any:
    return mixed(values.astype(np.uint64) + np.uint64(1))


def _lays(one: Print, sounds: _Sounds) -> list[tuple[int, int]]:
    """(recording, which frame of the index lies on the sound's first) that most frames propose."""
    loud = np.flatnonzero(one.loud)
    if not len(loud) or not len(sounds.values):
        return []
    masks = np.bitwise_or.reduce(FLIPS[:, None, :] << one.doubts[loud].astype(np.uint32)[None], axis=2)
    probes = (one.frames[loud][None] ^ masks).ravel()
    seen = bitmap.in_bitmap(sounds.bitmap, _hashed(probes))
    found = np.minimum(np.searchsorted(sounds.values, probes[seen]), len(sounds.values) - 1)
    there = sounds.values[found] == probes[seen]
    found, frames = found[there], loud[seen[there] % len(loud)]
    starts = sounds.value_firsts[found]
    counts = sounds.value_firsts[found + 1] - starts
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    places = sounds.places[np.repeat(starts, counts) + nth].astype(np.int64)
    lays = places - np.repeat(frames, counts)
    recordings = np.searchsorted(sounds.firsts, places, side="right") - 1
    pairs, votes = np.unique(np.stack([recordings, lays], axis=1), axis=0, return_counts=True)
    order = np.argsort(-votes, kind="stable")[:LAYS]
    return [(int(recording), int(lay)) for recording, lay in pairs[order]]


def _compared(number: int, one: Print, sounds: _Sounds, recording: int, lay: int) -> Heard | None:
    """Where the two agree, if that is long enough: the stretch with most equal bits beyond those that must be."""
    begin, end = int(sounds.firsts[recording]), int(sounds.firsts[recording + 1])
    low, high = max(begin, lay), min(end, lay + len(one.frames))
    if high - low < LEAST:
        return None
    errors = np.bitwise_count(sounds.frames[low:high] ^ one.frames[low - lay : high - lay])
    loud = sounds.loud[low:high] & one.loud[low - lay : high - lay]
    sums = np.concatenate([[0.0], np.cumsum(np.where(loud, 32 * ERRORS - errors, 0.0))])
    below = np.minimum.accumulate(sums)
    last = int(np.argmax(sums - below))
    first = int(np.argmin(sums[: last + 1]))
    compared = loud[first:last]
    shorter = min(end - begin, len(one.frames))
    if np.count_nonzero(compared) < LEAST or last - first < min(PART * shorter, ENOUGH):
        return None
    equal = 1 - float(errors[first:last][compared].mean()) / 32
    step = STEP / RATE
    return Heard(
        number,
        recording,
        equal,
        (last - first) * step,
        (low - lay + first) * step,
        (low - begin + first) * step,
    )
