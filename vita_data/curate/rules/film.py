"""Rules about films."""

from __future__ import annotations

from vita_data.curate.rules.base import Film, Sample
from vita_data.records.reject import Reject

_LEAST_FRAMES = 4
_SAME = 2  # bits of 64 in which the frames of a film that stands still differ at most


def frozen_film(sample: Sample, switch: str) -> Reject | None:
    """Refuses a film whose frames all show the same: a picture with a sound track, or a player that hung.

    For corpora of web videos. Off unless a card asks for it. Source: perceptual hashes of its frames that differ
    in at most two of 64 bits. Wrong for surveillance, slides and talking heads.
    """
    if any(_stands_still(film) for film in sample.films):
        return Reject("frozen_film", "All frames of a film show the same.", None, None)
    return None


def film_hole(sample: Sample, most: float) -> Reject | None:
    """Refuses a film in which no new frame comes for more than so many seconds.

    For recordings that broke off and went on: frames are taken at even times, so a hole between those of the file is
    one frame that stands for several times. Off unless a card asks for it. Source: equal stored bytes of frames next
    to each other; a hole that lies between two of the times asked for is not seen. Wrong for slides and recordings of
    screens, where nothing new may come for minutes; `frozen_film` is about films that stand still all the time.
    """
    longest = max((_longest_hole(film) for film in sample.films), default=0.0)
    if longest <= most:
        return None
    words = f"No new frame of a film comes for {longest:.1f} seconds."
    return Reject("film_hole", words, f"{longest:.1f}", str(most))


def _longest_hole(film: Film) -> float:
    longest = start = 0.0
    for number, (time, digest) in enumerate(zip(film.times, film.digests, strict=False)):
        if number == 0 or digest != film.digests[number - 1]:
            start = time
        longest = max(longest, time - start)
    return longest


def _stands_still(film: Film) -> bool:
    first = film.hashes[0] if film.hashes else None
    if first is None or len(film.hashes) < _LEAST_FRAMES:
        return False
    return all(one is not None and (one ^ first).bit_count() <= _SAME for one in film.hashes)
