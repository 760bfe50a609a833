"""How much the tokens of questions say."""

from __future__ import annotations

import numpy as np

from vita_data.leaks.information import MOST_BITS, UNIT, information
from vita_data.leaks.tokens import tokens_of


def bits(texts: list[str]) -> list[list[float]]:
    """The bits of the tokens of each text."""
    some = tokens_of(texts)
    said = information(some, np.ones(len(some.hashes), bool)) / UNIT
    return [part.tolist() for part in np.split(said, some.firsts[1:-1])]


def test_rare_words_say_more_than_plain_ones() -> None:
    ((what, rare, plain),) = bits(["what phosphodiester picture"])
    assert rare > 12 > 7 > max(what, plain)


def test_what_many_questions_share_says_next_to_nothing_and_their_own_words_a_lot() -> None:
    texts = [f"kindly name the grumbling gentleman beside number {n} {n * n} at once" for n in range(400)]
    said = np.array(bits(texts))
    assert said[:, [1, 2, 3, 4]].max() < 1 and said[:, [9, 10]].max() < 1
    assert said[20:, [7, 8]].min() > 5


def test_a_question_does_not_make_its_own_words_common_and_a_few_copies_not_much() -> None:
    alone = sum(bits(["quaint vessels drifted beyond forgotten harbours"])[0])
    thrice = sum(bits([f"quaint vessels drifted beyond forgotten harbours {n}" for n in range(3)])[0][:6])
    assert alone > 6 * 12 and thrice > 0.9 * alone


def test_nothing_says_more_than_the_most() -> None:
    words = [f"w{n}" for n in range(50_000)]
    assert max(bits([" ".join(words)])[0]) <= MOST_BITS


def test_what_is_not_counted_changes_nothing() -> None:
    some = tokens_of(["quaint vessels drifted", "quaint vessels drifted"])
    both = information(some, np.ones(6, bool))
    one = information(some, np.arange(6) < 3)
    assert one[:3].sum() > both[:3].sum()
