"""The vocabulary of characters: its order, its file, and what a transcript needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data import files
from vita_data.errors import RecordError, VitaError
from vita_data.prompt.characters import Characters, check_frames, frames_needed

TEXTS = ["It is 5.", "今天天气", "𠮷 is rare"]


def test_characters_stand_in_code_point_order_behind_blank_and_unknown() -> None:
    characters = Characters.of(TEXTS)
    assert characters.symbols == tuple(sorted(set("".join(TEXTS)), key=ord))
    assert len(characters) == 2 + len(characters.symbols)
    assert characters.encode(" .5") == [2, 3, 4]
    assert characters.encode("☃")[0] == 1 and characters.decode([0, 1, 2]) == "\ufffd "


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4))
def test_texts_come_back_from_their_ids_and_their_order_changes_nothing(texts: list[str]) -> None:
    characters = Characters.of(texts)
    assert [characters.decode(characters.encode(text)) for text in texts] == texts
    assert Characters.of(reversed(texts)) == characters


def test_a_vocabulary_comes_back_from_its_file(tmp_path: Path) -> None:
    path = str(tmp_path / "characters.json")
    characters = Characters.of(TEXTS)
    characters.write(path)
    assert Characters.read(path) == characters
    assert Characters.read(path).digest == characters.digest != Characters.of(TEXTS[:2]).digest
    assert files.read_json(path)["digest"] == characters.digest


@pytest.mark.parametrize(
    "changed", [{"characters": ["b", "a"]}, {"characters": ["ab"]}, {"characters": "ab"}, {"digest": "0"}]
)
def test_a_file_that_is_no_vocabulary_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    path = str(tmp_path / "characters.json")
    Characters.of(["ab"]).write(path)
    files.write_json(path, {**files.read_json(path), **changed})
    with pytest.raises(VitaError, match=r"characters\.json is not a list of characters"):
        Characters.read(path)


def test_a_transcript_needs_a_frame_a_character_and_one_between_equal_neighbours() -> None:
    assert [frames_needed(ids) for ids in ([], [2], [2, 3, 2], [2, 2, 2, 3])] == [0, 1, 3, 6]
    check_frames([2, 2, 2, 3], 6)
    with pytest.raises(RecordError, match="5 encoder frames and its transcript needs 6") as caught:
        check_frames([2, 2, 2, 3], 5)
    assert (caught.value.rule, caught.value.value, caught.value.threshold) == ("ctc_too_short", "5", "6")
