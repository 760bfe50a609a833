"""LLaVA's dialects give the same records: turns with roles, ids as JSON, and pictures by name."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import catalogue, write_lines
from vita_data.catalog import finish
from vita_data.errors import SourceError, VitaError
from vita_data.sources.base import Fault, Medium, Native
from vita_data.sources.llava_json import LlavaJson, LlavaOptions

TURNS = [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]


def _read(folder: Path, records: list[Any], name: str = "data.jsonl", **options: Any) -> list[Native | Fault]:
    text = "\n".join(json.dumps(each) for each in records) if name.endswith("l") else json.dumps(records)
    (folder / name).write_text(text, encoding="utf-8")
    return _natives(folder, name, **options)


def _natives(folder: Path, name: str, **options: Any) -> list[Native | Fault]:
    adapter = LlavaJson(LlavaOptions(**options))
    split = adapter.split(str(folder), name, str(folder / "scratch"))
    return [native for part in split.slices for native in adapter.read(str(folder), part)]


def _media(folder: Path, record: Any, **options: Any) -> list[Medium]:
    (native,) = _read(folder, [record], **options)
    assert isinstance(native, Native)
    return native.media


def _rule(folder: Path, record: Any, **options: Any) -> str:
    (fault,) = _read(folder, [record], **options)
    assert isinstance(fault, Fault)
    return fault.error.rule


def test_a_record_is_of_the_split_that_it_or_its_file_names(tmp_path: Path) -> None:
    records = [{"id": 1, "conversations": TURNS, "split": "dev"}, {"id": 2, "conversations": TURNS}]
    for name, split in ("train.json", "train"), ("data.json", None):
        found = _read(tmp_path, records, name)
        assert [each.split for each in found if isinstance(each, Native)] == ["dev", split]


@pytest.mark.parametrize("name", ["data.json", "data.jsonl", "data.ndjson", "train"])
def test_a_file_is_read_by_its_extension_and_an_array_otherwise(tmp_path: Path, name: str) -> None:
    records = [{"id": n, "conversations": TURNS} for n in range(3)]
    text = "\n".join(map(json.dumps, records)) if name.endswith(("l", "ndjson")) else json.dumps(records)
    (tmp_path / name).write_text(text)
    assert [native.native_id for native in _natives(tmp_path, name)] == ["0", "1", "2"]


def test_the_card_can_say_that_json_holds_lines(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text('{"id": "a", "conversations": []}\n')
    (native,) = _natives(tmp_path, "data.json", format="jsonl")
    assert native.native_id == '"a"'


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (7, "7"),
        ("7", '"7"'),
        (2**70, str(2**70)),
        (0, "0"),
        ("", '""'),
        (1.5, "1.5"),
        (True, "true"),
        ("图\n🐈", '"图\\n🐈"'),
        ({"b": 1, "a": 2}, '{"a": 2, "b": 1}'),
        (None, None),
    ],
)
def test_an_id_is_kept_as_json_so_that_text_and_number_differ(
    tmp_path: Path, given: Any, text: str | None
) -> None:
    for name in ("data.jsonl", "data.json"):
        (native,) = _read(tmp_path, [{"id": given, "conversations": TURNS}], name)
        assert native.native_id == text


@pytest.mark.parametrize(
    ("image", "names"),
    [("a.jpg", ["a.jpg"]), (["a", "b"], ["a", "b"]), ([], []), ("", []), (None, [])],
)
def test_pictures_are_named_one_by_one_or_in_a_list(tmp_path: Path, image: Any, names: list[str]) -> None:
    for key in ("image", "images"):
        (native,) = _read(tmp_path, [{key: image, "conversations": TURNS}])
        assert isinstance(native, Native)
        assert [picture.name for picture in native.media] == names


def test_the_media_root_is_put_before_every_name(tmp_path: Path) -> None:
    (native,) = _read(tmp_path, [{"image": "a.jpg", "conversations": TURNS}], media_root="train2017")
    assert isinstance(native, Native) and native.media[0].name == "train2017/a.jpg"


@pytest.mark.parametrize("image", [["a.jpg", None], [3], 3, {"path": "a.jpg"}, [[]], [""], True])
def test_a_picture_named_by_no_text_is_refused(tmp_path: Path, image: Any) -> None:
    assert _rule(tmp_path, {"id": 1, "image": image, "conversations": TURNS}) == "not_a_record"


@pytest.mark.parametrize("kind", ["video", "audio"])
@pytest.mark.parametrize("named", ["a.mp4", ["a.mp4", "b.mp4"]])
def test_films_and_sounds_are_named_as_pictures_are(tmp_path: Path, kind: Any, named: Any) -> None:
    expected = [Medium(kind, name) for name in ([named] if isinstance(named, str) else named)]
    for key in (kind, f"{kind}s"):
        assert _media(tmp_path, {key: named, "conversations": TURNS}) == expected
    assert _media(tmp_path, {"clip": named, "conversations": TURNS}, **{f"{kind}_key": "clip"}) == expected


def test_media_stand_in_the_order_of_their_placeholders(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "<audio><image>Q<video>"}, {"from": "gpt", "value": "A"}]
    turns += [{"from": "human", "value": "<image> and <audio>"}, {"from": "gpt", "value": "B"}]
    record = {"images": ["1.jpg", "2.jpg"], "videos": ["3.mp4"], "audios": ["4.wav", "5.wav"]}
    media = _media(tmp_path, {**record, "conversations": turns})
    assert [each.name for each in media] == ["4.wav", "1.jpg", "3.mp4", "2.jpg", "5.wav"]


@pytest.mark.parametrize("words", ["Q", "<image>\nQ", "<image><image>Q", "Q\n<image>"])
@pytest.mark.parametrize("empty", [None, "", []])
def test_pictures_under_images_are_kept_where_image_is_empty(tmp_path: Path, words: str, empty: Any) -> None:
    turns = [{"from": "human", "value": words}, TURNS[1]]
    for names in (["a.jpg"], ["a.jpg", "b.jpg"]):
        record = {"image": empty, "images": names, "conversations": turns}
        (native,) = _read(tmp_path, [record])
        assert isinstance(native, Native)
        assert [each.name for each in native.media] == names
        assert native.turns[0]["value"] == words  # where a placeholder stands is for the template to say


def test_a_picture_that_is_named_under_two_keys_is_taken_once_and_two_different_ones_are_refused(
    tmp_path: Path,
) -> None:
    for images in ("a.jpg", ["a.jpg"]):
        record = {"image": "a.jpg", "images": images, "conversations": TURNS}
        assert [each.name for each in _media(tmp_path, record)] == ["a.jpg"]
    for images in ("b.jpg", ["a.jpg", "b.jpg"], ["a.jpg", "a.jpg"]):
        record = {"image": "a.jpg", "images": images, "conversations": TURNS}
        assert _rule(tmp_path, record) == "not_a_record"


def test_a_picture_that_is_shown_twice_stays_twice(tmp_path: Path) -> None:
    media = _media(tmp_path, {"images": ["a.jpg", "a.jpg"], "conversations": TURNS})
    assert [each.name for each in media] == ["a.jpg", "a.jpg"]


NAMES = st.none() | st.just("") | st.sampled_from("abc") | st.lists(st.sampled_from("abc"), max_size=3)


@settings(deadline=None)
@given(
    keys=st.fixed_dictionaries(dict.fromkeys(("image", "images", "video", "videos", "audio"), NAMES)),
    words=st.lists(st.sampled_from(["<image>", "<video>", "<audio>", "Q"]), max_size=6).map("".join),
)
def test_no_medium_is_ever_lost_in_silence(
    tmp_path_factory: pytest.TempPathFactory, keys: dict[str, Any], words: str
) -> None:
    turns = [{"from": "human", "value": words}, TURNS[1]]
    (found,) = _read(tmp_path_factory.mktemp("lost"), [{**keys, "conversations": turns}])
    if isinstance(found, Native):
        for key, value in keys.items():
            kept = [each.name for each in found.media if each.kind == key.rstrip("s")]
            assert not value or kept == (value if isinstance(value, list) else [value])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (1, 4.5, (1.0, 4.5)),
        ("1.5", "2", (1.5, 2.0)),
        (None, 3, (None, 3.0)),
        (3, None, (3.0, None)),
        (None, None, (None, None)),
        (5, 2, (2.0, 5.0)),  # turned round
        (2, 2, (2.0, 3.0)),  # a moment is a second
        (-0.5, 2, (0.0, 2.0)),
    ],
)
def test_a_clip_is_a_part_of_the_film(tmp_path: Path, start: Any, end: Any, expected: Any) -> None:
    record = {"video": "a.mp4", "image": "b.jpg", "start": start, "end": end, "conversations": TURNS}
    picture, film = _media(tmp_path, record)
    assert (film.start, film.end) == expected and (picture.start, picture.end) == (None, None)


@pytest.mark.parametrize(
    "times",
    [{"start": "soon"}, {"end": True}, {"start": []}, {"end": -1}, {"start": -3, "end": -2}, {"end": 1e999}],
)
def test_times_that_are_no_part_of_a_film_are_refused(tmp_path: Path, times: Any) -> None:
    assert _rule(tmp_path, {"video": "a.mp4", "conversations": TURNS, **times}) == "clip_outside"


def test_a_clip_of_several_films_is_refused_and_one_of_none_is_no_clip(tmp_path: Path) -> None:
    record = {"start": 1, "end": 2, "conversations": TURNS}
    assert _rule(tmp_path, {**record, "video": ["a", "b"]}) == "clip_outside"
    assert _media(tmp_path, {**record, "image": "a"}) == [Medium("image", "a")]
    assert _media(tmp_path, {**record, "audio": "a"}) == [Medium("audio", "a", None, 1.0, 2.0)]


@pytest.mark.parametrize("name", ["http://e.x/a.jpg", "s3://bucket/a.jpg", "data:image/png,raw"])
def test_an_address_is_no_file(tmp_path: Path, name: str) -> None:
    assert _rule(tmp_path, {"image": name, "conversations": TURNS}) == "media_by_url"


VITA = {
    "sets": {"sharegpt4": "data/sharegpt4", "khair": "data/khair"},
    "audio_root": "sounds/audio",
}


def test_vitas_own_records_name_sets_and_sounds(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "<image>\n<audio>\n"}, TURNS[1], *TURNS]
    record = {
        "set": "sharegpt4",
        "id": "1",
        "conversations": turns,
        "image": "coco/1.jpg",
        "audio": ["q.wav"],
    }
    (native,) = _read(tmp_path, [{**record, "inserted_id": 1, "end_tag": True}], **VITA)
    assert isinstance(native, Native) and native.inserted_id == 1
    assert [each.name for each in native.media] == ["data/sharegpt4/coco/1.jpg", "sounds/audio/q.wav"]


@pytest.mark.parametrize(
    ("sets", "names"),
    [
        (["sharegpt4", "khair"], ["data/sharegpt4/a", "data/khair/b"]),
        (["khair"], ["data/khair/a", "data/khair/b"]),
        (["khair", "khair", "khair"], ["data/khair/a", "data/khair/b"]),
        ("khair", ["data/khair/a", "data/khair/b"]),
        (None, ["a", "b"]),
        (["khair", "sharegpt4", "khair"], None),
        ("other", None),
        ([], None),
        ([["khair"]], None),
        (3, None),
    ],
)
def test_every_picture_has_its_set_or_all_have_one(
    tmp_path: Path, sets: Any, names: list[str] | None
) -> None:
    record = {"set": sets, "image": ["a", "b"], "conversations": TURNS}
    if names is None:
        assert _rule(tmp_path, record, **VITA) == "not_a_record"
    else:
        assert [each.name for each in _media(tmp_path, record, **VITA)] == names


@pytest.mark.parametrize("number", ["1", -1, 1.5, True, [1]])
def test_an_inserted_id_that_is_no_number_of_a_turn_is_refused(tmp_path: Path, number: Any) -> None:
    record = {"inserted_id": number, "audio": "a.wav", "conversations": TURNS}
    assert _rule(tmp_path, record) == "not_a_record"


def test_an_answer_that_was_interrupted_is_refused_by_that_name(tmp_path: Path) -> None:
    record = {"end_tag": False, "audio": "a.wav", "conversations": TURNS}
    assert _rule(tmp_path, record) == "unfinished_answer"


@pytest.mark.parametrize("tag", [True, None, "</s>"])
def test_an_end_tag_that_is_not_false_marks_no_interruption(tmp_path: Path, tag: Any) -> None:
    (native,) = _read(tmp_path, [{"end_tag": tag, "conversations": TURNS}])
    assert isinstance(native, Native)


def test_an_interrupted_answer_is_refused_by_a_rule_and_is_no_broken_record(tmp_path: Path) -> None:
    told = [{"id": n, "end_tag": n == 0, "conversations": TURNS} for n in range(5)]
    made = catalogue(write_lines(tmp_path / "root", told), tmp_path / "out")
    assert made.names == [0] and made.summary["rejected"] == {"structure/unfinished_answer": 4}
    assert finish.unreadable(made.summary) == 0
    finish.check_tolerance(made.summary, 0.0)


# What one record holds besides NaN, and what becomes of it, from a document and from lines alike.
NOT_NUMBERS = {
    "unread": ({"score": "?"}, None),
    "nested": ({"meta": {"boxes": [[1, "?"]]}}, None),
    "id": ({"id": "?"}, None),
    "no picture": ({"image": "?"}, None),
    "start": ({"audio": "a.wav", "start": "?"}, "clip_outside"),
    "inserted": ({"audio": "a.wav", "inserted_id": "?"}, "not_a_record"),
    "turns": ({"conversations": "?"}, "not_a_record"),
}


@pytest.mark.parametrize("case", NOT_NUMBERS)
def test_nan_costs_a_record_at_most_and_in_a_document_what_it_costs_in_lines(
    tmp_path: Path, case: str
) -> None:
    more, rule = NOT_NUMBERS[case]
    told = [{"id": n, "conversations": TURNS, **(more if n == 1 else {})} for n in range(3)]
    lines = [json.dumps(each).replace('"?"', "NaN") for each in told]
    (tmp_path / "data.json").write_text(f"[{', '.join(lines)}]")
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    reader = LlavaJson(LlavaOptions())
    found = []
    for name in ("data.json", "data.jsonl"):
        split = reader.split(str(tmp_path), name, str(tmp_path / "scratch"))
        found.append([native for part in split.slices for native in reader.read(str(tmp_path), part)])
    assert repr(found[0]) == repr(found[1])
    rules = [each.error.rule if isinstance(each, Fault) else None for each in found[0]]
    assert rules == [None, rule, None]


@pytest.mark.parametrize(
    "record", [None, 3, "text", [], [TURNS], {}, {"conversations": None}, {"conversations": [1]}]
)
def test_what_is_no_record_is_refused_with_what_it_is(tmp_path: Path, record: Any) -> None:
    assert _rule(tmp_path, record) == "not_a_record"


def test_messages_have_roles_and_contents(tmp_path: Path) -> None:
    record = {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}
    (native,) = _read(tmp_path, [record], turns="messages")
    assert isinstance(native, Native)
    assert native.turns == [{"from": "user", "value": "Q"}, {"from": "assistant", "value": "A"}]


def test_parts_of_a_message_are_texts_and_local_media(tmp_path: Path) -> None:
    parts = [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": "a.jpg"}},
        "and",
        {"type": "video", "video": "b.mp4"},
        {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "wav"}},
        {"type": "image", "image": "data:image/png;base64,AwQ="},
    ]
    record = {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "A"}]}
    (native,) = _read(tmp_path, [record], turns="messages", media_root="m")
    assert isinstance(native, Native)
    assert native.turns[0]["value"] == "Look:\n<image>\nand\n<video>\n<audio>\n<image>"
    assert [(each.kind, each.name, each.data) for each in native.media] == [
        ("image", "m/a.jpg", None),
        ("video", "m/b.mp4", None),
        ("audio", "embedded", b"\0\1\2"),
        ("image", "embedded", b"\3\4"),
    ]


def test_parts_without_names_are_those_that_the_record_lists(tmp_path: Path) -> None:
    content = [{"type": "image"}, {"type": "text", "text": "Q"}]
    record = {"images": ["a.jpg"], "messages": [{"role": "user", "content": content}]}
    (native,) = _read(tmp_path, [record], turns="messages")
    assert isinstance(native, Native) and native.turns[0]["value"] == "<image>\nQ"
    assert [each.name for each in native.media] == ["a.jpg"]
    content[0]["image"] = "b.jpg"
    assert _rule(tmp_path, record, turns="messages") == "not_a_record"


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        ({"type": "image_url", "image_url": {"url": "https://e.x/a.jpg"}}, "media_by_url"),
        ({"type": "image_url", "image_url": {}}, None),
        ({"type": "image_url", "image_url": 3}, "not_a_record"),
        ({"type": "image", "image": "data:image/png;base64,?"}, "not_a_record"),
        ({"type": "tool_use", "name": "x"}, "not_a_record"),
        ({"text": "Q"}, "not_a_record"),
        ({"type": 3}, "not_a_record"),
        (None, "not_a_record"),
        (3, "not_a_record"),
    ],
)
def test_a_part_that_is_neither_text_nor_a_local_medium_is_refused(
    tmp_path: Path, part: Any, rule: str | None
) -> None:
    (found,) = _read(tmp_path, [{"messages": [{"role": "user", "content": [part]}]}], turns="messages")
    assert (found.error.rule if isinstance(found, Fault) else None) == rule


def test_pairs_of_videochat_become_turns_with_an_instruction_said_once(tmp_path: Path) -> None:
    pairs = [{"i": "Answer.", "q": "Q1", "a": "A1"}, {"i": "Answer.", "q": "Q2", "a": None}]
    (native,) = _read(tmp_path, [{"video": "a.mp4", "QA": pairs, "start": 1.0, "end": 4.5}], turns="QA")
    assert isinstance(native, Native)
    values = [turn["value"] for turn in native.turns]
    assert values == ["<video>\nAnswer.\nQ1", "A1", "Q2", None]
    assert native.media == [Medium("video", "a.mp4", None, 1.0, 4.5)]


def test_a_caption_without_a_question_is_asked_for_by_its_instruction(tmp_path: Path) -> None:
    record = {"image": "a.jpg", "QA": [{"i": "Describe it.", "q": "", "a": "A dog."}]}
    (native,) = _read(tmp_path, [record], turns="QA")
    assert isinstance(native, Native) and native.turns[0]["value"] == "<image>\nDescribe it."


def test_pairs_may_lie_under_other_names(tmp_path: Path) -> None:
    record = {"conversation": [{"human": "Q", "assistant": "A"}]}
    keys = {"q": "human", "a": "assistant"}
    (native,) = _read(tmp_path, [record], turns="QA", turns_key="conversation", keys=keys)
    assert isinstance(native, Native) and native.turns == TURNS


def test_bare_lists_alternate_between_user_and_model(tmp_path: Path) -> None:
    (native,) = _read(tmp_path, [{"id": "0", "data": ["Q", "A", "Q2", "A2"]}], turns="data")
    assert isinstance(native, Native)
    assert [turn["from"] for turn in native.turns] == ["human", "gpt"] * 2
    for data in (None, "Q", ["Q", 3], [["Q", "A"]]):
        assert _rule(tmp_path, {"data": data}, turns="data") == "not_a_record"


def test_turns_that_are_json_inside_a_text_are_read(tmp_path: Path) -> None:
    (native,) = _read(tmp_path, [{"conversations": json.dumps(TURNS)}])
    assert isinstance(native, Native) and native.turns == TURNS
    assert _rule(tmp_path, {"conversations": json.dumps(TURNS)[:-1]}) == "not_a_record"


def test_roles_beyond_the_usual_are_what_the_card_says(tmp_path: Path) -> None:
    turns = [
        {"from": "观察", "value": "Q"},
        {"from": "tool_call", "value": "A"},
        {"from": ["x"], "value": "B"},
    ]
    (native,) = _read(tmp_path, [{"conversations": turns}], roles={"观察": "human", "tool_call": "gpt"})
    assert isinstance(native, Native)
    assert [turn["from"] for turn in native.turns] == ["human", "gpt", ["x"]]


DATA_JUICER = {"turns": "text", "tokens": {"image": "<__dj__image>", "video": "<__dj__video>"}}


def test_a_text_with_a_corpus_own_tokens_is_the_answer_to_a_prompt(tmp_path: Path) -> None:
    record = {"images": ["a.png"], "text": "<__dj__image> A bus."}
    (native,) = _read(tmp_path, [record], **DATA_JUICER, prompts=["Say it."])
    assert isinstance(native, Native)
    assert [turn["value"] for turn in native.turns] == ["<image>\nSay it.", "A bus."]
    (native,) = _read(tmp_path, [{"videos": ["a.mp4"], "text": "A film."}], **DATA_JUICER)
    assert isinstance(native, Native) and native.turns[0]["value"].startswith("<video>\n")
    assert _rule(tmp_path, {"text": "No picture."}, **DATA_JUICER) == "not_a_record"
    (native,) = _read(tmp_path, [{"images": ["a.png"], "text": None}], **DATA_JUICER)
    assert isinstance(native, Native) and native.turns[1]["value"] is None


def test_the_first_of_several_captions_is_told(tmp_path: Path) -> None:
    record = {"video": "a.mp4", "captions": ["One.", "Two."]}
    (native,) = _read(tmp_path, [record], turns="text", keys={"text": "captions"})
    assert isinstance(native, Native) and native.turns[1]["value"] == "One."


def test_more_tokens_than_pictures_stay_more_placeholders(tmp_path: Path) -> None:
    record = {"images": ["a.png"], "text": "<__dj__image> one <__dj__image> two"}
    (native,) = _read(tmp_path, [record], **DATA_JUICER, prompts=["Say it."])
    assert isinstance(native, Native) and native.turns[0]["value"].count("<image>") == 2


def test_numbered_tokens_say_which_picture_is_meant(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "<image 2>, <image 1>, <image 2>, <image 9>?"}, TURNS[1]]
    record = {"images": ["a", "b", "c"], "conversations": turns}
    (native,) = _read(tmp_path, [record], tokens={"image": "<image {n}>"})
    assert isinstance(native, Native)
    assert native.turns[0]["value"] == "<image>\n<image>, <image>, <image 2>, <image 9>?"
    assert [each.name for each in native.media] == ["c", "b", "a"]


@pytest.mark.parametrize(
    "options",
    [
        {"turns": "QA", "keys": {"question": "q"}},
        {"turns": "data", "keys": {"data": "d"}},
        {"tokens": {"picture": "<p>"}},
        {"tokens": {"image": ""}},
    ],
)
def test_options_that_name_nothing_are_refused_with_what_there_is(options: Any) -> None:
    complaint = LlavaOptions(**options).complaint()
    assert complaint is not None and complaint[0].partition(".")[0] in options


def test_alpaca_rows_become_turns_after_their_history(tmp_path: Path) -> None:
    record = {"instruction": "I", "input": "x", "output": "O", "history": [["a", "b"]]}
    (native,) = _read(tmp_path, [record], turns="alpaca")
    assert isinstance(native, Native)
    assert [turn["value"] for turn in native.turns] == ["a", "b", "I\nx", "O"]
    assert [turn["from"] for turn in native.turns] == ["human", "gpt"] * 2


@pytest.mark.parametrize("history", [5, True, "text", {"a": 1}, [["a"]], [None]])
def test_a_history_that_is_no_list_of_pairs_is_refused(tmp_path: Path, history: Any) -> None:
    assert (
        _rule(tmp_path, {"instruction": "I", "output": "O", "history": history}, turns="alpaca")
        == "not_a_record"
    )


def test_neighbouring_turns_of_one_role_are_joined_where_the_card_says_so(tmp_path: Path) -> None:
    turns = [
        {"from": "human", "value": "<image>"},
        {"from": "human", "value": "Q"},
        {"from": "gpt", "value": "A"},
    ]
    (native,) = _read(tmp_path, [{"conversations": turns}], merge_same_role=True)
    assert isinstance(native, Native)
    assert native.turns == [{"from": "human", "value": "<image>\nQ"}, {"from": "gpt", "value": "A"}]


@pytest.mark.parametrize("key", ["id", "image", "conversations"])
def test_a_value_nested_to_the_edge_of_what_is_readable_never_stops_the_file(
    tmp_path: Path, key: str
) -> None:
    for depth in range(700, 1000, 7):
        nested = "[" * depth + "]" * depth
        line = json.dumps({"conversations": TURNS, key: 0}).replace(f'"{key}": 0', f'"{key}": {nested}')
        (tmp_path / "data.jsonl").write_text(line + "\n" + json.dumps({"id": 2, "conversations": TURNS}))
        assert [native.position for native in _natives(tmp_path, "data.jsonl")] == [0, 1]


def test_a_null_among_turns_that_are_joined_is_no_word(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": None}, *TURNS]
    (native,) = _read(tmp_path, [{"conversations": turns}], merge_same_role=True)
    assert isinstance(native, Native) and native.turns == TURNS


@pytest.mark.parametrize("data", [b'[{"id": nan}]', b'[{"id": 1}, {"id'])
def test_an_array_that_is_cut_or_no_json_is_one_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "data.json").write_bytes(data)
    with pytest.raises(SourceError, match="cut or damaged"):
        _natives(tmp_path, "data.json")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_mark_at_the_front_and_foreign_line_ends_change_nothing(tmp_path: Path, end: str) -> None:
    lines = [json.dumps({"id": n, "image": math.nan, "conversations": TURNS}) for n in (1, "1")]
    (tmp_path / "data.jsonl").write_bytes(b"\xef\xbb\xbf" + end.join(lines).encode())
    natives = _natives(tmp_path, "data.jsonl")
    assert [native.native_id for native in natives] == ["1", '"1"']
    assert all(isinstance(native, Native) and native.media == [] for native in natives)


@pytest.mark.parametrize("name", ["data.json", "data.jsonl"])
@pytest.mark.parametrize("turns", ["conversations", "messages", "QA", "alpaca", "data", "text"])
def test_damaged_bytes_end_in_faults_or_one_error_of_ours(tmp_path: Path, name: str, turns: str) -> None:
    record = {
        "id": "图",
        "image": ["a.jpg"],
        turns: TURNS,
        "history": [["a", "b"]],
        "n": [1, 2.5, None, True],
    }
    text = [record, {"id": 2**65, "messages": TURNS}, {"id": None, "instruction": "\ud83d", "output": 1e300}]
    whole = "\n".join(map(json.dumps, text)) if name.endswith("l") else json.dumps(text)
    chance = random.Random(f"{name} {turns}")
    for _ in range(150):
        data = bytearray(whole.encode())
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            edit = chance.choice(
                [bytes([chance.randrange(256)]), b"", b'"', b"[", b"{", b"\\u", b"9" * 50, b"NaN"]
            )
            data[at : at + chance.randint(0, 2)] = edit
        (tmp_path / name).write_bytes(data)
        try:
            natives = _natives(tmp_path, name, turns=turns, on_cut=chance.choice(["error", "keep"]))
        except VitaError:
            continue
        assert all(isinstance(native, Native | Fault) for native in natives)


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["a.jpg", "<image>", "text", "image"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "image", "from", "value", "q", "a"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
RECORD_KEYS = [
    "id",
    "image",
    "images",
    "video",
    "audio",
    "start",
    "end",
    "set",
    "inserted_id",
    "end_tag",
    "text",
]
RECORD_KEYS += ["conversations", "messages", "QA", "data", "instruction", "output", "history"]


@settings(max_examples=150, deadline=None)
@given(
    records=st.lists(ANY | st.dictionaries(st.sampled_from(RECORD_KEYS), ANY, max_size=6), max_size=4)
    | st.binary(max_size=60),
    dialect=st.sampled_from(["conversations", "messages", "QA", "alpaca", "data", "text"]),
    merge=st.booleans(),
)
def test_any_json_ends_in_natives_faults_or_one_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, records: Any, dialect: str, merge: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    data = records if isinstance(records, bytes) else "\n".join(map(json.dumps, records)).encode()
    (folder / "data.jsonl").write_bytes(data)
    tokens = {"image": "<image{n}>", "audio": "text"}
    try:
        natives = _natives(folder, "data.jsonl", turns=dialect, merge_same_role=merge, tokens=tokens, **VITA)
    except SourceError:
        return
    assert all(isinstance(native, Native | Fault) for native in natives)
    assert isinstance(records, bytes) or len(natives) == len(records)
