"""LLaVA's dialects give the same records: turns with roles, ids as JSON, and pictures by name."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from vita_data.errors import VitaError
from vita_data.sources.base import Fault, Native
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


def _rule(folder: Path, record: Any, **options: Any) -> str:
    (fault,) = _read(folder, [record], **options)
    assert isinstance(fault, Fault)
    return fault.error.rule


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


@pytest.mark.parametrize("kind", ["video", "videos", "audio", "audios"])
def test_a_record_with_what_is_not_read_yet_is_refused_by_that_name(tmp_path: Path, kind: str) -> None:
    assert _rule(tmp_path, {"id": 1, kind: "a.mp4", "conversations": TURNS}) == "modality_not_read"


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


@pytest.mark.parametrize("name", ["data.json", "data.jsonl"])
@pytest.mark.parametrize("turns", ["conversations", "messages", "alpaca"])
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
    for _ in range(300):
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
