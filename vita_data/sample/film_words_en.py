"""English captions, questions and answers that are true of a film."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from vita_data.sample.film_look import Seen
from vita_data.sample.native import Turn
from vita_data.sample.photographs import PHOTOGRAPHS

Ask = Callable[[Seen, Random], Turn | None]  # None: this cannot be asked of this film
NUMBERS = ("no", "one", "two", "three", "four")
PLACES = ("first", "second", "third", "fourth")
MOVES = {
    "right": "the camera moves to the right",
    "left": "the camera moves to the left",
    "down": "the camera moves down",
    "up": "the camera moves up",
    "in": "the camera moves closer",
    "out": "the camera moves away",
    "still": "the camera stands still",
}
PROMPTS = (
    "Describe this video.",
    "What happens in this film, from the beginning to the end?",
    "Tell me what the video shows and how the camera moves.",
    "Please write a caption for this clip.",
    "Which pictures are shown here, and in which order?",
    "Explain to somebody who cannot see it what this video shows.",
)
SOUND_PROMPT = "Describe what is to be seen, and say what happens to the tones."
INSTRUCTIONS = (
    "Answer the question by watching the video.",
    "Look at the clip and answer briefly.",
    "Watch carefully and answer.",
)


def caption(seen: Seen, random: Random, timed: bool = True) -> str:
    """What a film shows, scene by scene; how long it lasts only when `timed`."""
    count = len(seen.scenes)
    if count == 1:
        opening = random.choice(("The video has a single scene.", "There is one scene, without a cut."))
    else:
        word = NUMBERS[count]
        opening = random.choice((f"The video has {word} scenes.", f"It consists of {word} scenes."))
    told = [opening]
    for number, scene in enumerate(seen.scenes):
        begin = "It shows" if count == 1 else _begin(number, count)
        told.append(f"{begin} {scene.photo.subject}, and {MOVES[scene.move]}.")
        if random.random() < 0.6 and (extra := _extra(seen, number)):
            told.append(extra)
    if timed and random.random() < 0.5:
        told.append(f"In all it lasts {_about(seen.film.seconds)}.")
    return " ".join(told)


def heard(seen: Seen) -> str:
    """What happens in the sound track of a film that has one."""
    rising = seen.film.tune[0] < seen.film.tune[-1]
    return f"Meanwhile eight tones are heard that go {'up' if rising else 'down'}."


def _begin(number: int, count: int) -> str:
    if number == 0:
        return "First it shows"
    return "At the end it shows" if number == count - 1 else "Then it shows"


def _extra(seen: Seen, number: int) -> str | None:
    if seen.greys[number]:
        return "This part is in black and white."
    colour = seen.colours[number]
    return f"Most of what is seen there is {colour}." if colour else None


def _about(seconds: float) -> str:
    whole = int(seconds + 0.5)
    if whole < 2:
        return "less than a second" if whole == 0 else "about one second"
    return f"about {whole} seconds"


def _count(seen: Seen, random: Random) -> Turn:
    word = NUMBERS[len(seen.scenes)]
    question = random.choice(
        ("How many scenes does the video have?", "How many different pictures are shown?")
    )
    return question, random.choice(
        (word.capitalize() + ".", f"There {'is' if word == 'one' else 'are'} {word}.")
    )


def _at_place(seen: Seen, random: Random) -> Turn:
    number = random.randrange(len(seen.scenes))
    where = "at the end" if number == len(seen.scenes) - 1 else f"in the {PLACES[number]} scene"
    return f"What is shown {where}?", f"It shows {seen.scenes[number].photo.subject}."


def _move(seen: Seen, random: Random) -> Turn:
    number = random.randrange(len(seen.scenes))
    how = MOVES[seen.scenes[number].move]
    if len(seen.scenes) == 1:
        return "How does the camera move?", f"{how[0].upper()}{how[1:]}."
    return f"How does the camera move in the {PLACES[number]} scene?", f"In that scene {how}."


def _order(seen: Seen, random: Random) -> Turn | None:
    if len(seen.scenes) < 2:
        return None
    pair = random.sample(range(len(seen.scenes)), 2)
    names = [seen.scenes[number].photo.subject for number in pair]
    first = names[0] if pair[0] < pair[1] else names[1]
    return f"Which comes first: {names[0]}, or {names[1]}?", f"First comes {first}."


def _after(seen: Seen, random: Random) -> Turn | None:
    if len(seen.scenes) < 2:
        return None
    number = random.randrange(len(seen.scenes) - 1)
    before, after = (seen.scenes[n].photo.subject for n in (number, number + 1))
    return f"What follows directly after {before}?", f"After that it shows {after}."


def _appears(seen: Seen, random: Random) -> Turn:
    shown = [scene.photo.subject for scene in seen.scenes]
    asked = random.choice(shown)
    if random.random() < 0.5:
        asked = random.choice([photo.subject for photo in PHOTOGRAPHS if photo.subject not in shown])
    return f"Does the video show {asked}?", "Yes." if asked in shown else "No."


def _choice(seen: Seen, random: Random) -> Turn:
    shown = [scene.photo.subject for scene in seen.scenes]
    wrong = random.sample([photo.subject for photo in PHOTOGRAPHS if photo.subject not in shown], 3)
    options = [*wrong, random.choice(shown)]
    random.shuffle(options)
    letter = "ABCD"[next(n for n, option in enumerate(options) if option in shown)]
    listed = "\n".join(f"{name}. {option}" for name, option in zip("ABCD", options, strict=True))
    return f"Which of these appears in the video? Answer with the letter only.\n{listed}", letter


def _longest(seen: Seen, random: Random) -> Turn | None:
    number = seen.longest()
    if number is None:
        return None
    answer = f"The {PLACES[number]} one, with {_about(seen.scenes[number].seconds)}."
    return "Which scene lasts longest?", answer


def _length(seen: Seen, random: Random) -> Turn:
    question = random.choice(("How long is the video?", "About how many seconds does the video last?"))
    told = _about(seen.film.seconds)
    return question, f"{told[0].upper()}{told[1:]}."


def _colour(seen: Seen, random: Random) -> Turn | None:
    named = [number for number, colour in enumerate(seen.colours) if colour]
    if not named:
        return None
    number = random.choice(named)
    return f"What is the main colour in the {PLACES[number]} scene?", f"It is mostly {seen.colours[number]}."


ASKS: tuple[Ask, ...] = (
    _count, _at_place, _move, _order, _after, _appears, _choice, _longest, _length, _colour,
)  # fmt: skip


def questions(seen: Seen, random: Random, count: int) -> list[Turn]:
    """Up to `count` different questions on a film, at least one."""
    asked = [turn for ask in random.sample(ASKS, len(ASKS)) if (turn := ask(seen, random)) is not None]
    return asked[:count]


def about_clip(seen: Seen, start: float, end: float, random: Random) -> list[Turn]:
    """Questions on a part of a film: what is shown in it, and how many scenes it touches."""
    shown = [seen.scenes[number].photo.subject for number in seen.parts(start, end)]
    told = f"It shows {', and then '.join(shown)}."
    word = NUMBERS[len(shown)]
    turns = [
        ("What is shown in this part of the video?", told),
        ("How many scenes are seen in it?", f"{word.capitalize()}."),
    ]
    return turns if random.random() < 0.6 else turns[:1]
