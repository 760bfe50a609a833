"""Short English questions with computed answers: sums, units, order, dates, reasoning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from math import gcd
from random import Random

from vita_data.sample.native import Turn

Maker = Callable[[Random], list[Turn]]

PEOPLE = (
    "Ada",
    "Boris",
    "Carla",
    "Daniel",
    "Edith",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Leo",
)
WORDS = ("river", "candle", "orange", "window", "garden", "silver", "pencil", "market", "thunder", "basket",
         "ladder", "cotton", "harvest", "mirror", "pepper", "island", "velvet", "copper", "lantern",
         "meadow")  # fmt: skip
THINGS = ("apples", "stamps", "marbles", "tickets", "pencils", "shells", "coins", "postcards")
UNITS = (("kilometres", "metres", 1000), ("kilograms", "grams", 1000), ("hours", "minutes", 60),
         ("minutes", "seconds", 60), ("metres", "centimetres", 100), ("weeks", "days", 7),
         ("litres", "millilitres", 1000), ("dozens", "pieces", 12))  # fmt: skip


def _sum(random: Random) -> list[Turn]:
    a, b, c = (random.randint(11, 989) for _ in range(3))
    turns = [(random.choice((f"What is {a} + {b}?", f"Add {a} and {b}.")), f"{a} + {b} = {a + b}.")]
    if random.random() < 0.5:
        turns.append((f"And if you add {c} to that?", f"{a + b} + {c} = {a + b + c}."))
    return turns


def _product(random: Random) -> list[Turn]:
    a, b = random.randint(3, 29), random.randint(12, 99)
    tens, ones = b // 10 * 10, b % 10
    how = f"{a} x {tens} = {a * tens} and {a} x {ones} = {a * ones}, so {a} x {b} = {a * b}."
    return [(f"Multiply {a} by {b} and show how.", how)]


def _division(random: Random) -> list[Turn]:
    a, b = random.randint(100, 999), random.randint(3, 19)
    question = f"Divide {a} by {b}. What are the quotient and the remainder?"
    return [
        (
            question,
            f"The quotient is {a // b} and the remainder is {a % b}, since {b} x {a // b} = {a - a % b}.",
        )
    ]


def _convert(random: Random) -> list[Turn]:
    large, small, factor = random.choice(UNITS)
    n = random.randint(2, 48)
    turns = [(f"How many {small} are {n} {large}?", f"{n} {large} are {n * factor} {small}.")]
    if random.random() < 0.4:
        m = random.randint(2, 30)
        turns.append((f"And {m * factor} {small} in {large}?", f"That is {m} {large}."))
    return turns


def _temperature(random: Random) -> list[Turn]:
    celsius = 5 * random.randint(-6, 20)
    fahrenheit = celsius * 9 // 5 + 32
    answer = f"{celsius} x 9 / 5 + 32 = {fahrenheit}, so it is {fahrenheit} degrees Fahrenheit."
    return [(f"Convert {celsius} degrees Celsius to Fahrenheit.", answer)]


def _sort_numbers(random: Random) -> list[Turn]:
    numbers = random.sample(range(1, 500), random.randint(5, 9))
    listed = ", ".join(map(str, numbers))
    down = random.random() < 0.5
    ordered = ", ".join(map(str, sorted(numbers, reverse=down)))
    how = "largest to smallest" if down else "smallest to largest"
    middle = sorted(numbers)[len(numbers) // 2]
    turns = [(f"Sort from {how}: {listed}.", f"{ordered}.")]
    if len(numbers) % 2:
        turns.append(("Which number stands in the middle now?", f"{middle}."))
    return turns


def _sort_words(random: Random) -> list[Turn]:
    words = random.sample(WORDS, random.randint(4, 8))
    turns = [(f"Put these words in alphabetical order: {', '.join(words)}.", f"{', '.join(sorted(words))}.")]
    word = random.choice(words)
    if random.random() < 0.5:
        turns.append((f'How many letters does "{word}" have?', f"It has {len(word)} letters."))
    return turns


def _spell(random: Random) -> list[Turn]:
    word = random.choice(WORDS)
    vowels = sum(letter in "aeiou" for letter in word)
    if random.random() < 0.5:
        return [(f'Spell "{word}" backwards.', f"{word[::-1]}.")]
    return [(f'How many vowels (a, e, i, o, u) are in "{word}"?', f'"{word}" has {vowels} of them.')]


def _days_later(random: Random) -> list[Turn]:
    day = date(2020, 1, 1) + timedelta(days=random.randint(0, 1800))
    gap = random.randint(8, 90)
    then = day + timedelta(days=gap)
    answer = f"It is {then.isoformat()}, {gap} days after {day.isoformat()}."
    return [(f"What date is {gap} days after {day.isoformat()}?", answer)]


def _weekday(random: Random) -> list[Turn]:
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    start, gap = random.randrange(7), random.randint(3, 60)
    end = names[(start + gap) % 7]
    why = f"{gap} = 7 x {gap // 7} + {gap % 7}, and {gap % 7} days after {names[start]} it is {end}."
    return [(f"Today is {names[start]}. Which day is it in {gap} days, and why?", f"It is {end}: {why}")]


def _clock(random: Random) -> list[Turn]:
    start, gap = random.randint(300, 1000), random.randint(15, 300)
    end = start + gap
    times = f"{start // 60:02d}:{start % 60:02d}", f"{end // 60:02d}:{end % 60:02d}"
    question = f"A train leaves at {times[0]} and arrives at {times[1]}. How long is the journey?"
    return [(question, f"It takes {gap // 60} hours and {gap % 60} minutes, which is {gap} minutes.")]


def _shopping(random: Random) -> list[Turn]:
    who, what = random.choice(PEOPLE), random.choice(THINGS)
    n, price = random.randint(3, 12), random.randint(2, 9)
    paid = (n * price // 10 + 1) * 10
    question = (
        f"{who} buys {n} {what} at {price} coins each and pays with {paid} coins. How many coins come back?"
    )
    return [
        (
            question,
            f"{n} x {price} = {n * price} are due, and {paid} - {n * price} = {paid - n * price} come back.",
        )
    ]


def _gifts(random: Random) -> list[Turn]:
    (one, two), what = random.sample(PEOPLE, 2), random.choice(THINGS)
    has, gives, finds = random.randint(20, 60), random.randint(3, 15), random.randint(2, 20)
    left = has - gives
    question = f"{one} has {has} {what}, gives {gives} of them to {two} and then finds {finds} more."
    question += f" How many has {one} now?"
    turns = [
        (
            question,
            f"{has} - {gives} = {left}, and {left} + {finds} = {left + finds}, so {left + finds} {what}.",
        )
    ]
    if random.random() < 0.5:
        turns.append((f"How many of these did {two} get?", f"{two} got {gives}."))
    return turns


def _order(random: Random) -> list[Turn]:
    people = random.sample(PEOPLE, random.randint(3, 5))
    told = [
        f"{taller} is taller than {smaller}." for taller, smaller in zip(people, people[1:], strict=False)
    ]
    random.shuffle(told)
    tallest = ("Who is the tallest?", f"{people[0]} is the tallest.")
    smallest = ("And who is the smallest?", f"{people[-1]} is the smallest.")
    return [(f"{' '.join(told)} {tallest[0]}", tallest[1]), smallest][: random.randint(1, 2)]


def _even(random: Random) -> list[Turn]:
    n = random.randint(10, 9999)
    why = f"its last digit is {n % 10}"
    return [
        (f"Is {n} even or odd, and how can you tell?", f"{n} is {'odd' if n % 2 else 'even'}, because {why}.")
    ]


def _divisor(random: Random) -> list[Turn]:
    factor = random.randint(2, 14)
    a, b = factor * random.randint(2, 12), factor * random.randint(2, 12)
    common = gcd(a, b)
    turns = [(f"What is the greatest common divisor of {a} and {b}?", f"It is {common}.")]
    turns.append(
        ("And their least common multiple?", f"It is {a * b // common}, that is {a} x {b} / {common}.")
    )
    return turns[: random.randint(1, 2)]


def _percent(random: Random) -> list[Turn]:
    share, whole = random.choice((5, 10, 20, 25, 40, 50, 75)), 20 * random.randint(2, 60)
    return [(f"What is {share}% of {whole}?", f"{share}% of {whole} is {share * whole // 100}.")]


def _area(random: Random) -> list[Turn]:
    b, a = sorted((random.randint(2, 40), random.randint(2, 40)))
    turns = [
        (
            f"A rectangle is {a} m long and {b} m wide. What is its area?",
            f"{a} x {b} = {a * b} square metres.",
        )
    ]
    turns.append(("And how long is its edge all the way round?", f"2 x ({a} + {b}) = {2 * (a + b)} metres."))
    return turns[: random.randint(1, 2)]


def _next_number(random: Random) -> list[Turn]:
    start, step = random.randint(1, 40), random.randint(2, 13)
    shown = [start + step * n for n in range(5)]
    answer = f"{shown[-1] + step}, because each number is {step} more than the one before it."
    return [(f"Which number comes next: {', '.join(map(str, shown))}?", answer)]


def _odd_one(random: Random) -> list[Turn]:
    groups = {
        "a fruit": ("apple", "pear", "plum", "cherry", "fig"),
        "a tool": ("hammer", "saw", "drill", "file", "wrench"),
        "an animal": ("horse", "otter", "goat", "heron", "toad"),
        "a musical instrument": ("violin", "flute", "drum", "harp", "trumpet"),
    }
    (kind, many), (other, few) = random.sample(list(groups.items()), 2)
    odd = random.choice(few)
    listed = [*random.sample(many, 3), odd]
    random.shuffle(listed)
    return [
        (
            f"Which does not belong: {', '.join(listed)}?",
            f"{odd.capitalize()}: it is {other}, the others are each {kind}.",
        )
    ]


SHORT: tuple[Maker, ...] = (
    _sum, _product, _division, _convert, _temperature, _sort_numbers, _sort_words, _spell, _days_later,
    _weekday, _clock, _shopping, _gifts, _order, _even, _divisor, _percent, _area, _next_number, _odd_one,
)  # fmt: skip
