"""The made-up figures behind a chart, and questions on them whose answers are computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from vita_data.sample.native import Turn

Ask = Callable[["Series", Random], Turn | None]  # None: this cannot be asked of these figures

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LABELS = {
    "in time": (MONTHS, DAYS, ("2015", "2016", "2017", "2018", "2019", "2020", "2021", "2022")),
    "in kinds": (
        ("Apples", "Pears", "Plums", "Figs", "Limes", "Grapes", "Melons"),
        ("Oslo", "Rome", "Lima", "Cairo", "Perth", "Quito", "Delhi"),
        ("Red", "Blue", "Green", "White", "Black", "Brown"),
        ("Team A", "Team B", "Team C", "Team D", "Team E"),
        ("Bread", "Milk", "Rice", "Tea", "Salt", "Oil", "Eggs"),
    ),
}
TITLES = {
    "in time": (
        ("Books lent", "books"), ("Rain", "mm"), ("Visitors", "people"), ("Letters sent", "letters"),
        ("Bicycles sold", "bicycles"), ("Hours of sun", "hours"), ("Trains late", "trains"),
    ),
    "in kinds": (
        ("Orders", "orders"), ("Stock on hand", "boxes"), ("Points", "points"), ("Votes", "votes"),
        ("Weight", "kg"), ("Complaints", "complaints"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Series:
    """Labelled whole numbers, all different; the shares of a pie add up to 100 percent."""

    title: str
    unit: str
    labels: tuple[str, ...]
    values: tuple[int, ...]

    def label_of(self, value: int) -> str:
        """The label under which this value stands."""
        return self.labels[self.values.index(value)]

    def amount(self, value: int) -> str:
        """A value with its unit."""
        return f"{value}%" if self.unit == "%" else f"{value} {self.unit}"


def draw_series(random: Random, kind: str) -> Series:
    """Figures for a `bar`, `line` or `pie` chart."""
    group = "in time" if kind == "line" or (kind == "bar" and random.random() < 0.5) else "in kinds"
    names = random.choice(LABELS[group])
    count = random.randint(4 if kind == "line" else 3, 6)
    if group == "in time":
        start = random.randint(0, len(names) - min(count, len(names)))
        labels = names[start : start + count]
    else:
        labels = tuple(random.sample(names, min(count, len(names))))
    title, unit = random.choice(TITLES[group])
    if kind == "pie":
        return Series(f"Share of {title.lower()}", "%", labels, _shares(random, len(labels)))
    top = random.choice((12, 30, 60, 120, 480))
    return Series(title, unit, labels, tuple(random.sample(range(max(1, top // 10), top + 1), len(labels))))


def _shares(random: Random, count: int) -> tuple[int, ...]:
    while True:
        cuts = sorted(random.sample(range(1, 20), count - 1))
        shares = [5 * (end - start) for start, end in zip([0, *cuts], [*cuts, 20], strict=True)]
        shares[0] += 1
        shares[-1] -= 1
        if len(set(shares)) == count:
            return tuple(shares)


def _value(series: Series, random: Random) -> Turn:
    label = random.choice(series.labels)
    amount = series.amount(series.values[series.labels.index(label)])
    question = random.choice(
        ("What is the value for {}?", "How much does the chart show for {}?", "{}: how much?")
    )
    return question.format(label), random.choice((f"{amount}.", f"The chart shows {amount} for {label}."))


def _highest(series: Series, random: Random) -> Turn:
    best = max(series.values)
    question = random.choice(("Which label has the highest value?", "Where is the value largest?"))
    return question, f"{series.label_of(best)}, with {series.amount(best)}."


def _lowest(series: Series, random: Random) -> Turn:
    least = min(series.values)
    question = random.choice(("Which label has the lowest value?", "Where is the value smallest?"))
    return question, f"{series.label_of(least)}, with {series.amount(least)}."


def _difference(series: Series, random: Random) -> Turn:
    one, two = random.sample(range(len(series.labels)), 2)
    question = f"What is the difference between {series.labels[one]} and {series.labels[two]}?"
    more, less = sorted((series.values[one], series.values[two]), reverse=True)
    points = f"{more - less} percentage points" if series.unit == "%" else series.amount(more - less)
    return question, random.choice((f"{points}.", f"{more} - {less} = {more - less}, so {points}."))


def _total(series: Series, random: Random) -> Turn | None:
    if series.unit == "%":
        one, two = random.sample(range(len(series.labels)), 2)
        both = series.values[one] + series.values[two]
        return f"Which share do {series.labels[one]} and {series.labels[two]} have together?", f"{both}%."
    total = sum(series.values)
    terms = " + ".join(str(value) for value in series.values)
    question = random.choice(("What do all values add up to?", "What is the total?"))
    return question, random.choice((f"{series.amount(total)}.", f"{terms} = {total}."))


def _above(series: Series, random: Random) -> Turn:
    limit = random.choice(sorted(series.values)[:-1])
    count = sum(value > limit for value in series.values)
    return f"How many labels lie above {limit}?", f"{count}."


def _count(series: Series, random: Random) -> Turn:
    return "How many values are shown?", f"{len(series.values)}."


def _second(series: Series, random: Random) -> Turn:
    second = sorted(series.values)[-2]
    return "Which label comes second?", f"{series.label_of(second)}, with {series.amount(second)}."


def _title(series: Series, random: Random) -> Turn:
    return random.choice(("What is the title?", "What is the chart about?")), f"{series.title}."


def _order(series: Series, random: Random) -> Turn:
    listed = ", ".join(series.label_of(value) for value in sorted(series.values))
    return "List the labels from the smallest value to the largest.", f"{listed}."


ASKS: tuple[Ask, ...] = (
    _value, _highest, _lowest, _difference, _total, _above, _count, _second, _title, _order,
)  # fmt: skip


def ask_on(series: Series, random: Random, count: int) -> list[Turn]:
    """`count` different questions on the figures."""
    turns = [ask(series, random) for ask in random.sample(ASKS, count)]
    return [turn for turn in turns if turn is not None]
