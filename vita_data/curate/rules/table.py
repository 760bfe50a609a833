"""All rules in the order in which they judge: media, language, then what is said."""

from __future__ import annotations

from vita_data.curate.rules import film, language, ocr, refusal, sound, text
from vita_data.curate.rules.base import Rule

# Raise when any rule would judge the same measurements otherwise.
VERSION = 4

RULES = (
    Rule("level", "signal", sound.level),
    Rule("clipping", "signal", sound.clipping),
    Rule("silence", "signal", sound.silence),
    Rule("speech", "signal", sound.speech),
    Rule("band", "signal", sound.band),
    Rule("frozen_film", "signal", film.frozen_film),
    Rule("film_hole", "signal", film.film_hole),
    Rule("language", "language", language.language),
    Rule("fast_speech", "quality", sound.fast_speech),
    Rule("slow_speech", "quality", sound.slow_speech),
    Rule("ctc", "quality", sound.ctc),
    Rule("longest_answer", "quality", text.longest_answer),
    Rule("repetition", "quality", text.repetition),
    Rule("refusal", "quality", refusal.refusal),
    Rule("markup", "quality", text.markup),
    Rule(
        "ocr", "quality", ocr.ocr
    ),  # the last, since what it tells of a sample is told of all the others too
)
