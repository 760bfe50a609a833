"""Short clips of sounds inside the page: mono FLAC, which every browser plays and every machine writes alike."""

from __future__ import annotations

import base64

from vita_data.errors import RecordError, VitaError
from vita_data.media.audio import LongSound, Sound
from vita_data.media.open import MediaFinder
from vita_data.report.markup import Html, tag
from vita_data.report.rules import reason_of
from vita_data.report.thumbnails import PAGE_FULL

SECONDS = 3.0
RATE = 16_000
MOST_BYTES = 64 << 20


class Tape:
    """Makes clips of the first seconds of sounds until they fill `budget` bytes of the page."""

    def __init__(self, budget: int) -> None:
        self._left = budget

    def clip(self, data: bytes, name: str, start: float = 0.0) -> Html:
        """A player of a sound from its bytes, from second `start` on, or words that say why it cannot be heard."""
        try:
            return self._player(data, name, start, "")
        except RecordError as error:
            return unheard(reason_of(error.rule).title)

    def file(self, root: str | None, name: str) -> Html | None:
        """A sound from its name below a source's root, opened as carefully as the build opens it; None if it cannot."""
        if root is None:
            return None
        try:
            data = MediaFinder(root).open(name, "audio", MOST_BYTES).read()
            return self._player(data, name, 0.0, " of the file")
        except VitaError:
            return None

    def _player(self, data: bytes, name: str, start: float, of: str) -> Html:
        if self._left <= 0:
            return unheard(PAGE_FULL)
        sound = _excerpt(data, name, start)
        uri = "data:audio/flac;base64," + base64.b64encode(sound.flac).decode()
        self._left -= len(uri)
        seconds = sound.samples / sound.rate
        words = f"first {seconds:g} s{of}" if seconds == SECONDS else f"{seconds:.1f} s"
        words = f"{seconds:.1f} s from {start:.1f} s on" if start else words
        player = tag("audio", controls=True, preload="none", src=uri, aria_label=name)
        return tag("span", player, tag("small", words), class_="clip")


def unheard(why: str) -> Html:
    """What stands in the place of a clip that there is not."""
    return tag("span", f"No clip: {why.lower()}", class_="chip")


def _excerpt(data: bytes, name: str, start: float) -> Sound:
    """A few seconds of a sound, or all there is behind `start` of one that is shorter or cut off."""
    with LongSound(data, name) as sound:
        try:
            return sound.cut(RATE, start, start + SECONDS)
        except RecordError as error:
            there = {"segment_outside": error.threshold, "audio_truncated": error.value}.get(error.rule)
            if there is None:
                raise
            return sound.cut(RATE, start, float(there))
