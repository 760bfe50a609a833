"""WenetSpeech and GigaSpeech: segments of long recordings, from one large file, in the memory of one segment."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.natives import assert_ends_well, damaged, natives, read_all, rules
from vita_data.errors import SourceError
from vita_data.sources import jsonfiles, segmented_json
from vita_data.sources.base import Fault, Medium, Native
from vita_data.sources.segmented_json import SegmentedJson, SegmentedOptions

WENET: dict[str, Any] = {
    "dataset": "WenetSpeech",
    "language": "ZH",
    "version": "v1.0",
    "audios": [
        {
            "aid": "Y0000000001_a",
            "duration": 12.5,
            "md5": "0" * 32,
            "path": "audio/train/youtube/B00000/Y0000000001_a.opus",
            "source": "youtube",
            "tags": ["drama"],
            "url": "",
            "segments": [
                {
                    "sid": "Y0000000001_a_S00000",
                    "begin_time": 0.5,
                    "end_time": 2.5,
                    "confidence": 1.0,
                    "subsets": ["L", "M"],
                    "text": "今天 天气 不错",
                },
                {
                    "sid": "Y0000000001_a_S00001",
                    "begin_time": 3,
                    "end_time": 4.25,
                    "confidence": 0.9,
                    "subsets": ["L"],
                    "text": "<SIL>",
                },
            ],
        },
        {
            "aid": "Y0000000002_b",
            "path": "audio/dev/Y0000000002_b.opus",
            "segments": [
                {"sid": "DEV_S0", "begin_time": 0.0, "end_time": 1.0, "subsets": ["DEV"], "text": "你好"}
            ],
        },
    ],
}
GIGA: dict[str, Any] = {
    "dataset": "GigaSpeech",
    "audios": [
        {
            "title": "Persuasion",
            "url": "",
            "path": "audio/audiobook/P0001/AUD1.opus",
            "aid": "AUD1",
            "format": "opus",
            "sample_rate": 16000,
            "speaker": "N/A",
            "segments": [
                {
                    "sid": "AUD1_S0",
                    "speaker": "N/A",
                    "begin_time": 0,
                    "end_time": 7.1,
                    "text_tn": "HE WAS NOT <COMMA> SHE WAS <PERIOD>",
                    "subsets": ["{XL}", "{L}"],
                },
                {
                    "sid": "AUD1_S1",
                    "speaker": "ANNE",
                    "begin_time": 7.1,
                    "end_time": 9,
                    "text_tn": "NO",
                    "subsets": ["{XL}"],
                },
            ],
        }
    ],
}


def _write(folder: Path, document: Any, name: str = "Corpus.json") -> str:
    text = (
        document
        if isinstance(document, bytes)
        else json.dumps(document, ensure_ascii=False, indent=1).encode()
    )
    (folder / name).write_bytes(text)
    return name


def _wenet(folder: Path, document: Any = WENET, **options: Any) -> list[Native | Fault]:
    return read_all(SegmentedJson(SegmentedOptions(**options)), folder, _write(folder, document))


def _changed(**fields: Any) -> dict[str, Any]:
    """The miniature with fields of its first segment given others; None as a name removes one."""
    document = copy.deepcopy(WENET)
    segment = document["audios"][0]["segments"][0]
    for name, value in fields.items():
        if value is ...:
            del segment[name]
        else:
            segment[name] = value
    return document


def _rule(folder: Path, **fields: Any) -> str:
    first = _wenet(folder, _changed(**fields))[0]
    assert isinstance(first, Fault)
    return first.error.rule


def test_every_segment_is_a_record_that_means_its_part_of_the_recording(tmp_path: Path) -> None:
    found = natives(SegmentedJson(SegmentedOptions()), tmp_path, _write(tmp_path, WENET))
    assert [native.native_id for native in found] == [
        '"Y0000000001_a_S00000"',
        '"Y0000000001_a_S00001"',
        '"DEV_S0"',
    ]
    assert found[0].media == [
        Medium("audio", "audio/train/youtube/B00000/Y0000000001_a.opus", start=0.5, end=2.5)
    ]
    assert found[2].media == [Medium("audio", "audio/dev/Y0000000002_b.opus", start=0.0, end=1.0)]
    assert found[0].turns[0] == {"from": "human", "value": "<audio>"}
    assert found[0].speaker is None


def test_words_tags_and_the_spaces_between_characters_stay_as_they_are_written(tmp_path: Path) -> None:
    adapter = SegmentedJson(SegmentedOptions())
    assert rules(adapter, tmp_path, _write(tmp_path, WENET)) == ["今天 天气 不错", "<SIL>", "你好"]
    giga = SegmentedJson(SegmentedOptions(text_key="text_tn"))
    assert rules(giga, tmp_path, _write(tmp_path, GIGA)) == ["HE WAS NOT <COMMA> SHE WAS <PERIOD>", "NO"]


def test_gigaspeech_names_a_speaker_or_nobody(tmp_path: Path) -> None:
    found = natives(SegmentedJson(SegmentedOptions(text_key="text_tn")), tmp_path, _write(tmp_path, GIGA))
    assert [native.speaker for native in found] == [None, "ANNE"]


def test_a_card_chooses_subsets_and_the_others_are_counted_as_not_wanted(tmp_path: Path) -> None:
    def wanted(document: Any, *names: str, **options: Any) -> list[str]:
        adapter = SegmentedJson(SegmentedOptions(splits=names, **options))
        return rules(adapter, tmp_path, _write(tmp_path, document))

    assert wanted(WENET, "M") == ["今天 天气 不错", "other_subset", "other_subset"]
    assert wanted(WENET, "L", "DEV") == ["今天 天气 不错", "<SIL>", "你好"]
    assert wanted(GIGA, "L", text_key="text_tn") == ["HE WAS NOT <COMMA> SHE WAS <PERIOD>", "other_subset"]
    assert wanted(_changed(subsets=...), "L")[0] == "other_subset"
    assert wanted(_changed(subsets="L"), "L")[0] == "今天 天气 不错"
    # What is not wanted is not looked at further: a broken segment of another subset is no broken record.
    assert wanted(_changed(subsets=["S"], end_time=None), "L")[0] == "other_subset"


def test_a_segment_keeps_the_subset_that_was_asked_for_and_else_its_first(tmp_path: Path) -> None:
    def splits(document: Any, *names: str, **options: Any) -> list[str | None]:
        adapter = SegmentedJson(SegmentedOptions(splits=names, **options))
        found = read_all(adapter, tmp_path, _write(tmp_path, document))
        return [native.split for native in found if isinstance(native, Native)]

    assert splits(GIGA, text_key="text_tn") == ["XL", "XL"]
    assert splits(GIGA, "L", "XL", text_key="text_tn") == ["L", "XL"]
    assert splits(WENET, "M") == ["M"]
    assert splits(_changed(subsets=...))[0] is None
    assert splits(_changed(subsets="L"))[0] == "L"


@pytest.mark.parametrize(
    ("given", "text"), [(7, "7"), ("7", '"7"'), (0, "0"), ("图", '"图"'), (None, None), (2**70, str(2**70))]
)
def test_ids_are_numbers_or_texts(tmp_path: Path, given: Any, text: str | None) -> None:
    assert _wenet(tmp_path, _changed(sid=given))[0].native_id == text


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"end_time": 0.5}, "segment_outside"),
        ({"end_time": 0.2}, "segment_outside"),
        ({"begin_time": -0.1}, "segment_outside"),
        ({"begin_time": ...}, "not_a_record"),
        ({"end_time": None}, "not_a_record"),
        ({"end_time": "soon"}, "not_a_record"),
        ({"end_time": True}, "not_a_record"),
        ({"end_time": [2.5]}, "not_a_record"),
        ({"text": ...}, "not_a_record"),
        ({"text": None}, "not_a_record"),
        ({"text": 7}, "not_a_record"),
        ({"text": {"a": "b"}}, "not_a_record"),
        ({"text": "half a \ud83d pair"}, "not_utf8"),
    ],
)
def test_a_segment_that_lacks_something_costs_itself_only(
    tmp_path: Path, fields: dict[str, Any], rule: str
) -> None:
    document = json.dumps(_changed(**fields)).encode()
    found = _wenet(tmp_path, document)
    assert [each.error.rule if isinstance(each, Fault) else None for each in found] == [rule, None, None]


@pytest.mark.parametrize("path", [None, ..., "", "  ", 3, ["a.opus"], {"a": 1}])
def test_a_recording_without_a_file_costs_each_of_its_segments(tmp_path: Path, path: Any) -> None:
    document = copy.deepcopy(WENET)
    if path is ...:
        del document["audios"][0]["path"]
    else:
        document["audios"][0]["path"] = path
    assert [isinstance(each, Fault) for each in _wenet(tmp_path, document)] == [True, True, False]


def test_recordings_and_segments_that_are_no_objects_are_one_fault_each(tmp_path: Path) -> None:
    whole = WENET["audios"][1]
    document = {
        "audios": [
            None,
            "a",
            [whole],
            {**whole, "segments": None},
            {"path": "a.opus"},
            {**whole, "segments": []},
        ]
    }
    assert [each.position for each in _wenet(tmp_path, document) if isinstance(each, Fault)] == [
        0,
        1,
        2,
        3,
        4,
    ]
    document = {"audios": [{**whole, "segments": [None, 3, "a", [], *whole["segments"]]}]}
    assert [isinstance(each, Fault) for each in _wenet(tmp_path, document)] == [True] * 4 + [False]


def test_a_path_may_stand_behind_its_segments(tmp_path: Path) -> None:
    document = {"audios": [dict(sorted(audio.items(), reverse=True)) for audio in WENET["audios"]]}
    assert list(document["audios"][0])[-1] == "aid" and list(document["audios"][0]).index("segments") < 5
    assert _wenet(tmp_path, document) == _wenet(tmp_path)


def test_segments_that_wait_too_long_for_their_path_end_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segmented_json, "MOST_WAITING", 1)
    document = {"audios": [dict(sorted(audio.items(), reverse=True)) for audio in WENET["audios"]]}
    with pytest.raises(SourceError, match="write the path before the segments"):
        _wenet(tmp_path, document)


@pytest.mark.parametrize("records", [1, 2, 2000])
def test_slices_cut_recordings_anywhere_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, records: int
) -> None:
    whole = _wenet(tmp_path)
    monkeypatch.setattr(jsonfiles, "SLICE_RECORDS", records)
    split = SegmentedJson(SegmentedOptions()).split(str(tmp_path), "Corpus.json", str(tmp_path / "scratch"))
    assert [part.first for part in split.slices] == list(range(0, 3, records))
    assert (split.records, _wenet(tmp_path)) == (3, whole)


def test_a_place_put_aside_is_not_read(tmp_path: Path) -> None:
    _write(tmp_path, WENET)
    adapter = SegmentedJson(SegmentedOptions())
    (part,) = adapter.split(str(tmp_path), "Corpus.json", str(tmp_path / "scratch")).slices
    found = list(adapter.read(str(tmp_path), type(part)(**{**vars(part), "aside": (1,)})))
    assert [each.error.rule if isinstance(each, Fault) else "" for each in found] == ["", "worker_died", ""]


def test_a_cut_file_stops_with_the_way_out_or_keeps_the_whole_segments(tmp_path: Path) -> None:
    data = json.dumps(WENET).encode()
    cut = data[: data.index(b"DEV_S0")]
    with pytest.raises(SourceError, match=r"cut or damaged after record 2 .*on_cut: keep"):
        _wenet(tmp_path, cut)
    found = _wenet(tmp_path, cut, on_cut="keep")
    assert [each.error.rule if isinstance(each, Fault) else "" for each in found] == [
        "",
        "",
        "annotation_cut",
    ]


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b'{"audio": []}', b'{"audios": {}}', b'{"audios": null}', b"3"]
)
def test_a_document_of_another_shape_is_named(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceError, match="holds no list at 'audios'"):
        _wenet(tmp_path, data)


def test_an_empty_list_has_no_records(tmp_path: Path) -> None:
    assert _wenet(tmp_path, b'\xef\xbb\xbf{"audios": []}') == []


def test_bytes_that_are_not_utf8_cost_the_segments_they_belong_to(tmp_path: Path) -> None:
    data = json.dumps(WENET, ensure_ascii=False).encode()
    assert [
        isinstance(each, Fault) for each in _wenet(tmp_path, data.replace("不".encode(), b"\xe4", 1))
    ] == [True, False, False]
    assert [isinstance(each, Fault) for each in _wenet(tmp_path, data.replace(b"B00000", b"B\xe4", 1))] == [
        True,
        True,
        False,
    ]
    assert not any(isinstance(each, Fault) for each in _wenet(tmp_path, data.replace(b"drama", b"dr\xe4", 1)))


MEMORY = """
import sys
from vita_data.sources.segmented_json import SegmentedJson, SegmentedOptions

def peak():  # getrusage would tell the peak of the process that started this one, where that is higher
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

root = sys.argv[1]
adapter = SegmentedJson(SegmentedOptions())
before = peak()
split = adapter.split(root, "one.json", root + "/scratch")
count = sum(1 for part in split.slices for _ in adapter.read(root, part))
print(split.records, count, (peak() - before) // 1024)
"""


def test_one_recording_of_a_hundred_thousand_segments_is_read_in_the_memory_of_a_few(tmp_path: Path) -> None:
    segment = '{"sid": "%d", "begin_time": 1.5, "end_time": 2.5, "text": "%s", "subsets": ["L"]}'
    with open(tmp_path / "one.json", "w") as stream:
        stream.write('{"audios": [{"path": "a.opus", "segments": [')
        stream.writelines((", " if n else "") + segment % (n, "字" * 40) for n in range(100_000))
        stream.write("]}]}")
    run = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    records, read, grown = map(int, run.stdout.split())
    assert (records, read) == (100_000, 100_000)
    assert grown < 30, f"{grown} MB for a file of {(tmp_path / 'one.json').stat().st_size >> 20} MB"


WHOLE = json.dumps(WENET, ensure_ascii=False).encode()


@settings(max_examples=150, deadline=None)
@given(data=damaged(WHOLE), keep=st.sampled_from(["keep", "error"]), splits=st.sampled_from([(), ("L",)]))
def test_any_bytes_end_in_records_and_faults_or_in_one_error_of_ours(
    data: bytes, keep: Any, splits: Any
) -> None:
    adapter = SegmentedJson(SegmentedOptions(on_cut=keep, splits=splits))
    assert_ends_well(adapter, {"Corpus.json": data}, "Corpus.json")
