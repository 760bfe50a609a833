"""Texts in normal form and as sets of shingles."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.curate import words

SIGNS = st.sampled_from("abcé9 7中文字 .,-!?+<\n:/カ한ไ🙂")
TEXTS = st.text(SIGNS, max_size=40)


def turns(*values: str) -> list[dict[str, str]]:
    return [{"from": ("human", "gpt")[n % 2], "value": value} for n, value in enumerate(values)]


def tokens(text: str) -> list[str]:
    """What the module's first lines say, a character after another."""
    found, word = [], ""
    kinds = [unicodedata.category(sign)[0] for sign in text]
    for n, sign in enumerate(text):
        near = [kinds[m] if 0 <= m < len(text) else "Z" for m in (n - 1, n + 1)]
        alone = kinds[n] == "S" or (kinds[n] in "LM" and sign in "中文字カไ")
        alone |= kinds[n] == "P" and ("N" in near or all(kind in "ZC" for kind in near))
        if alone or kinds[n] not in "LMN":
            found += [word] if word else []
            found += [sign] if alone else []
            word = ""
        else:
            word += sign
    return [*found, word] if word else found


def runs(text: str, width: int) -> set[tuple[str, ...]]:
    there = tokens(text)
    if len(there) < width:
        return {("the whole", text)}
    return {tuple(there[n : n + width]) for n in range(len(there) - width + 1)}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("  Two\n\twords ", "two words"),
        ("ＡＢＣ　１２３，好", "abc 123,好"),
        ("ﬁne STRASSE straße", "fine strasse strasse"),
        ("hy\u00adphen\u200bated\ufeff", "hyphenated"),
        ("Café", "café"),
        ("", ""),
    ],
)
def test_case_width_white_space_and_unseen_characters_make_no_difference(text: str, form: str) -> None:
    assert words.normal(text) == form


@given(st.text(st.sampled_from("aB，：％　？\u0301ﬁ中ガ\u3099①² "), max_size=12))
def test_the_normal_form_is_that_of_unicode(text: str) -> None:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    assert words.normal(text) == " ".join(folded.split())


def test_conversations_are_equal_only_turn_by_turn() -> None:
    assert words.normal_turns(turns("One", "two ")) == words.normal_turns(turns("one", " TWO"))
    assert words.normal_turns(turns("one", "two")) != words.normal_turns(turns("one two"))
    assert words.normal_turns(turns("one\ntwo")) != words.normal_turns(turns("one", "two"))
    assert words.normal_turns(turns("", "one")) != words.normal_turns(turns("one", ""))


def test_a_placeholder_is_kept_apart_from_the_words_beside_it() -> None:
    beside = words.normal_turns(turns("<image>What is it?", "A cat."))
    assert beside == words.normal_turns(turns("<image>\nWhat is it?", "A cat."))
    assert beside != words.normal_turns(turns("What is it?", "A cat."))


@given(TEXTS, TEXTS, st.integers(1, 6))
def test_shingles_are_the_runs_of_tokens(one: str, other: str, width: int) -> None:
    hashes = [set(words.shingles(text, width).tolist()) for text in (one, other)]
    expected = [runs(text, width) for text in (one, other)]
    assert [len(some) for some in hashes] == [len(some) for some in expected]
    assert len(hashes[0] & hashes[1]) == len(expected[0] & expected[1])


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_texts_hashed_together_have_the_shingles_they_have_alone(texts: list[str]) -> None:
    hashes, starts = words.shingle_hashes(texts, 3)
    assert len(starts) == len(texts) + 1
    for text, start, end in zip(texts, starts, starts[1:], strict=False):
        assert np.array_equal(np.unique(hashes[start:end]), words.shingles(text, 3))


def test_no_text_at_all_has_no_shingles() -> None:
    hashes, starts = words.shingle_hashes([])
    assert (len(hashes), starts.tolist()) == (0, [0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("on day 12 he sold 5 hens", "on day 12 he sold 6 hens"),
        ("so pi is about 3.14 or a bit more", "so pi is about 314 or a bit more"),
        ("please work out 12 - 5 for me now", "please work out 12 / 5 for me now"),
        ("please work out (3+4)*2 for me", "please work out 3+(4*2) for me"),
        ("is a < b for all of them here", "is a > b for all of them here"),
        ("yes.", "yes?"),
        ("小红有3个苹果和梨", "小红有4个苹果和梨"),
        ("天地玄黄宇宙洪荒", "天地玄黄宇宙荒洪"),
    ],
)
def test_digits_signs_of_calculation_and_order_are_content(one: str, other: str) -> None:
    assert not np.array_equal(words.shingles(one), words.shingles(other))


def test_sentence_marks_are_no_content_in_texts_of_some_length() -> None:
    assert np.array_equal(
        words.shingles("well, this is a well-known thing; is it?"),
        words.shingles("well this is a well known thing is it"),
    )


def test_chinese_is_cut_by_characters_and_mixed_text_by_both() -> None:
    assert len(words.shingles("今天天气很好", 5)) == 2
    assert len(words.shingles("用 python 写一个程序", 5)) == 3


def test_shingles_are_the_same_everywhere_and_for_ever() -> None:
    """Another value here means other signatures everywhere: raise words.VERSION."""
    assert words.shingles("the quick brown fox jumps over").tolist() == [
        12764468916323452193,
        14655217967980390211,
    ]
    assert words.shingles("天地玄黄").tolist() == [17195702710632589349]


def test_a_text_longer_than_any_table_of_powers_is_hashed_like_its_parts() -> None:
    sentence = " ".join(f"word{n}" for n in range(60_000))
    hashes, _ = words.shingle_hashes([sentence])
    last = " ".join(sentence.split()[-5:])
    assert hashes[-1] == words.shingles(last)[0]
