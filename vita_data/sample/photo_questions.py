"""Questions on crops of photographs, with answers computed from pixels and places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from vita_data.sample.measure import COLOURS
from vita_data.sample.native import Turn
from vita_data.sample.photographs import PHOTOGRAPHS
from vita_data.sample.shots import Shot

Ask = Callable[[Shot, Random], Turn | None]  # None: this cannot be asked of this crop
LETTERS = "ABCD"
CLEAR_LIGHT = 12.0  # levels of 255 between two pictures of which one is called lighter


def _subject(shot: Shot, random: Random) -> Turn:
    question = random.choice(
        (
            "What does the photograph show from which this crop was cut?",
            "This is only a part of a photograph. What is the whole photograph a picture of?",
        )
    )
    return question, f"It is a photograph of {shot.place.photo.subject}."


def _choice(shot: Shot, random: Random) -> Turn:
    right = shot.place.photo.subject
    options = random.sample([photo.subject for photo in PHOTOGRAPHS if photo.subject != right], 3)
    options.insert(random.randint(0, 3), right)
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=True))
    letter = LETTERS[options.index(right)]
    if random.random() < 0.5:
        question = f"Which photograph was this cut from? Answer with the letter only.\n{listed}"
        return question, letter
    return f"Choose what the whole photograph shows.\n{listed}", f"{letter}. {right}"


def _colour(shot: Shot, random: Random) -> Turn | None:
    if shot.grey:
        return "Is this picture in colour?", "No, it is a black-and-white picture."
    if shot.look.share < 0.4:
        return None
    colour = shot.look.colour
    question = random.choice(("Which colour covers most of this picture?", "What is the main colour here?"))
    return question, random.choice((colour.capitalize() + ".", f"It is mostly {colour}."))


def _is_colour(shot: Shot, random: Random) -> Turn | None:
    if shot.grey or shot.look.share < 0.5:
        return None
    right = shot.look.colour
    asked = right if random.random() < 0.5 else random.choice([name for name in COLOURS if name != right])
    answer = "Yes." if asked == right else f"No, it is {right}."
    return f"Is {asked} the colour that covers most of the picture?", answer


def _side(shot: Shot, random: Random) -> Turn | None:
    side = shot.look.lighter_side()
    if side is None:
        return None
    question = random.choice(
        ("Which half is lighter, the left or the right one?", "Is it lighter left or right?")
    )
    if side == "neither":
        return question, "Both halves are about equally light."
    return question, random.choice((f"The {side} half is lighter.", side.capitalize() + "."))


def _end(shot: Shot, random: Random) -> Turn | None:
    end = shot.look.lighter_end()
    if end not in ("upper", "lower"):
        return None
    question = random.choice(
        ("Is the upper half lighter than the lower half?", "Is the upper part the lighter one?")
    )
    return question, "Yes." if end == "upper" else "No, the lower half is lighter."


def _shape(shot: Shot, random: Random) -> Turn:
    width, height = shot.look.width, shot.look.height
    shape = "square" if width == height else "wider than tall" if width > height else "taller than wide"
    question = random.choice(
        ("Is this crop wider than tall or taller than wide?", "What shape does the crop have?")
    )
    return question, f"It is {shape}: {width} by {height} pixels."


def _lightness(shot: Shot, random: Random) -> Turn:
    options = "very dark, dark, of medium brightness, light or very light"
    question = random.choice(
        ("How light is the picture as a whole", "How would you call the light of this crop")
    )
    return f"{question}: {options}?", f"It is {shot.look.lightness()}."


def _region(shot: Shot, random: Random) -> Turn:
    (width, height), (left, upper, _, _) = shot.place.size, shot.place.box
    question = (
        f"The whole photograph is {width} pixels wide and {height} pixels tall, and the upper left corner of "
        f"this crop lies {left} pixels from its left edge and {upper} pixels from its upper edge. "
        "In which part of the photograph does the middle of the crop lie?"
    )
    return question, f"It lies in the {shot.place.region()} of the photograph."


def _fact(shot: Shot, random: Random) -> Turn:
    question = random.choice(
        ("What else can be said of the whole photograph?", "Name one thing about the whole photograph.")
    )
    return question, f"In the full photograph, {random.choice(shot.place.photo.facts)}."


ON_ONE: tuple[Ask, ...] = (
    _subject, _choice, _colour, _is_colour, _side, _end, _shape, _lightness, _region, _fact,
)  # fmt: skip


def on_one(shot: Shot, random: Random, count: int) -> list[Turn]:
    """Up to `count` different questions on one crop, at least one."""
    turns: list[Turn] = []
    for ask in random.sample(ON_ONE, len(ON_ONE)):
        turn = ask(shot, random)
        if turn is not None and len(turns) < count:
            turns.append(turn)
    return turns


def on_two(first: Shot, second: Shot, random: Random) -> list[Turn]:
    """One to three questions that compare two crops."""
    turns = [_same_photograph(first, second), _larger(first, second)]
    if abs(first.look.light - second.look.light) >= CLEAR_LIGHT:
        turns.append(_lighter(first, second))
    if first.look.width != second.look.width:
        turns.append(_wider(first, second))
    if first.grey != second.grey:
        grey = "first" if first.grey else "second"
        turns.append(("Which of the two pictures is in black and white?", f"The {grey} one."))
    random.shuffle(turns)
    return turns[: random.randint(1, 3)]


def _same_photograph(first: Shot, second: Shot) -> Turn:
    question = "Were these two crops cut from the same photograph?"
    if first.place.photo == second.place.photo:
        return question, f"Yes, both come from a photograph of {first.place.photo.subject}."
    subjects = (first.place.photo.subject, second.place.photo.subject)
    return question, "No. The first comes from a photograph of {}, the second from one of {}.".format(
        *subjects
    )


def _larger(first: Shot, second: Shot) -> Turn:
    areas = [shot.look.width * shot.look.height for shot in (first, second)]
    question = "Which picture has more pixels?"
    if areas[0] == areas[1]:
        return question, f"Neither: both have {areas[0]}."
    larger = "first" if areas[0] > areas[1] else "second"
    return question, f"The {larger} picture: {max(areas)} pixels against {min(areas)}."


def _lighter(first: Shot, second: Shot) -> Turn:
    lighter = "first" if first.look.light > second.look.light else "second"
    return "Which of the two pictures is lighter on the whole?", f"The {lighter} picture is lighter."


def _wider(first: Shot, second: Shot) -> Turn:
    widths = (first.look.width, second.look.width)
    wider = "first" if widths[0] > widths[1] else "second"
    return (
        "Which picture is wider?",
        f"The {wider} one, by {abs(widths[0] - widths[1])} pixels.",
    )


def on_none(shots: Sequence[Shot], random: Random) -> list[Turn]:
    """A question on pictures that needs no picture: sizes, areas and crops by numbers."""
    width, height = random.choice(shots).place.size
    columns = random.randint(2, 9)
    kind = random.randrange(4)
    if kind == 0:
        question = (
            f"A photograph is {width} pixels wide and {height} pixels tall. How many pixels does it have?"
        )
        return [(question, f"It has {width} x {height} = {width * height} pixels.")]
    if kind == 1:
        question = (
            f"I cut a picture that is {width} pixels wide into {columns} columns of equal whole width. "
        )
        question += "How wide is each, and how many pixels are left over?"
        return [(question, f"Each is {width // columns} pixels wide, and {width % columns} are left over.")]
    if kind == 2:
        question = f"A picture is {width} pixels wide and {height} pixels tall. Is it wider than tall?"
        equal = "No, it is square." if width == height else "No, it is taller than wide."
        return [(question, "Yes." if width > height else equal)]
    question = f"I turn a picture of {width} by {height} pixels by a quarter. What is its size now?"
    again = ("And after another quarter turn?", f"Then it is {width} by {height} pixels again.")
    return [(question, f"It is {height} pixels wide and {width} pixels tall."), again]
