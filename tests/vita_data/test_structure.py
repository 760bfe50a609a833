"""A conversation is two speakers in turn who say something, with a placeholder for every picture."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.curate.structure import ROLES, conversation, judge
from vita_data.errors import RecordError


def _turns(*said: tuple[Any, Any]) -> list[dict[str, Any]]:
    return [{"from": role, "value": value} for role, value in said]


def _counts(images: int, **others: int) -> dict[str, int]:
    return {"image": images, "video": 0, "audio": 0, **others}


def _rule(native: list[dict[str, Any]], images: int = 0, **others: int) -> str | None:
    counts = _counts(images, **others)
    try:
        reject = judge(conversation(native, counts), counts)
    except RecordError as error:
        return error.rule
    return reject.rule if reject else None


Q, A = ("human", "Q"), ("gpt", "A")


@pytest.mark.parametrize(
    ("turns", "rule"),
    [
        ([Q, A], None),
        ([Q, A, Q, A], None),
        ([("user", "Q"), ("assistant", "A")], None),
        ([("system", "Be kind."), Q, A], None),
        ([("system", "Be"), ("system", "kind."), Q, A], None),
        ([("gpt", "Hello."), Q, A], None),
        ([], "roles_alternate"),
        ([("system", "Be kind.")], "roles_alternate"),
        ([A], "roles_alternate"),
        ([Q], "roles_alternate"),
        ([Q, Q], "roles_alternate"),
        ([Q, Q, A], "roles_alternate"),
        ([Q, A, A], "roles_alternate"),
        ([Q, A, Q], "roles_alternate"),
        ([Q, ("system", "Be kind."), A], "unknown_role"),
        ([("tool", "Q"), A], "unknown_role"),
        ([("Human", "Q"), A], "unknown_role"),
        ([(None, "Q"), A], "unknown_role"),
        ([(["human"], "Q"), A], "unknown_role"),
        ([({"human": 1}, "Q"), A], "unknown_role"),
        ([(7, "Q"), A], "unknown_role"),
        ([Q, ("gpt", "")], "empty_answer"),
        ([Q, ("gpt", " \n\u3000")], "empty_answer"),
        ([Q, ("gpt", None)], "empty_answer"),
        ([("human", ""), A], "empty_question"),
        ([Q, ("gpt", ["A"])], "not_a_record"),
        ([Q, ("gpt", 3)], "not_a_record"),
        ([("human", "\ud83d"), A], "not_utf8"),
        ([("human", "nothing \udc80 here"), A], "not_utf8"),
        ([("human", "🐈 图\x00\n"), A], None),
    ],
)
def test_each_rule_refuses_what_it_is_for(turns: list[tuple[Any, Any]], rule: str | None) -> None:
    assert _rule(_turns(*turns)) == rule


@pytest.mark.parametrize(
    ("question", "images", "rule"),
    [
        ("<image>\nQ", 1, None),
        ("Q\n<image>", 1, None),
        ("<image>", 1, None),
        ("Q", 1, None),
        ("", 1, None),
        ("<image><image>Q", 2, None),
        ("<image>Q", 2, "placeholders_match"),
        ("Q", 2, "placeholders_match"),
        ("<image><image>Q", 1, "placeholders_match"),
        ("<image>Q", 0, "placeholders_match"),
        ("<video>Q", 0, "placeholders_match"),
        ("<audio>Q", 0, "placeholders_match"),
        ("<IMAGE>Q", 0, None),
    ],
)
def test_placeholders_and_pictures_must_be_as_many(question: str, images: int, rule: str | None) -> None:
    assert _rule(_turns(("human", question), A), images) == rule


def test_a_placeholder_in_an_answer_is_a_word_and_no_picture() -> None:
    assert _rule(_turns(Q, ("gpt", "Write <image> there.")), 0) is None
    turns = conversation(_turns(Q, ("gpt", "Write <image> there.")), _counts(1))
    assert turns[0]["value"] == "<image>\nQ"


def test_one_picture_that_nobody_names_stands_before_the_first_question() -> None:
    assert conversation(_turns(("gpt", "Hi"), Q, A), _counts(1))[0] == {
        "from": "human",
        "value": "<image>\nQ",
    }


def test_a_picture_may_be_named_in_a_later_question() -> None:
    assert _rule(_turns(Q, A, ("human", "<image>\nQ"), A), 1) is None


def test_a_long_conversation_is_judged_in_no_time() -> None:
    assert _rule(_turns(*[Q, A] * 50_000)) is None


VALUE = st.none() | st.integers() | st.text(st.characters(), max_size=9) | st.lists(st.text("a"), max_size=2)
ROLE = st.sampled_from([*ROLES, "system", "tool", None, 3, ("a",)]) | VALUE


@given(st.lists(st.tuples(ROLE, VALUE | st.just("<image>")), max_size=6), st.integers(0, 3))
def test_whatever_is_said_ends_in_a_reject_or_in_questions_with_answers(
    said: list[tuple[Any, Any]], images: int
) -> None:
    native = _turns(*said)
    if _rule(native, images) is None:
        turns = conversation(native, _counts(images))
        assert [turn["from"] for turn in turns] == ["human", "gpt"] * (len(turns) // 2) != []
        assert all(turn["value"].strip() for turn in turns)
        assert sum(turn["value"].count("<image>") for turn in turns[::2]) == images


@given(st.lists(st.sampled_from([Q, A]), min_size=1, max_size=6), st.integers(0, 1))
def test_a_conversation_is_made_once(said: list[tuple[Any, Any]], images: int) -> None:
    once = conversation(_turns(*said), _counts(images))
    if judge(once, _counts(images)) is not None:
        return
    assert conversation([dict(turn) for turn in once], _counts(images)) == once
