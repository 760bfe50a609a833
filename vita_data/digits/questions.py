"""What is asked of a digit: questions whose answer lies in what is seen and in what is said, and in neither alone.

Digits are written as numerals. Yes and no are equally many for every picture and for every digit that is named, and a
sum is as likely to be with any: whoever ignores the picture, or what is named, is right by chance only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

Turn = tuple[str, str]  # a question and its answer

NAMED = "Which digit is this?"
IS_IT = "Is it {digit}?"
PLUS = "What is this digit plus {digit}?"
CAPTIONS: tuple[Turn, ...] = (
    ("Describe the picture.", "A handwritten {digit}."),
    ("What do you see?", "The digit {digit}, written by hand."),
    ("Give a caption.", "Somebody wrote a {digit}."),
)

BETWEEN = (" .", " -", " ,", " |", " *", " ~")  # a token each


def named(value: int) -> Turn:
    """What it is."""
    return NAMED, str(value)


def caption(value: int, number: int) -> Turn:
    """One of the ways to describe it."""
    question, answer = CAPTIONS[number % len(CAPTIONS)]
    return question, answer.format(digit=value)


def is_it(value: int, right: bool, random: np.random.Generator) -> Turn:
    """Whether it is this digit (`right`) or another one."""
    asked = value if right else (value + int(random.integers(1, 10))) % 10
    return IS_IT.format(digit=asked), "yes" if right else "no"


def plus(value: int, random: np.random.Generator) -> Turn:
    """What it makes with another digit."""
    other = int(random.integers(10))
    return PLUS.format(digit=other), str(value + other)


def asked(value: int, count: int, random: np.random.Generator) -> Iterator[Turn]:
    """`count` questions that name a digit: yes, no and two sums in turn."""
    for number in range(count):
        yield plus(value, random) if number % 4 >= 2 else is_it(value, number % 4 == 0, random)


def repeated(random: np.random.Generator, most: int = 5) -> Turn:
    """Digits to be said again."""
    digits = " ".join(map(str, random.integers(0, 10, random.integers(1, most + 1))))
    return digits, digits


def scattered(random: np.random.Generator, most: int = 5) -> Turn:
    """Digits to be said again that stand apart, some of them drawn out, as they are in sound.

    A language model that reads what was heard finds little of it at places of its own choice. A published one has seen
    worse texts; a small one has to be shown.
    """
    digits = [str(digit) for digit in random.integers(0, 10, random.integers(1, most + 1))]
    marks = random.choice(BETWEEN, 2)

    def gap(least: int) -> str:
        return "".join(random.choice(marks, random.integers(least, 10)))

    drawn_out = [digit * int(random.integers(1, 4)) for digit in digits]
    text = "".join(f"{digit}{gap(1)}" for digit in drawn_out)
    return gap(0) + text, " ".join(digits)


def reckoned() -> Iterator[Turn]:
    """Questions in words alone: about one or two digits, and all that is asked of a picture, of a digit that is read.

    So a language model knows what is asked before it sees anything, as a published one does.
    """
    for first in range(10):
        yield from ((f"What is {first} plus {second}?", str(first + second)) for second in range(10))
        yield f"What comes after {first}?", str(first + 1)
        yield f"Say {first}.", str(first)
        yield f"Is it more than four: {first}?", "yes" if first > 4 else "no"
        yield from ((f"{first}\n{question}", answer) for question, answer in _asked_of(first))


def _asked_of(value: int) -> Iterator[Turn]:
    """Each of the questions that a picture could be asked, yes as often as no."""
    yield named(value)
    yield from (caption(value, number) for number in range(len(CAPTIONS)))
    for other in range(10):
        yield PLUS.format(digit=other), str(value + other)
        if other != value:
            yield IS_IT.format(digit=other), "no"
            yield IS_IT.format(digit=value), "yes"
