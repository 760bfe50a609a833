"""Questions of benchmarks, and samples with leaks of them planted, for `leaks.py`.

Half of the questions are made from templates with a few words of their own each, as benchmarks do; the others
are words drawn with Zipf's frequencies. Leaks are copies of the latter, alone or in the middle of a document,
verbatim or with words replaced, inserted or deleted. As many samples are harmless and look alike: questions
from the same templates with other words, questions with a phrase of four words from a benchmark, and others.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from near_text_documents import Writer

LENGTHS = (3, 5, 8, 13, 20, 30, 60)
CHANGES = (0, 1, 2, 3)
TEMPLATES, SLOTS, FILLERS = 12, {3: 1, 5: 1, 8: 2, 13: 2, 20: 3, 30: 5, 60: 10}, 300
LEAST, MOST = 20, 300  # questions from a template
AROUND = {"en": ("<image>\n", "\nAnswer in one sentence."), "zh": ("<image>\n", "\n请用一句话回答。")}
SLOT = ""


@dataclass
class Question:
    """A question of a benchmark."""

    language: str
    length: int
    words: list[str]
    text: str


@dataclass
class Sample:
    """A training text; `question` is the number of the leaked one or -1, `kind` says what it is."""

    language: str
    text: str
    kind: str
    length: int = 0
    changed: int = 0
    alone: bool = False
    question: int = -1


class Maker:
    """Makes questions and samples from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.writers = {language: Writer(language, self.rng) for language in ("en", "zh")}
        self.fillers = {
            language: writer.words[200 : 200 + FILLERS] for language, writer in self.writers.items()
        }
        self.templates = {
            (language, length): [self._template(writer, length) for _ in range(TEMPLATES)]
            for language, writer in self.writers.items()
            for length in LENGTHS
        }
        self.weights = [self.rng.randint(LEAST, MOST) for _ in range(TEMPLATES)]

    def _template(self, writer: Writer, length: int) -> list[str]:
        words = writer.some(length)
        for place in self.rng.sample(range(length), SLOTS[length]):
            words[place] = SLOT
        return words

    def filled(self, language: str, length: int) -> list[str]:
        """The words of a question from a template."""
        (template,) = self.rng.choices(self.templates[language, length], self.weights)
        return [word or self.rng.choice(self.fillers[language]) for word in template]

    def written(self, language: str, words: list[str]) -> str:
        """Words as a question, now and then without mark and in capitals."""
        text = "".join(words) if language == "zh" else " ".join(words)
        if self.rng.random() < 0.1:
            return text.upper()
        return f"{text.capitalize()}{'？' if language == 'zh' else '?'}"

    def questions(self, count: int) -> list[Question]:
        """Questions in both languages, of all lengths, half of them from templates; no two are equal."""
        made: dict[str, Question] = {}
        while len(made) < count:
            language, length = self.rng.choice(("en", "zh")), self.rng.choice(LENGTHS)
            if from_template := len(made) % 2 == 0 and length > 3:
                words = self.filled(language, length)
            else:
                words = self.writers[language].some(length)
            text = self.written(language, words)
            length = -length if from_template else length
            made.setdefault(text.lower().rstrip("?？"), Question(language, length, words, text))
        return list(made.values())

    def changed(self, language: str, words: list[str], count: int) -> list[str]:
        """The words with some at different places replaced, inserted behind or deleted."""
        result: list[str] = []
        places = set(self.rng.sample(range(len(words)), count))
        for place, word in enumerate(words):
            if place not in places:
                result.append(word)
                continue
            (act,) = self.rng.choices(("replace", "insert", "delete"), (3, 1, 1))
            other = next(
                some for some in iter(lambda: self.writers[language].some(1)[0], None) if some != word
            )
            result += {"replace": [other], "insert": [word, other], "delete": []}[act]
        return result

    def placed(self, language: str, text: str, alone: bool) -> str:
        """A question as the turn of a sample, or between the sentences of a document."""
        if alone:
            before, after = AROUND[language]
            return before * (self.rng.random() < 0.5) + text + after * (self.rng.random() < 0.5)
        writer = self.writers[language]
        sentences = writer.document()
        middle = self.rng.randrange(len(sentences) + 1)
        gap = "" if language == "zh" else " "
        return gap.join(
            (writer.written(sentences[:middle]), text, writer.written(sentences[middle:]))
        ).strip()

    def samples(self, questions: list[Question], count: int, each: int) -> list[Sample]:
        """Leaks, `each` of every kind, as many harmless samples, and documents until there are `count`."""
        made: list[Sample] = []
        taken = {question.text.lower().rstrip("?？") for question in questions}
        for language in self.writers:
            for length in LENGTHS:
                free = [
                    n for n, one in enumerate(questions) if (one.language, one.length) == (language, length)
                ]
                changes = [changed for changed in CHANGES if changed < length]
                for number in range(each * len(changes)):
                    leak = self.leak(questions, self.rng.choice(free), changes[number % len(changes)])
                    made += [leak, self.harmless(questions, self.rng.choice(free), taken)]
        while len(made) < count:
            language = self.rng.choice(("en", "zh"))
            writer = self.writers[language]
            made.append(Sample(language, writer.written(writer.document()), "document"))
        self.rng.shuffle(made)
        return made

    def leak(self, questions: list[Question], number: int, changed: int) -> Sample:
        """A sample that has a question."""
        question, alone = questions[number], self.rng.random() < 0.5
        words = self.changed(question.language, question.words, changed)
        text = self.placed(question.language, self.written(question.language, words), alone)
        return Sample(question.language, text, "leak", question.length, changed, alone, number)

    def harmless(self, questions: list[Question], number: int, taken: set[str]) -> Sample:
        """A sample like those with leaks that has none."""
        question, alone, draw = questions[number], self.rng.random() < 0.5, self.rng.random()
        language, length = question.language, question.length
        words, kind = self.writers[language].some(length), "other"
        if draw < 0.5:
            words, kind = self.filled(language, length), "template"
        elif draw < 0.75 and length > 5:
            begin = self.rng.randrange(length - 3)
            words[begin : begin + 4] = question.words[begin : begin + 4]
        text = self.written(language, words)
        if text.lower().rstrip("?？") in taken:
            return self.harmless(questions, number, taken)
        return Sample(language, self.placed(language, text, alone), kind, length, 0, alone)
