"""Rules about films."""

from __future__ import annotations

from vita_data.curate.rules.base import Film, Sample
from vita_data.records.reject import Reject

_LEAST_FRAMES = 4
_SAME = 2  # bits of 64 in which the frames of a film that stands still differ at most


def frozen_film(sample: Sample, switch: str) -> Reject | None:
    """Refuses a film whose frames all show the same: a picture with a sound track, or a player that hung.

    For corpora of web videos. Off unless a card asks for it. Wrong for surveillance, slides and talking heads.
    """
    if any(_stands_still(film) for film in sample.films):
        return Reject("frozen_film", "All frames of a film show the same.", None, None)
    return None


def _stands_still(film: Film) -> bool:
    first = film.hashes[0] if film.hashes else None
    if first is None or len(film.hashes) < _LEAST_FRAMES:
        return False
    return all(one is not None and (one ^ first).bit_count() <= _SAME for one in film.hashes)
