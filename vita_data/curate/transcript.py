"""The words of a recording in the one spelling that every corpus is brought to.

A model that hears learns to write what stands here, and its CTC vocabulary is made of these characters, so
one word must not be spelled in three ways because three publishers spelled it so. What is said is never
changed: digits stay digits, and no word is added, dropped or replaced.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from vita_data.errors import RecordError

Language = Literal["en", "zh", "en-zh"]
Case = Literal["as_written", "upper"]

_PASSES = 4
# GigaSpeech writes its punctuation so. After a Chinese character the Chinese form is meant.
_MARKS = {
    "COMMA": (",", "，"),
    "PERIOD": (".", "。"),
    "QUESTIONMARK": ("?", "？"),
    "EXCLAMATIONPOINT": ("!", "！"),
}
_MARK = re.compile(rf"\s*<({'|'.join(_MARKS)})>\s*", re.IGNORECASE)
# What stands in a transcript where nobody wrote down what is heard (GigaSpeech, Kaldi, MFA).
_UNHEARD = "SIL|SILENCE|MUSIC|NOISE|OTHER|UNK|SPN|NSN|SPOKEN_NOISE|LAUGHTER"
_GARBAGE = re.compile(rf"<(?:{_UNHEARD})>|\[(?:{_UNHEARD})\]", re.IGNORECASE)

_AMPERSANDS = re.compile(r"&(?:amp|#38|#x26);(?:(?:amp|#38|#x26);)*", re.IGNORECASE)
_ENTITIES = {"lt": "<", "gt": ">", "quot": '"', "#34": '"', "apos": "'", "#39": "'", "nbsp": " ", "#160": " "}
_ENTITY = re.compile(rf"&({'|'.join(_ENTITIES)});", re.IGNORECASE)

_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CHINESE_MARKS = "\u3001-\u3003\u3008-\u3011\u3014-\u301f，！？；：（）～"
_SPACE_BESIDE_CHINESE = re.compile(rf"(?<=[{_HAN}{_CHINESE_MARKS}]) | (?=[{_HAN}{_CHINESE_MARKS}])")
_FOLDED_IN_CHINESE = re.compile("[^，！？；：（）～…]+")  # all but the punctuation that NFKC makes ASCII
_LATIN = "A-Za-z\u00c0-\u024f"
_APOSTROPHE_IN_WORD = re.compile(rf"(?<=[{_LATIN}])[‘’ʼ´`](?=[{_LATIN}])")
_STRAIGHT = str.maketrans({**dict.fromkeys("‘’‛ʼ´`", "'"), **dict.fromkeys("“”„‟", '"')})


def normalise(text: str, language: Language, case: Case = "as_written") -> str:
    """The transcript as it is stored; normalising it again changes nothing.

    Every language:
      - control and invisible characters go (byte order mark, zero-width space, soft hyphen); white space of
        any kind and length becomes one space, none at the ends: " so\\tit is" -> "so it is"
      - HTML entities of the characters & < > " ' and space are resolved: "AT&amp;T" -> "AT&T"
      - NFKC: "ＮＢＡ２０" -> "NBA20", "ﬁve" -> "five", "é" in one character
      - punctuation tags become punctuation: "YES <COMMA> HE SAID <PERIOD>" -> "YES, HE SAID."
      - digits, other punctuation and straight quotes stay as they are: '"Yes," he said in 1961.'
      - `case="upper"`, for corpora that have capitals only (LibriSpeech): lower case; else as written
    en:
      - curly quotes and all kinds of apostrophe become straight: "don’t" -> "don't"
    zh and en-zh:
      - a space beside a Chinese character or mark goes; one between words or numbers of other scripts stays:
        "我 用 iPhone 打 电 话" -> "我用iPhone打电话", "播放 hello world 吧" -> "播放hello world吧"
      - full-width ，！？；：（）～ and … stay, the punctuation that Chinese is written with; 。、《》 and “” do
        in any case. Only inside a Latin word an apostrophe is made straight
      - straight double quotes of odd number go, since one of them has no partner (AISHELL-2): '"你好' -> "你好"

    RecordError `garbage_tag` (with <SIL>, <MUSIC>, <NOISE>, <OTHER> or their like, part of the sound is not
    written down), `empty_transcript` (no letter and no digit is left), `not_utf8`, `transcript_unstable`
    (entities hidden in entities, which nobody writes by mistake).
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RecordError(
            "not_utf8",
            "the transcript holds half a surrogate pair, which no UTF-8 text can.",
            f"{ord(text[error.start]):#x}",
        ) from error
    for _ in range(_PASSES):
        before, text = text, _pass(text, language, case)
        if text == before:
            break
    else:
        raise RecordError("transcript_unstable", f"the transcript {text[:40]!r} has no settled spelling.")
    if not any(character.isalnum() for character in text):
        raise RecordError("empty_transcript", f"the transcript {text[:40]!r} holds no word.", text[:40])
    return text


def _pass(text: str, language: Language, case: Case) -> str:
    text = "".join(map(_visible, text))
    text = _ENTITY.sub(lambda found: _ENTITIES[found[1].lower()], _AMPERSANDS.sub("&", text))
    if language == "en":
        text = unicodedata.normalize("NFKC", text.translate(_STRAIGHT))
    else:
        text = _APOSTROPHE_IN_WORD.sub("'", text)
        text = _FOLDED_IN_CHINESE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    garbage = _GARBAGE.search(text)
    if garbage:
        raise RecordError(
            "garbage_tag", f"the transcript says {garbage[0]} instead of what is heard.", garbage[0]
        )
    text = " ".join(_MARK.sub(_mark, text).split())
    if language != "en":
        text = _SPACE_BESIDE_CHINESE.sub("", text)
        if text.count('"') % 2:
            text = " ".join(text.replace('"', "").split())
    return text.lower() if case == "upper" else text


def _visible(character: str) -> str:
    """The character; a space for white space; nothing for what is neither."""
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in ("Cc", "Cf") else character


def _mark(found: re.Match[str]) -> str:
    plain, chinese = _MARKS[found[1].upper()]
    return chinese if re.search(f"[{_HAN}]$", found.string[: found.start()]) else f"{plain} "
