"""Canonical JSON: one value, one text."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.records.canon import canonical, canonical_bytes

plain = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@given(values)
def test_what_is_read_back_is_what_was_written_and_is_written_alike(value: Any) -> None:
    data = canonical_bytes(value)
    assert json.loads(data) == value
    assert canonical_bytes(json.loads(data)) == data


@given(st.dictionaries(st.text(), st.integers(), max_size=8), st.randoms())
def test_the_order_of_a_dict_leaves_no_trace(value: dict[str, int], chance: random.Random) -> None:
    items = list(value.items())
    chance.shuffle(items)
    assert canonical(dict(items)) == canonical(value)


def test_there_are_no_spaces_and_real_characters() -> None:
    assert canonical({"b": [1, 2.5], "a": "图片 é"}) == '{"a":"图片 é","b":[1,2.5]}'


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_does_not_have_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical([number])


@given(st.text(st.characters(codec=None), max_size=6))
def test_half_a_character_becomes_the_replacement_character_and_the_bytes_are_utf8(text: str) -> None:
    data = canonical_bytes([text])
    assert canonical_bytes(json.loads(data.decode("utf-8"))) == data
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert json.loads(data) == [text]


def test_a_lone_surrogate_is_replaced_and_a_pair_is_joined() -> None:
    assert json.loads(canonical_bytes("a\ud800b")) == "a\ufffdb"
    assert json.loads(canonical_bytes("\ud83d\ude00")) == "\U0001f600"
