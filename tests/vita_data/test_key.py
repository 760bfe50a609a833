"""Keys and keyed choices: the same everywhere, for ever, and independent of each other."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.records.key import UNIT, digest_of, id_hash, keyed_hash, sample_key, selection_hash

texts = st.text(st.characters(codec=None), max_size=12)


def test_keys_and_hashes_are_what_they_were_when_the_first_shards_were_written() -> None:
    assert sample_key("coco", "train.json", '"000000215677"', 0) == "coco-d5fcbf294f38ddf8"
    assert selection_hash(0, "coco-d5fcbf294f38ddf8") == 17613993862526090923
    assert selection_hash(7, "coco-d5fcbf294f38ddf8") == 5915445624301985993
    assert keyed_hash(0, "hold-out", "ab") == 13078777946338935487
    assert id_hash("train.json", "7") == 18022562262557555719
    assert digest_of("shard", 1, {"b": 2, "a": 1}) == "5344e487b25f3597"


@given(texts, texts, st.integers(0, 2**40))
def test_a_key_is_its_source_and_sixteen_hex_digits(annotation: str, native_id: str, occurrence: int) -> None:
    assert re.fullmatch("photos-[0-9a-f]{16}", sample_key("photos", annotation, native_id, occurrence))


@given(st.lists(texts, min_size=1, max_size=4), st.lists(texts, min_size=1, max_size=4))
def test_parts_of_a_name_do_not_run_into_each_other(one: list[str], other: list[str]) -> None:
    assert (keyed_hash(0, "p", *one) == keyed_hash(0, "p", *other)) == (one == other)


@pytest.mark.parametrize(
    "other",
    [
        ("other", "train.json", "1", 0),
        ("photos", "val.json", "1", 0),
        ("photos", "train.json", '"1"', 0),
        ("photos", "train.json", "1", 1),
    ],
)
def test_source_file_id_and_occurrence_each_change_the_key(other: tuple[str, str, str, int]) -> None:
    key = sample_key("photos", "train.json", "1", 0)
    assert sample_key(*other)[-16:] != key[-16:]


def test_choices_for_different_purposes_and_seeds_are_independent() -> None:
    keys = [f"photos-{number:016x}" for number in range(4000)]
    chosen = {key for key in keys if selection_hash(0, key) < UNIT // 5}
    held = {key for key in keys if keyed_hash(0, "hold-out", key) < UNIT // 5}
    again = {key for key in keys if selection_hash(1, key) < UNIT // 5}
    for some in (chosen, held, again):
        assert 700 < len(some) < 900
    assert 110 < len(chosen & held) < 210
    assert 110 < len(chosen & again) < 210


def test_a_digest_does_not_depend_on_the_order_of_names() -> None:
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": [2, 0]})
