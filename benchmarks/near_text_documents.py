"""Documents in English and Chinese with planted near duplicates, for `near_text.py`.

Texts of words with Zipf's frequencies, numbers and punctuation; the English words are made up, the Chinese ones
are jieba's. Some documents are copied with changes of known kind and strength: these are the truth. Others only
look alike and must stay: half copies, which share 30 to 60 % of their sentences with another, and forms, which
share every word but no number.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

SINGLES, HALF_COPIES, FORMS = 0.54, 0.06, 0.06  # of all documents; the rest are families
SMALL = (
    "the",
    "of",
    "and",
    "to",
    "in",
    "a",
    "is",
    "that",
    "for",
    "it",
    "was",
    "on",
    "are",
    "as",
    "with",
    "his",
)


@dataclass
class Document:
    """A text, its language, the family it belongs to, and how it was made from the first of the family."""

    text: str
    language: str
    family: int
    kind: str


Sentence = list[str]


def chinese_words(count: int) -> list[str]:
    """The most frequent words of jieba's dictionary, with which datatrove cuts Chinese."""
    import jieba

    with jieba.get_dict_file() as file:
        rows = [line.decode().split() for line in file]
    chosen = [row for row in rows if all("\u4e00" <= sign <= "\u9fff" for sign in row[0])]
    return [row[0] for row in sorted(chosen, key=lambda row: (-int(row[1]), row[0]))[:count]]


class Writer:
    """Writes documents of one language as sentences of words."""

    def __init__(self, language: str, rng: random.Random, words: int = 20_000) -> None:
        self.language, self.rng = language, rng
        made = {self._word(): None for _ in range(words)} if language == "en" else chinese_words(words)
        self.words = [*(SMALL if language == "en" else ()), *made]
        self.weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(self.words))))

    def _word(self) -> str:
        pairs = (
            self.rng.choice("bcdfghklmnprstvw") + self.rng.choice(("a", "e", "i", "o", "u", "ea", "ou"))
            for _ in range(self.rng.randint(1, 4))
        )
        return "".join(pairs) + self.rng.choice(("", "n", "s", "r", "t", "ck"))

    def some(self, count: int) -> list[str]:
        """Words, now and then a number."""
        words = self.rng.choices(self.words, cum_weights=self.weights, k=count)
        return [str(self.rng.randint(2, 9999)) if self.rng.random() < 0.02 else word for word in words]

    def sentence(self) -> Sentence:
        """A sentence's words."""
        return self.some(self.rng.randint(5, 22))

    def document(self) -> list[Sentence]:
        """Between 20 and about 500 words, half of the documents below 100."""
        wanted, sentences = min(max(int(self.rng.lognormvariate(4.6, 0.7)), 20), 500), []
        while wanted > 0:
            sentences.append(self.sentence())
            wanted -= len(sentences[-1])
        return sentences

    def form(self, words: list[str]) -> list[Sentence]:
        """The same words with a number of its own after every second."""
        filled = [
            part
            for n, word in enumerate(words)
            for part in ((word,) if n % 2 else (word, str(self.rng.randint(10, 99_999))))
        ]
        return [filled[start : start + 12] for start in range(0, len(filled), 12)]

    def written(self, sentences: list[Sentence]) -> str:
        """The text of a document."""
        if self.language == "zh":
            return "".join(self._chinese(sentence) for sentence in sentences if sentence)
        return " ".join(self._english(sentence) for sentence in sentences if sentence)

    def _english(self, words: Sentence) -> str:
        middle = len(words) // 2
        parts = [
            f"{word}," if n == middle and len(words) > 10 else word for n, word in enumerate(words, start=1)
        ]
        return " ".join(parts).capitalize() + "."

    def _chinese(self, words: Sentence) -> str:
        middle = len(words) // 2
        return "".join(words[:middle]) + ("，" if len(words) > 10 else "") + "".join(words[middle:]) + "。"


Change = Callable[[Writer, list[Sentence]], list[Sentence]]


def _edits(rate: float, act: str) -> Change:
    """Changes a share of the words, at least one: `act` replaces, inserts or deletes."""

    def change(writer: Writer, sentences: list[Sentence]) -> list[Sentence]:
        result = [list(sentence) for sentence in sentences]
        count = max(1, round(rate * sum(map(len, result))))
        for _ in range(count):
            sentence = writer.rng.choice([some for some in result if some])
            place = writer.rng.randrange(len(sentence))
            kept = 0 if act == "insert" else 1
            sentence[place : place + kept] = [] if act == "delete" else writer.some(1)
        return result

    return change


def _swap(writer: Writer, sentences: list[Sentence]) -> list[Sentence]:
    place = writer.rng.randrange(max(len(sentences) - 1, 1))
    return [*sentences[:place], *reversed(sentences[place : place + 2]), *sentences[place + 2 :]]


def _shuffle(writer: Writer, sentences: list[Sentence]) -> list[Sentence]:
    return writer.rng.sample(sentences, len(sentences))


def _more(writer: Writer, sentences: list[Sentence]) -> list[Sentence]:
    place = writer.rng.randrange(len(sentences) + 1)
    return [*sentences[:place], writer.sentence()[:8], *sentences[place:]]


def _less(writer: Writer, sentences: list[Sentence]) -> list[Sentence]:
    if len(sentences) < 4:
        return [sentences[0][: -(len(sentences[0]) // 4) or None], *sentences[1:]]
    place = writer.rng.randrange(len(sentences))
    return [*sentences[:place], *sentences[place + 1 :]]


def _same(writer: Writer, sentences: list[Sentence]) -> list[Sentence]:
    return sentences


CHANGES: dict[str, Change] = {
    "other case and spaces": _same,
    **{
        f"{words} {rate:.0%}": _edits(rate, act)
        for act, words in (
            ("replace", "words replaced,"),
            ("insert", "words inserted,"),
            ("delete", "words deleted,"),
        )
        for rate in (0.01, 0.03, 0.06)
    },
    "two sentences swapped": _swap,
    "all sentences shuffled": _shuffle,
    "half a sentence more": _more,
    "a sentence less": _less,
}


def documents(count: int, seed: int) -> list[Document]:
    """Documents in an order that tells nothing; those of one family are near duplicates of its first, kind ""."""
    rng = random.Random(seed)
    writers = [Writer(language, rng) for language in ("en", "zh")]
    made: list[Document] = []
    form = writers[0].some(40)
    while len(made) < count:
        writer, number = writers[rng.randrange(2)], len(made)
        sentences, draw = writer.document(), rng.random()
        if draw < FORMS:
            form = writer.some(rng.randint(20, 60)) if rng.random() < 0.05 else form
            language = "zh" if any(word[0] > "\u3000" for word in form) else "en"
            writer = writers[language == "zh"]
            made.append(Document(writer.written(writer.form(form)), language, number, ""))
            continue
        made.append(Document(writer.written(sentences), writer.language, number, ""))
        if draw < FORMS + HALF_COPIES / 2 and len(sentences) > 3:
            kept = round(len(sentences) * rng.uniform(0.3, 0.6))
            other = [*sentences[:kept], *(writer.sentence() for _ in range(len(sentences) - kept))]
            made.append(Document(writer.written(other), writer.language, len(made), ""))
        elif draw > FORMS + HALF_COPIES / 2 + SINGLES:
            for kind in rng.choices(list(CHANGES), k=rng.choice((1, 1, 1, 2, 3, 5))):
                text = writer.written(CHANGES[kind](writer, sentences))
                text = f" {text.upper()} \n" if kind == "other case and spaces" else text
                made.append(Document(text, writer.language, number, kind))
    return rng.sample(made[:count], count)
