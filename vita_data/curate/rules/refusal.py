"""Answers in which the model that wrote them refuses to answer.

A refusal is said by the model itself, in the first person, where its answer begins: with courtesies, an apology or "as
an AI" in front, and with what models decline behind it. What is quoted, or said by somebody in a dialogue, is not.
"""

from __future__ import annotations

import re

from vita_data.curate.rules.base import Sample
from vita_data.curate.rules.refusal_words import CHINESE, ENGLISH
from vita_data.records.reject import Reject

_OPENING = 400  # characters of an answer that are looked at
_SENTENCES = 2
_QUOTED = re.compile(
    r"“[^”]*”?|\"[^\"]*\"?|「[^」]*」?|『[^』]*』?|(?<!\w)'[^'\n]{2,}'(?!\w)|‘[^’\n]{2,}’(?!\w)"
)
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？\n]*")
_SPEAKER = re.compile(  # "Clerk:" in a dialogue, and not "Answer:"
    r"\s*(?!answer|response|assistant|ai\b|答|回答|助手)[^\s:：]{1,20}(?: [^\s:：]{1,20})?\s?[:：]",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"\s*(?:i(?:'m| am) (?:\w+ )?sorry|sorry|i apologi|(?:my )?apologies|thank|hello|hi\b"
    r"|.{0,2}(?:抱歉|对不起|不好意思|谢谢|感谢|您好|你好))",
    re.IGNORECASE,
)


def refusal(sample: Sample, switch: str) -> Reject | None:
    """Refuses an answer that begins by saying that the model cannot answer, see or do what it was asked.

    For synthetic corpora whose generator refused. Its source are the phrasings of English and Chinese models, labelled
    beside answers that merely sound alike in `tests/vita_data/refusals.py`, where what it misses can be counted. Wrong
    where refusing is the right answer, as in safety corpora, and where the model plays somebody who declines in a
    model's words: switch it off there. Transcripts are never judged: people do say sorry.
    """
    if sample.kind in ("asr", "tts", "negative"):
        return None
    for answer in sample.answers:
        said = refused(answer)
        if said is not None:
            return Reject("refusal", "An answer refuses to answer.", said[:80], None)
    return None


def refused(answer: str) -> str | None:
    """The words with which an answer refuses; None for one that does not. English and Chinese are known."""
    opening = _QUOTED.sub(" ", answer[:_OPENING].replace("\u2019", "'"))
    if _SPEAKER.match(opening):
        return None
    for sentence in _SENTENCE.findall(opening)[:_SENTENCES]:
        found = ENGLISH.match(sentence) or CHINESE.match(sentence)
        if found:
            return found.group().strip()
        if not _COURTESY.match(sentence):
            return None
    return None
