"""What the state head learns of a conversation, and where: at the ends of its questions.

A head of three classes tells what is meant for the model from what is not, and looks at questions that are heard; one
of two, the paper's, tells spoken questions from written ones and looks at all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

REPLY, NOT_ADDRESSED = 0, 1
WRITTEN, SPOKEN = 0, 1
TEXT_OR_SPEECH = 2  # classes of the paper's head


def states_of(
    turns: Sequence[dict[str, str]],
    heard: Sequence[range],
    ends: Sequence[int],
    inserted_id: int | None,
    classes: int,
) -> list[tuple[int, int]]:
    """(place, state) of each question that is answered and that a head of so many classes looks at.

    `heard` are the places of each sound, `ends` the last place of each turn's words. A question with sound ends where
    its last sound does. `inserted_id` numbers the answer to what was not meant for the model.
    """
    found: list[tuple[int, int]] = []
    sounds = 0
    for number, turn in enumerate(turns[:-1]):
        if turn["from"] != "human":
            continue
        count = turn["value"].count("<audio>")
        sounds += count
        place = heard[sounds - 1][-1] if count else ends[number]
        if classes == TEXT_OR_SPEECH:
            found.append((place, SPOKEN if count else WRITTEN))
        elif count:
            found.append((place, NOT_ADDRESSED if number + 1 == inserted_id else REPLY))
    return found
