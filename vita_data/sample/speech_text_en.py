"""English sentences to be spoken: put together from clauses, none of them twice."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from vita_data.sample.chance import rng
from vita_data.sample.spoken_numbers import in_words, year_in_words

OPENERS = (
    "early in the morning", "after the rain", "on the last day of the fair", "shortly before noon",
    "when the snow had melted", "late in the evening", "on the way home", "during the summer holidays",
    "a week after the storm", "as soon as the gate was open", "on a quiet Sunday", "before the first train left",
)  # fmt: skip
DEEDS = (
    "the baker carried two baskets of rolls across the square",
    "my grandmother watered the beans behind the house",
    "a tired postman leaned his bicycle against the fence",
    "the children built a dam of stones in the brook",
    "our neighbour painted the shutters dark green",
    "the captain counted the lamps along the harbour wall",
    "an old clockmaker wound the great clock of the town hall",
    "the teacher read a story about a fox and a well",
    "two carpenters mended the roof of the chapel",
    "the nurse opened every window on the second floor",
    "a young painter drew the boats in the harbour",
    "the farmer led his horses down to the river",
    "my uncle found a silver spoon under the floor",
    "the choir sang three songs in the market hall",
    "a small dog followed us along the canal",
    "the librarian put the heavy atlases on a lower shelf",
    "the fishermen hung their nets over the railing",
    "a girl in a yellow coat fed the ducks",
    "the cook tasted the soup and added a little salt",
    "the mechanic took the engine apart on a sheet of paper",
    "our cat slept on a pile of clean towels",
    "the gardener tied the young trees to their poles",
    "a woman with a cello asked for the concert hall",
    "the miller shovelled flour into paper bags",
    "the pilot explained how the compass works",
    "a boy sold lemonade in front of the museum",
    "the tailor sewed new buttons on the coat",
    "the guard walked twice around the castle",
    "my sister planted onions next to the carrots",
    "the conductor forgot his baton in the tram",
    "a goat climbed onto the roof of the shed",
    "the students measured the shadow of the tower",
)  # fmt: skip
ENDINGS = (
    "because the bridge was closed", "while the bells were ringing", "and nobody said a word",
    "although the wind was cold", "until the lamps went out", "and everybody was pleased",
    "as they did every year", "so that it would be ready by night", "without looking at the clock",
    "and then the sun came out",
)  # fmt: skip
SHORT = (
    "Please close the door.", "The kettle is boiling.", "It is too cold to swim.", "The keys are on the table.",
    "We meet at the fountain.", "Nobody knew the answer.", "The road goes uphill.", "Bring an umbrella.",
    "The bread is still warm.", "She laughed and waved.", "That window does not open.", "The fog is lifting.",
    "Turn left at the mill.", "He plays the violin.", "The shop shuts at noon.", "All the lights are green.",
    "I can hear the sea.", "The ladder is too short.", "They won by one goal.", "Our boat has a red sail.",
)  # fmt: skip
QUESTIONS = (
    "Where did you leave the blue umbrella?", "How far is it to the nearest station?",
    "Why is the museum closed on Mondays?", "Who wrote the letter on the kitchen table?",
    "When does the last ferry leave the island?", "Which of these apples tastes the best?",
    "Could you tell me what time it is?", "What do bees do in the winter?",
    "How many strings does a violin have?", "Is there a bakery in this street?",
)  # fmt: skip
ATTEMPTS = 50  # for each sentence that is asked for
GOODS = ("lamp", "kettle", "jacket", "drum", "saddle", "carpet", "mirror", "bicycle")
NAMES = ("Hill", "Baker", "Lindgren", "Okafor", "Moreau", "Tanaka", "Silva", "Novak")


@dataclass(frozen=True)
class Line:
    """A sentence as it is written, and as it is read aloud: numbers and short forms in words."""

    written: str
    read: str

    @property
    def upper(self) -> str:
        """Capital letters, no punctuation: how LibriSpeech writes it."""
        kept = "".join(c if c.isalpha() or c == "'" else " " for c in self.read)
        return " ".join(kept.upper().split())


def sentences(purpose: str, count: int, longest: int = 3, numbers: float = 0.0) -> list[Line]:
    """`count` different sentences for a purpose, of up to `longest` clauses, a share of them with numbers."""
    found: dict[str, Line] = {}
    for attempt in range(count * ATTEMPTS):
        line = _sentence(rng("sentences", purpose, str(attempt)), longest, numbers)
        found.setdefault(line.written, line)
        if len(found) == count:
            return list(found.values())
    raise ValueError(f"There are no {count} sentences of up to {longest} clauses, only {len(found)}.")


def _sentence(random: Random, longest: int, numbers: float) -> Line:
    if random.random() < numbers:
        return _numbered(random.randrange(5), *(random.randint(2, 99) for _ in range(3)))
    if random.random() < 0.25:
        plain = random.choice(SHORT + QUESTIONS)
        return Line(plain, plain)
    clauses = random.randint(1, longest)
    text = random.choice(DEEDS)
    if clauses > 1:
        text = f"{random.choice(OPENERS)}, {text}"
    if clauses > 2:
        text = f"{text} {random.choice(ENDINGS)}"
    text = f"{text[0].upper()}{text[1:]}."
    return Line(text, text)


def _numbered(kind: int, first: int, second: int, third: int) -> Line:
    """A sentence whose written form has figures or a short form that are read out in words."""
    good, name = GOODS[second % len(GOODS)], NAMES[third % len(NAMES)]
    if kind == 0:
        return Line(f"The {good} costs £{first}.", f"The {good} costs {in_words(first)} pounds.")
    if kind == 1:
        year = 1700 + 2 * first
        return Line(f"Mrs. {name} was born in {year}.", f"Missis {name} was born in {year_in_words(year)}.")
    if kind == 2:
        words = f"{in_words(first)} chairs and {in_words(second)} tables"
        return Line(f"We need {first} chairs and {second} tables.", f"We need {words}.")
    if kind == 3:
        return Line(f"Dr. {name} lives at No. {first}.", f"Doctor {name} lives at number {in_words(first)}.")
    return Line(
        f"About {first}% of the {good}s are sold.",
        f"About {in_words(first)} percent of the {good}s are sold.",
    )
