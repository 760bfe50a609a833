"""How a mixture's spoken questions are made: the `speech` part of its card."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

from vita_data.files import is_url, join, plain_path
from vita_data.manifest.values import Count, NotNegative, Positive, Text, class_path

PLACES = ("text_file", "wav", "voice", "speed")  # what a command's words may hold in braces
_ENGINES = ("espeak-ng", "command", "folder")
_PLACE = re.compile(r"\{(\w+)\}")
# The engine's plain Mandarin voice spells characters in English letters; the one for pinyin reads them too.
_ENGLISH = tuple(
    f"{accent}+{timbre}"
    for accent in ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-us-nyc")
    for timbre in ("m1", "m3", "m7", "f1", "f2", "f4")
)
_MANDARIN = tuple(f"cmn-latn-pinyin+{timbre}" for timbre in ("m1", "m2", "m3", "m7", "f1", "f2", "f3", "f4"))


def _engine(value: str) -> str | None:
    if value in _ENGINES or class_path(value):
        return None
    return f"is no engine; write one of {', '.join(_ENGINES)}, or package.module:function for one of your own"


def _expression(value: str) -> str | None:
    try:
        empty = re.compile(value).match("")
    except re.error as error:
        return f"is no regular expression ({error}); mend it"
    return "finds nothing at all, which cannot be spoken; mend it" if empty else None


@dataclass(frozen=True)
class SpeechCard:
    """Which engine speaks a mixture's questions, in which voices, how fast, and with how much noise behind them.

    `speed` is a range of words a minute, `noise` one of decibels from speech down to noise, or off. `version`
    says which version an engine is that does not say so itself: when it changes, all is spoken anew. `part` is a
    regular expression: only what it finds of a question is spoken, and the rest stays written.
    """

    engine: Annotated[str, _engine] = "espeak-ng"
    command: tuple[Text, ...] = ()
    folder: Text | None = None
    version: Text | None = None
    voices: dict[str, tuple[Text, ...]] = field(default_factory=lambda: {"en": _ENGLISH, "zh": _MANDARIN})
    speed: tuple[Count, Count] = (150, 210)
    noise: tuple[NotNegative, NotNegative] | Literal["off"] = (20.0, 40.0)
    most_seconds: Positive = 60.0
    part: Annotated[str, _expression] | None = None

    def below(self, data_root: str | None) -> SpeechCard:
        """The card with a relative `folder` where relative roots of sources lie: below `data_root`, if there is one."""
        if self.folder is None or data_root is None:
            return self
        folder = plain_path(self.folder)
        absolute = is_url(folder) or Path(folder).is_absolute()
        return self if absolute else replace(self, folder=join(plain_path(data_root), folder))

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        for name in ("command", "folder"):
            given = bool(getattr(self, name))
            if given and self.engine != name:
                return name, f"{name} belongs to `engine: {name}`; write that, or remove the key"
            if not given and self.engine == name:
                return "engine", f"engine {name} needs a {name}; add `{name}:`"
        return self._wrong_command() or self._wrong_range()

    def _wrong_command(self) -> tuple[str, str] | None:
        named = {name for word in self.command for name in _PLACE.findall(word)}
        if unknown := sorted(named - set(PLACES)):
            return "command", f"command knows no {{{unknown[0]}}}; write one of {', '.join(PLACES)} in braces"
        missing = [name for name in ("text_file", "wav") if self.command and name not in named]
        if missing:
            return "command", f"command has no {{{missing[0]}}}; put it where the program wants that file"
        return None

    def _wrong_range(self) -> tuple[str, str] | None:
        for name in ("speed", "noise"):
            bounds = getattr(self, name)
            if bounds != "off" and bounds[0] > bounds[1]:
                return name, f"{name} begins above its end; write the smaller number first"
        for language, voices in self.voices.items():
            if not voices:
                return "voices", f"voices.{language} is an empty list; name a voice or remove the language"
        return None
