"""Tars whose neighbouring members are a sample: img2dataset, WeNet's shards, Emilia, plain or compressed."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archives import tar_of
from tests.natives import assert_ends_well, damaged, natives, read_all, rules
from vita_data.errors import SourceError
from vita_data.sources import copies, jsonfiles, tar_groups
from vita_data.sources.base import Fault, Medium, Native
from vita_data.sources.tar_members import PROMPTS, TarMembers, TarOptions

WENET = [
    ("BAC1.txt", "广州市 房地产".encode()),
    ("BAC1.wav", b"RIFF one"),
    ("BAC2.txt", b"HELLO\n"),
    ("BAC2.wav", b"RIFF two"),
]
EMILIA_JSON = {
    "id": "EN_B00000_S00000_W000000",
    "wav": "EN_B00000/EN_B00000_S00000/mp3/EN_B00000_S00000_W000000.mp3",
    "text": " You can help.",
    "duration": 6.264,
    "speaker": "EN_B00000_S00000",
    "language": "en",
    "dnsmos": 3.2927,
}
EMILIA = [
    ("EN_B00000_S00000_W000000.json", json.dumps(EMILIA_JSON).encode()),
    ("EN_B00000_S00000_W000000.mp3", b"ID3"),
]
EMILIA_OPTIONS = TarOptions(text_key="text", id_key="id", speaker_key="speaker", language_key="language")
IMAGES = [
    ("000000000.jpg", b"\xff\xd8 one"),
    ("000000000.txt", b"a red kite"),
    (
        "000000000.json",
        b'{"caption": "a red kite", "url": "http://x.org/1", "key": "000000000", "status": "success"}',
    ),
    ("000000001.txt", b"no picture"),
    ("000000001.json", b"{}"),
    ("000000002.JPG", b"\xff\xd8 two"),
    ("000000002.txt", b"a dog"),
]


def _write(folder: Path, pairs: list[tuple[str, bytes]], name: str = "00000.tar", **how: Any) -> str:
    (folder / name).write_bytes(tar_of(pairs, **how))
    return name


def _rules(folder: Path, pairs: list[tuple[str, bytes]], **options: Any) -> list[str]:
    return rules(TarMembers(TarOptions(**options)), folder, _write(folder, pairs))


def test_a_wenet_shard_has_a_text_and_then_its_sound(tmp_path: Path) -> None:
    first, second = natives(TarMembers(TarOptions()), tmp_path, _write(tmp_path, WENET))
    assert first.native_id == '"BAC1"'
    assert first.media == [Medium("audio", "BAC1.wav", b"RIFF one")]
    assert [turn["value"] for turn in first.turns] == ["<audio>", "广州市 房地产"]
    assert (second.position, second.turns[1]["value"]) == (1, "HELLO")


def test_emilia_says_everything_in_json(tmp_path: Path) -> None:
    (native,) = natives(TarMembers(EMILIA_OPTIONS), tmp_path, _write(tmp_path, EMILIA))
    assert native.native_id == '"EN_B00000_S00000_W000000"'
    assert (native.speaker, native.language) == ("EN_B00000_S00000", "en")
    assert native.turns[1]["value"] == " You can help."
    assert native.media == [Medium("audio", "EN_B00000_S00000_W000000.mp3", b"ID3")]


def test_pictures_of_img2dataset_are_asked_about_and_their_captions_are_the_answers(tmp_path: Path) -> None:
    found = read_all(TarMembers(TarOptions()), tmp_path, _write(tmp_path, IMAGES))
    assert [isinstance(each, Fault) for each in found] == [False, True, False]
    first = found[0]
    assert isinstance(first, Native) and first.media == [Medium("image", "000000000.jpg", b"\xff\xd8 one")]
    assert first.turns[0]["value"].removeprefix("<image>\n") in PROMPTS
    assert first.turns[1]["value"] == "a red kite"
    assert isinstance(found[1], Fault) and "hold 0 media" in str(found[1].error)
    (film,) = natives(
        TarMembers(TarOptions(prompts=("Q",))), tmp_path, _write(tmp_path, [("a.mp4", b"x"), ("a.txt", b"A")])
    )
    assert (film.media[0].kind, film.turns[0]["value"]) == ("video", "<video>\nQ")


def test_conversations_may_stand_in_the_json(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "<image>\nQ"}, {"role": "assistant", "content": "A"}]
    pairs = [
        ("a.json", json.dumps({"conversations": turns}).encode()),
        ("a.jpg", b"1"),
        ("a.png", b"2"),
        ("b.json", b"{}"),
    ]
    found = read_all(TarMembers(TarOptions(turns_key="conversations")), tmp_path, _write(tmp_path, pairs))
    assert isinstance(found[0], Native) and [medium.name for medium in found[0].media] == ["a.jpg", "a.png"]
    assert found[0].turns == [{"from": "human", "value": "<image>\nQ"}, {"from": "assistant", "value": "A"}]
    assert isinstance(found[1], Fault)


def test_whatever_a_group_holds_its_speaker_language_and_split_are_kept(tmp_path: Path) -> None:
    facts = {"text": "A", "conversations": [], "speaker": "anne", "language": "zh-CN"}
    for suffix, options in {"mp3": {}, "jpg": {}, "png": {"turns_key": "conversations"}}.items():
        adapter = TarMembers(
            TarOptions(text_key="text", speaker_key="speaker", language_key="language", **options)
        )
        for said, split in ({}, "train"), ({"split": "dev"}, "dev"):
            pairs = [("a.json", json.dumps({**facts, **said}).encode()), (f"a.{suffix}", b"M")]
            (native,) = natives(adapter, tmp_path, _write(tmp_path, pairs, "train-0000.tar"))
            assert (native.speaker, native.language, native.split) == ("anne", "zh", split)


def test_members_of_one_name_belong_together_only_as_neighbours(tmp_path: Path) -> None:
    pairs = [WENET[0], WENET[2], WENET[1], WENET[3]]
    assert _rules(tmp_path, pairs) == ["not_a_record"] * 4


def test_a_name_that_comes_again_is_another_record(tmp_path: Path) -> None:
    found = natives(
        TarMembers(TarOptions()), tmp_path, _write(tmp_path, [*WENET[:2], *WENET[:2], WENET[1], WENET[0]])
    )
    assert [native.native_id for native in found] == ['"BAC1"'] * 3
    assert [native.position for native in found] == [0, 1, 2]


def test_the_name_ends_at_the_last_dot_or_at_the_first(tmp_path: Path) -> None:
    pairs = [("x/a.b/1.2.txt", b"A"), ("x/a.b/1.2.wav", b"W"), ("x/a.b/1.3.txt", b"B")]
    assert _rules(tmp_path, pairs) == ["A", "not_a_record"]
    pairs = [("x/a.b/1.txt", b"A"), ("x/a.b/1.left.jpg", b"L"), ("x/a.b/1.wav", b"W")]
    assert _rules(tmp_path, pairs, key_ends_at="first_dot") == ["A"]
    assert _rules(tmp_path, [("folder.d/name", b"A"), ("wav", b"B")]) == ["not_a_record"] * 2


def test_files_that_a_mac_left_between_are_no_members(tmp_path: Path) -> None:
    pairs = [WENET[0], ("._BAC1.wav", b"\0\5\26\7"), WENET[1]]
    assert _rules(tmp_path, pairs) == ["广州市 房地产"]


@pytest.mark.parametrize(
    ("pairs", "rule"),
    [
        ([("a.txt", b"A")], "not_a_record"),
        ([("a.wav", b"W")], "not_a_record"),
        ([("a.txt", b"A"), ("a.wav", b"W"), ("a.mp3", b"M")], "not_a_record"),
        ([("a.txt", b"caf\xe9"), ("a.wav", b"W")], "not_utf8"),
        ([("a.json", b"{"), ("a.txt", b"A"), ("a.wav", b"W")], "not_json"),
        ([("a.json", b"[]"), ("a.txt", b"A"), ("a.wav", b"W")], "not_a_record"),
        ([("a.json", b"[" * 5000 + b"]" * 5000), ("a.txt", b"A"), ("a.wav", b"W")], "not_json"),
        ([("a.wav", b"")], "not_a_record"),
    ],
)
def test_a_sample_that_lacks_something_costs_itself_only(
    tmp_path: Path, pairs: list[tuple[str, bytes]], rule: str
) -> None:
    assert _rules(tmp_path, [*WENET[:2], *pairs, *WENET[2:]]) == ["广州市 房地产", rule, "HELLO"]


@pytest.mark.parametrize("text", [None, 3, ["a"], {"a": 1}])
def test_a_json_without_a_text_is_refused(tmp_path: Path, text: Any) -> None:
    pairs = [("a.json", json.dumps({"text": text}).encode()), ("a.mp3", b"M")]
    assert _rules(tmp_path, pairs, text_key="text") == ["not_a_record"]


def test_a_member_larger_than_a_medium_may_be_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tar_groups, "MEMBER_BYTES", 1000)
    pairs = [("a.txt", b"A"), ("a.wav", b"W" * 1001), *WENET]
    for pack in (bytes, gzip.compress):
        (tmp_path / "a.tar").write_bytes(pack(tar_of(pairs)))
        assert rules(TarMembers(TarOptions()), tmp_path, "a.tar") == [
            "media_too_large",
            "广州市 房地产",
            "HELLO",
        ]


def test_links_and_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        link = tarfile.TarInfo("a.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("caf\udce9.wav"))
    assert rules(TarMembers(TarOptions()), tmp_path, "a.tar") == ["media_unreadable", "not_utf8"]


PACKED = {"plain": bytes, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tars_of_every_kind_and_packing_read_alike(tmp_path: Path, packed: str, form: int) -> None:
    pairs = [*WENET, ("很" * 30 + "/long.txt", b"A"), ("很" * 30 + "/long.wav", b"W")]
    (tmp_path / "a.tar").write_bytes(PACKED[packed](tar_of(pairs, form)))
    found = natives(TarMembers(TarOptions()), tmp_path, "a.tar")
    assert [native.media[0].data for native in found] == [b"RIFF one", b"RIFF two", b"W"]
    assert found[2].native_id == json.dumps("很" * 30 + "/long", ensure_ascii=False)


def test_slices_hold_whole_samples_and_about_so_many_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [
        (f"{n}.{end}", data) for n in range(10) for end, data in (("txt", b"%d" % n), ("wav", b"W" * 1000))
    ]
    monkeypatch.setattr(copies, "SLICE_MEDIA_BYTES", 2500)
    adapter, name = TarMembers(TarOptions()), _write(tmp_path, pairs)
    split = adapter.split(str(tmp_path), name, str(tmp_path / "scratch"))
    assert [part.first for part in split.slices] == [0, 3, 6, 9]
    assert rules(adapter, tmp_path, name) == [str(n) for n in range(10)]
    monkeypatch.setattr(jsonfiles, "SLICE_RECORDS", 1)
    assert rules(adapter, tmp_path, name) == [str(n) for n in range(10)]


@pytest.mark.parametrize("packed", ["plain", "gz"])
def test_a_place_put_aside_is_not_read(tmp_path: Path, packed: str) -> None:
    (tmp_path / "a.tar").write_bytes(PACKED[packed](tar_of([*WENET, ("c.txt", b"C"), ("c.wav", b"W")])))
    adapter = TarMembers(TarOptions())
    (part,) = adapter.split(str(tmp_path), "a.tar", str(tmp_path / "scratch")).slices
    found = list(adapter.read(str(tmp_path), type(part)(**{**vars(part), "aside": (1,)})))
    assert [each.error.rule if isinstance(each, Fault) else "" for each in found] == ["", "worker_died", ""]


@pytest.mark.parametrize("packed", ["plain", "gz"])
def test_a_cut_tar_stops_with_the_way_out_or_keeps_its_whole_samples(tmp_path: Path, packed: str) -> None:
    data = tar_of(WENET)
    (tmp_path / "a.tar").write_bytes(PACKED[packed](data[: data.index(b"RIFF two") + 4]))
    with pytest.raises(SourceError, match=r"a\.tar is cut or damaged .*on_cut: keep"):
        read_all(TarMembers(TarOptions()), tmp_path, "a.tar")
    assert rules(TarMembers(TarOptions(on_cut="keep")), tmp_path, "a.tar") == [
        "广州市 房地产",
        "annotation_cut",
    ]


@pytest.mark.parametrize("data", [b"", b"not a tar at all", b"\x1f\x8b\x08 nor gzip", b"\0" * 100])
def test_what_is_no_tar_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.tar"):
        read_all(TarMembers(TarOptions()), tmp_path, "a.tar")


def test_an_empty_tar_has_no_records(tmp_path: Path) -> None:
    assert read_all(TarMembers(TarOptions()), tmp_path, _write(tmp_path, [])) == []


def test_a_tar_that_shrank_after_it_was_split_is_named(tmp_path: Path) -> None:
    adapter, name = TarMembers(TarOptions()), _write(tmp_path, WENET)
    (part,) = adapter.split(str(tmp_path), name, str(tmp_path / "scratch")).slices
    (tmp_path / name).write_bytes(tar_of(WENET)[:1000])
    with pytest.raises(SourceError, match="changed since it was split"):
        list(adapter.read(str(tmp_path), part))


FUZZED: list[tuple[TarOptions, bytes]] = [
    (TarOptions(), tar_of(WENET)),
    (TarOptions(on_cut="keep"), tar_of(WENET, tarfile.GNU_FORMAT)),
    (EMILIA_OPTIONS, tar_of(EMILIA)),
    (TarOptions(on_cut="keep"), gzip.compress(tar_of(IMAGES))),
    (
        TarOptions(turns_key="conversations"),
        tar_of([("a.json", b'{"conversations": [{"from": "human", "value": ""}]}')]),
    ),
]


@settings(max_examples=250, deadline=None)
@given(data=st.data(), case=st.sampled_from(FUZZED))
def test_any_bytes_end_in_records_and_faults_or_in_one_error_of_ours(
    data: st.DataObject, case: tuple[TarOptions, bytes]
) -> None:
    options, whole = case
    assert_ends_well(TarMembers(options), {"a.tar": data.draw(damaged(whole))}, "a.tar")
