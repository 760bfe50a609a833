"""Long English texts with computed answers: ledgers, step-by-step work, timetables, sorted registers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from vita_data.sample.native import Turn
from vita_data.sample.text_en import PEOPLE, THINGS, WORDS

Maker = Callable[[Random], list[Turn]]

DEEDS = (
    "brought {n} {what} to the shed",
    "took {n} {what} out of it for the market",
    "found {n} {what} in the yard and put them in",
    "sold {n} {what} from the shed to a neighbour",
    "carried in {n} new {what}",
    "gave {n} {what} from the shed to the school",
)
GAINS = (True, False, True, False, True, False)  # whether the deed of that number adds to the stock
WEATHER = ("It rained in the morning.", "The sun shone all day.", "A cold wind blew.",
           "Fog lay over the fields.", "It was warm and still.",
           "Clouds came up in the evening.")  # fmt: skip


def _ledger(random: Random) -> list[Turn]:
    """A diary of many days, and what is left at the end."""
    what, stock = random.choice(THINGS), random.randint(300, 600)
    start, told, gained = stock, [], 0
    days = random.randint(14, 38)
    for day in range(1, days + 1):
        deed = random.randrange(len(DEEDS))
        n = random.randint(2, 12)
        stock += n if GAINS[deed] else -n
        gained += n if GAINS[deed] else 0
        did = DEEDS[deed].format(n=n, what=what)
        told.append(f"On day {day} {random.choice(PEOPLE)} {did}. {random.choice(WEATHER)}")
    question = f"At the start there are {start} {what} in a shed. {' '.join(told)} "
    question += f"How many are there after day {days}?"
    lost = start + gained - stock
    answer = (
        f"In all {gained} were added and {lost} were taken out: {start} + {gained} - {lost} = {stock} {what}."
    )
    return [(question, answer), ("How many were taken out in all?", f"{lost}.")]


def _steps(random: Random) -> list[Turn]:
    """A column of sums worked through one after another."""
    numbers = [random.randint(12, 480) for _ in range(random.randint(16, 30))]
    running, told = numbers[0], [f"We begin with {numbers[0]}."]
    for number in numbers[1:]:
        told.append(f"Adding {number} to {running} gives {running + number}.")
        running += number
    ending = f"So the sum of these {len(numbers)} numbers is {running}."
    question = f"Add these numbers one by one and write down every step: {', '.join(map(str, numbers))}."
    return [(question, " ".join([*told, ending]))]


def _register(random: Random) -> list[Turn]:
    """A register of made-up names, sorted and numbered."""
    pairs = [(first, word.capitalize()) for first in PEOPLE for word in WORDS]
    chosen = random.sample(pairs, random.randint(20, 36))
    listed = "; ".join(f"{first} {last}" for first, last in chosen)
    ordered = sorted(chosen, key=lambda pair: (pair[1], pair[0]))
    lines = "\n".join(f"{n}. {last}, {first}" for n, (first, last) in enumerate(ordered, start=1))
    first, count = min(Counter(first for first, _ in chosen).items(), key=lambda item: (-item[1], item[0]))
    turns = [(f"Sort this register by family name, then by first name, and number it: {listed}.", lines)]
    turns.append((f"How many people on it are called {first}?", f"{count}."))
    return turns


def _timetable(random: Random) -> list[Turn]:
    """A timetable worked out from a start and the lengths of its parts."""
    minute = random.randint(420, 540)
    parts = [
        (random.choice(WORDS), random.choice((10, 15, 20, 25, 30))) for _ in range(random.randint(10, 18))
    ]
    asked = "; ".join(f"the {name} part, {length} minutes" for name, length in parts)
    rows, total = [], 0
    for name, length in parts:
        end = minute + length
        rows.append(
            f"{minute // 60:02d}:{minute % 60:02d} to {end // 60:02d}:{end % 60:02d}: the {name} part"
        )
        minute, total = end, total + length
    begin = rows[0][:5]
    question = (
        f"A rehearsal begins at {begin} and has these parts, one after another: {asked}. Write the timetable."
    )
    return [(question, "\n".join(rows)), ("How long is it in all?", f"{total} minutes.")]


LONG: tuple[Maker, ...] = (_ledger, _steps, _register, _timetable)
