"""Manifests of utterances, each in the shape that its toolkit writes: the same facts under other names."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.natives import assert_ends_well, damaged, natives, read_all, rules
from vita_data.errors import SourceError
from vita_data.sources import jsonfiles, jsonvalues, textlines
from vita_data.sources.base import Fault, Medium, Native
from vita_data.sources.manifest import Manifest, ManifestOptions

NEMO = [
    {"audio_filepath": "wavs/a.wav", "duration": 3.45, "text": "first 一"},
    {
        "audio_filepath": "wavs/a.wav",
        "offset": 3.45,
        "duration": 1.5,
        "text": "second",
        "speaker": 7,
        "lang": "en",
    },
    {"audio_filepath": "/data/x/b.wav", "duration": 1.0, "text": "third"},
]
EMILIA = [
    {
        "id": "EN_B00000_S00000_W000000",
        "wav": "EN_B00000/EN_B00000_S00000/mp3/EN_B00000_S00000_W000000.mp3",
        "text": " You can help my mother and you- No.",
        "duration": 6.264,
        "speaker": "EN_B00000_S00000",
        "language": "en",
        "dnsmos": 3.2927,
    },
    {
        "_id": "EN_x",
        "wav": "x.mp3",
        "text": " Y",
        "duration": 1,
        "speaker": "s",
        "language": "en",
        "phone_count": 3,
    },
]
WENET = [
    {"key": "BAC1", "wav": "wav/BAC1.wav", "txt": "广州市"},
    {"key": "BAC2", "wav": "wav/long.wav", "txt": "HELLO", "start": 1.5, "end": 2.5},
]
FUNASR = [{"key": "ID1", "source": "wavs/1.wav", "source_len": 90, "target": "你好", "target_len": 2}]
CUTS = [
    {
        "id": "cut-1",
        "start": 10.0,
        "duration": 5.0,
        "channel": 0,
        "type": "MonoCut",
        "supervisions": [
            {
                "id": "sup-1",
                "recording_id": "rec-1",
                "start": 0.5,
                "duration": 2.0,
                "channel": 0,
                "text": "first",
                "language": "English",
                "speaker": "anne",
                "alignment": {"word": [["first", 0.5, 2.0, 1.0]]},
            },
            {
                "id": "sup-2",
                "recording_id": "rec-1",
                "start": 3,
                "duration": 1,
                "channel": 0,
                "text": "second",
            },
        ],
        "recording": {
            "id": "rec-1",
            "sources": [{"type": "file", "channels": [0], "source": "audio/rec-1.flac"}],
            "sampling_rate": 16000,
            "num_samples": 480000,
            "duration": 30.0,
        },
    },
    {
        "id": "cut-2",
        "start": 0,
        "duration": 2.0,
        "channel": 0,
        "supervisions": [
            {
                "id": "sup-3",
                "recording_id": "rec-2",
                "start": 0.0,
                "duration": 2.0,
                "channel": 0,
                "text": "whole",
            }
        ],
        "recording": {
            "id": "rec-2",
            "sources": [{"type": "file", "channels": [0], "source": "audio/rec-2.flac"}],
            "sampling_rate": 16000,
            "num_samples": 32000,
            "duration": 2.0,
        },
    },
]
COLUMNS = ["client_id", "path", "sentence_id", "sentence", "sentence_domain", "up_votes", "down_votes"]
COLUMNS += ["age", "gender", "accents", "variant", "locale", "segment"]


def _lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _write(folder: Path, name: str, data: bytes) -> str:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return name


def _adapter(dialect: Any, **options: Any) -> Manifest:
    return Manifest(ManifestOptions(dialect, **options))


def _read(
    folder: Path, dialect: str, rows: list[Any], name: str = "m.jsonl", **options: Any
) -> list[Native | Fault]:
    return read_all(_adapter(dialect, **options), folder, _write(folder, name, _lines(rows)))


def _rules(folder: Path, dialect: str, rows: list[Any], name: str = "m.jsonl", **options: Any) -> list[str]:
    return rules(_adapter(dialect, **options), folder, _write(folder, name, _lines(rows)))


def test_nemo_names_files_beside_the_manifest_and_parts_of_them_by_offset(tmp_path: Path) -> None:
    found = _read(tmp_path, "nemo", NEMO, "train/manifest.json", strip_prefix="/data/")
    assert [each.media for each in found if isinstance(each, Native)] == [
        [Medium("audio", "train/wavs/a.wav")],
        [Medium("audio", "train/wavs/a.wav", start=3.45, end=4.95)],
        [Medium("audio", "train/x/b.wav")],
    ]
    assert [each.native_id for each in found] == ['"wavs/a.wav"', '["wavs/a.wav", 3.45]', '"/data/x/b.wav"']
    assert [(each.speaker, each.language) for each in found if isinstance(each, Native)][:2] == [
        (None, None),
        ("7", "en"),
    ]


@pytest.mark.parametrize(
    ("dialect", "rows", "name"),
    [
        ("nemo", NEMO[:1], "train_clean_100.json"),
        ("wenet", WENET, "data/train_clean_100/data.list"),
        ("funasr", FUNASR, "train_clean_100/list.jsonl"),
        ("lhotse", CUTS, "librispeech_cuts_train_clean_100.jsonl"),
    ],
)
def test_a_manifest_is_of_the_split_that_its_path_names(
    tmp_path: Path, dialect: str, rows: list[Any], name: str
) -> None:
    found = _read(tmp_path, dialect, rows, name)
    assert [each.split for each in found if isinstance(each, Native)] == ["train_clean_100"] * len(found)


def test_a_split_in_the_row_goes_before_that_of_the_file(tmp_path: Path) -> None:
    rows = [{**NEMO[0], "split": "dev"}, {**NEMO[0], "split": "N/A"}, NEMO[0]]
    found = _read(tmp_path, "nemo", rows, "train.json")
    assert [each.split for each in found if isinstance(each, Native)] == ["dev", "train", "train"]
    (native,) = _read(tmp_path, "nemo", NEMO[:1], "m.jsonl")
    assert isinstance(native, Native) and native.split is None


@pytest.mark.parametrize("split", ["train", "validated", "other"])
def test_a_table_of_common_voice_is_named_as_its_split(tmp_path: Path, split: str) -> None:
    name = _write(tmp_path, f"en/{split}.tsv", _table(CLIPS))
    assert {native.split for native in natives(_adapter("commonvoice"), tmp_path, name)} == {split}


def test_absolute_paths_ask_for_what_stands_for_the_root(tmp_path: Path) -> None:
    found = _read(tmp_path, "nemo", NEMO, "train/manifest.json")
    assert isinstance(found[2], Fault) and found[2].error.rule == "path_outside_root"
    assert "strip_prefix" in str(found[2].error)
    found = _read(tmp_path, "nemo", NEMO, "train/manifest.json", strip_prefix="/data/x", path_prefix="audio")
    assert [each.media[0].name for each in found] == ["audio/wavs/a.wav"] * 2 + ["audio/b.wav"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("../wavs/a.wav", "wavs/a.wav"),
        ("./a.wav", "train/a.wav"),
        ("a//b/./c.wav", "train/a/b/c.wav"),
        ("../../a.wav", "../a.wav"),
    ],
)
def test_names_are_those_below_the_root_without_detours(tmp_path: Path, path: str, name: str) -> None:
    row = {"audio_filepath": path, "text": "A"}
    (native,) = _read(tmp_path, "nemo", [row], "train/manifest.json")
    assert isinstance(native, Native) and native.media[0].name == name


def test_emilia_keeps_its_leading_space_and_both_names_of_an_id(tmp_path: Path) -> None:
    first, second = natives(
        _adapter("emilia"), tmp_path, _write(tmp_path, "EN/EN_B00000.jsonl", _lines(EMILIA))
    )
    assert first.media == [Medium("audio", f"EN/{EMILIA[0]['wav']}")]
    assert (first.speaker, first.language) == ("EN_B00000_S00000", "en")
    assert first.turns[1]["value"] == " You can help my mother and you- No."
    assert [first.native_id, second.native_id] == ['"EN_B00000_S00000_W000000"', '"EN_x"']


def test_wenet_lists_name_files_from_where_they_were_written_and_parts_by_their_ends(tmp_path: Path) -> None:
    found = natives(_adapter("wenet"), tmp_path, _write(tmp_path, "data/train/data.list", _lines(WENET)))
    assert [native.media for native in found] == [
        [Medium("audio", "wav/BAC1.wav")],
        [Medium("audio", "wav/long.wav", start=1.5, end=2.5)],
    ]
    assert [native.native_id for native in found] == ['"BAC1"', '"BAC2"']


def test_funasr_names_files_beside_the_list(tmp_path: Path) -> None:
    (native,) = natives(_adapter("funasr"), tmp_path, _write(tmp_path, "list/train.jsonl", _lines(FUNASR)))
    assert (native.media[0].name, native.turns[1]["value"]) == ("list/wavs/1.wav", "你好")


def test_a_card_can_give_a_field_another_key(tmp_path: Path) -> None:
    row = {"utt": 3, "text": "raw", "text_punc": "Raw.", "audio_filepath": "a.wav", "set": "train"}
    (native,) = _read(tmp_path, "nemo", [row], keys={"text": "text_punc", "id": "utt"})
    assert isinstance(native, Native) and (native.native_id, native.turns[1]["value"]) == ("3", "Raw.")
    assert _rules(tmp_path, "nemo", [row], keys={"split": "set"}, splits=("train",)) == ["raw"]
    assert _rules(tmp_path, "nemo", [row], keys={"split": "set"}, splits=("dev",)) == ["other_split"]
    assert _rules(tmp_path, "nemo", [row], splits=("train",)) == ["other_split"]


@pytest.mark.parametrize(
    ("given", "language"),
    [
        ("en", "en"),
        ("ZH", "zh"),
        ("zh-CN", "zh"),
        ("en_US", "en"),
        ("Mandarin", "zh"),
        ("de", "de"),
        ("N/A", None),
        (3.5, None),
    ],
)
def test_a_language_is_named_as_cards_name_it(tmp_path: Path, given: Any, language: str | None) -> None:
    (native,) = _read(tmp_path, "nemo", [{**NEMO[0], "lang": given}])
    assert isinstance(native, Native) and native.language == language


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"text": None}, "not_a_record"),
        ({"text": 3}, "not_a_record"),
        ({"audio_filepath": None}, "not_a_record"),
        ({"audio_filepath": ""}, "not_a_record"),
        ({"audio_filepath": ["a.wav"]}, "not_a_record"),
        ({"audio_filepath": "https://x.org/a.wav"}, "path_outside_root"),
        ({"audio_filepath": "/a.wav"}, "path_outside_root"),
        ({"offset": -1}, "segment_outside"),
        ({"offset": 1, "duration": 0}, "segment_outside"),
        ({"offset": 1, "duration": -1}, "segment_outside"),
        ({"offset": "x"}, "not_a_record"),
        ({"offset": 1, "duration": float("nan")}, "not_a_record"),
        ({"offset": 10**400}, "not_a_record"),
    ],
)
def test_a_row_that_lacks_something_costs_itself_only(tmp_path: Path, row: dict[str, Any], rule: str) -> None:
    assert _rules(tmp_path, "nemo", [NEMO[0], {**NEMO[0], **row}, NEMO[0]]) == ["first 一", rule, "first 一"]


@pytest.mark.parametrize("row", [None, 3, "text", [], [NEMO[0]], {}])
def test_what_is_no_row_is_refused(tmp_path: Path, row: Any) -> None:
    assert _rules(tmp_path, "nemo", [row, NEMO[0]]) == ["not_a_record", "first 一"]


def test_lines_that_are_no_json_cost_themselves_only(tmp_path: Path) -> None:
    good = _lines(NEMO[:1])
    data = (
        b"\xef\xbb\xbf"
        + good.replace(b"\n", b"\r\n")
        + b"\n{\n"
        + good.replace("一".encode(), b"\xe4")
        + good
        + good[:20]
    )
    name = _write(tmp_path, "m.jsonl", data)
    assert rules(_adapter("nemo"), tmp_path, name) == [
        "first 一",
        "not_json",
        "not_utf8",
        "first 一",
        "not_json",
    ]


def test_an_offset_without_a_duration_reaches_to_the_end(tmp_path: Path) -> None:
    (native,) = _read(tmp_path, "nemo", [{"audio_filepath": "a.wav", "text": "A", "offset": 2}])
    assert native.media == [Medium("audio", "a.wav", start=2.0)]  # type: ignore[union-attr]


def _table(rows: list[dict[str, str]], columns: list[str] = COLUMNS, end: str = "\n") -> bytes:
    lines = ["\t".join(columns), *("\t".join(row.get(column, "") for column in columns) for row in rows)]
    return (end.join(lines) + end).encode()


CLIPS = [
    {"client_id": "c0ffee", "path": "common_voice_zh-CN_1.mp3", "sentence": '他说"你好', "locale": "zh-CN"},
    {"client_id": "", "path": "common_voice_zh-CN_2", "sentence": "再见", "locale": ""},
]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_common_voice_has_literal_quotes_and_its_clips_in_a_folder(tmp_path: Path, end: str) -> None:
    name = _write(tmp_path, "cv-corpus-17.0/zh-CN/train.tsv", _table(CLIPS, end=end))
    first, second = natives(_adapter("commonvoice"), tmp_path, name)
    assert first.media == [Medium("audio", "cv-corpus-17.0/zh-CN/clips/common_voice_zh-CN_1.mp3")]
    assert (first.speaker, first.language, first.turns[1]["value"]) == ("c0ffee", "zh", '他说"你好')
    assert (second.speaker, second.language) == (None, None)
    assert second.media[0].name.endswith("clips/common_voice_zh-CN_2.mp3")
    assert [first.position, second.position] == [1, 2]
    assert first.native_id == '"common_voice_zh-CN_1.mp3"'


@pytest.mark.parametrize(
    "columns",
    [
        ["client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender", "accent"],
        [
            "client_id",
            "path",
            "sentence",
            "up_votes",
            "down_votes",
            "age",
            "gender",
            "accent",
            "locale",
            "segment",
        ],
        ["client_id", "path", "sentence_id", "sentence", "up_votes", "variant", "locale", "segment"],
        COLUMNS,
    ],
)
def test_the_columns_of_every_release_are_found_by_their_names(tmp_path: Path, columns: list[str]) -> None:
    name = _write(tmp_path, "en/test.tsv", b"\xef\xbb\xbf" + _table(CLIPS, columns))
    assert rules(_adapter("commonvoice"), tmp_path, name) == ['他说"你好', "再见"]


def test_a_line_with_another_number_of_columns_is_refused(tmp_path: Path) -> None:
    data = (
        _table(CLIPS)
        + b"c\tcommon_voice_3.mp3\t\tcut he\n"
        + _table([{**CLIPS[0], "sentence": "a\tb"}]).split(b"\n")[1]
    )
    name = _write(tmp_path, "en/test.tsv", data)
    assert rules(_adapter("commonvoice"), tmp_path, name)[2:] == ["not_a_record", "not_a_record"]


@pytest.mark.parametrize("data", [b"", b"\n", b"client_id\tpath\n", b"\xff\n", b"path,sentence\n"])
def test_a_table_without_its_columns_is_named(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceError, match="has no column"):
        read_all(_adapter("commonvoice"), tmp_path, _write(tmp_path, "train.tsv", data))


@pytest.mark.parametrize("size", [1, 200, 10_000])
def test_a_table_reads_alike_however_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    rows = [{"path": f"{n}.mp3", "sentence": f"字{n}"} for n in range(30)]
    monkeypatch.setattr(jsonfiles, "SLICE_BYTES", size)
    name = _write(tmp_path, "train.tsv", _table(rows))
    assert rules(_adapter("commonvoice"), tmp_path, name) == [f"字{n}" for n in range(30)]


def test_speechbrain_has_a_document_or_a_table_with_quotes(tmp_path: Path) -> None:
    document = {
        "snt1": {"wav": "{data_root}/a.wav", "length": 2.87, "spk_id": "spk1", "words": "the child"},
        "snt2": {"wav": "{data_root}/b.wav", "spk_id": "spk1"},
        "snt3": 3,
    }
    adapter = _adapter("speechbrain", strip_prefix="{data_root}")
    name = _write(tmp_path, "train.json", json.dumps(document).encode())
    found = read_all(adapter, tmp_path, name)
    assert [each.native_id for each in found] == ['"snt1"', '"snt2"', '"snt3"']
    assert [isinstance(each, Fault) for each in found] == [False, True, True]
    assert found[0].media == [Medium("audio", "a.wav")]  # type: ignore[union-attr]
    table = b'ID,duration,wav,spk_id,wrd\n1,2.0,a.wav,anne,"SAID ""NO"", TWICE"\n2,1,b.wav,anne,"open\n'
    assert rules(adapter, tmp_path, _write(tmp_path, "train.csv", table)) == [
        'SAID "NO", TWICE',
        "not_a_record",
    ]


def test_each_supervision_of_a_cut_is_a_record_at_its_place_in_the_recording(tmp_path: Path) -> None:
    first, second, third = natives(_adapter("lhotse"), tmp_path, _write(tmp_path, "cuts.jsonl", _lines(CUTS)))
    assert first.media == [Medium("audio", "audio/rec-1.flac", start=10.5, end=12.5)]
    assert second.media == [Medium("audio", "audio/rec-1.flac", start=13.0, end=14.0)]
    assert third.media == [Medium("audio", "audio/rec-2.flac")]  # all of it
    assert (first.speaker, first.language, first.native_id) == ("anne", "en", '"sup-1"')


def test_a_supervision_that_ends_with_its_recording_is_still_a_part_of_it(tmp_path: Path) -> None:
    (native,) = _read(tmp_path, "lhotse", [_cut(None, {"start": 0.5, "duration": 1.5})])
    assert native.media == [Medium("audio", "audio/rec-2.flac", start=0.5, end=2.0)]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["cuts.jsonl", "cuts.jsonl.gz", "cuts.json", "cuts.json.gz"])
def test_cuts_are_lines_or_a_list_packed_or_not(tmp_path: Path, name: str) -> None:
    data = _lines(CUTS) if ".jsonl" in name else json.dumps(CUTS).encode()
    data = gzip.compress(data) if name.endswith(".gz") else data
    assert rules(_adapter("lhotse"), tmp_path, _write(tmp_path, name, data)) == ["first", "second", "whole"]


def _supervisions() -> tuple[bytes, bytes]:
    recordings = _lines([cut["recording"] for cut in CUTS])
    supervisions = [
        {**each, "start": each["start"] + cut["start"]}
        for cut in CUTS
        for each in cut["supervisions"]  # type: ignore[attr-defined]
    ]
    return recordings, _lines(supervisions)


def test_supervisions_are_joined_to_the_recordings_beside_them(tmp_path: Path) -> None:
    recordings, supervisions = _supervisions()
    from_cuts = natives(_adapter("lhotse"), tmp_path, _write(tmp_path, "cuts.jsonl", _lines(CUTS)))
    _write(tmp_path, "librispeech_recordings_train.jsonl.gz", gzip.compress(recordings))
    name = _write(tmp_path, "librispeech_supervisions_train.jsonl.gz", gzip.compress(supervisions))
    of_train = [replace(native, split="train") for native in from_cuts]
    assert read_all(_adapter("lhotse"), tmp_path, name) == of_train
    _write(tmp_path, "rec.jsonl", recordings)
    name = _write(tmp_path, "sup.jsonl", supervisions)
    assert read_all(_adapter("lhotse", recordings="rec.jsonl"), tmp_path, name) == from_cuts


def test_supervisions_without_their_recordings_are_named(tmp_path: Path) -> None:
    recordings, supervisions = _supervisions()
    name = _write(tmp_path, "supervisions.jsonl", supervisions)
    with pytest.raises(SourceError, match=r"recordings\.jsonl is not there"):
        read_all(_adapter("lhotse"), tmp_path, name)
    _write(tmp_path, "recordings.jsonl", recordings.splitlines()[0] + b'\nnull\n{"id": 3}\n')
    assert rules(_adapter("lhotse"), tmp_path, name) == ["first", "second", "not_a_record"]
    _write(tmp_path, "recordings.jsonl", recordings + recordings.replace(b"rec-1.flac", b"other.flac"))
    assert rules(_adapter("lhotse"), tmp_path, name) == ["not_a_record", "not_a_record", "whole"]


def test_what_is_nested_beyond_measure_costs_itself_only(tmp_path: Path) -> None:
    nested = b"[" * 5000 + b"]" * 5000
    recordings, supervisions = (data.replace(b"\n", b",").strip(b",") for data in _supervisions())
    recordings = recordings.replace(b'"sampling_rate": 16000', b'"transforms": ' + nested, 1)
    _write(tmp_path, "recordings.json", b"[" + recordings + b"]")
    supervisions = supervisions.replace(b'"whole"', b'"whole", "id": ' + nested)
    name = _write(tmp_path, "supervisions.json", b"[" + supervisions + b"]")
    assert rules(_adapter("lhotse"), tmp_path, name) == ["not_a_record", "not_a_record", "not_json"]
    name = _write(tmp_path, "cuts.json", b"[" + _lines(CUTS[1:]).replace(b'"rec-2"', nested) + b"]")
    assert rules(_adapter("lhotse"), tmp_path, name) == ["not_json"]


def _cut(
    recording: dict[str, Any] | None = None, supervision: dict[str, Any] | None = None, **cut: Any
) -> dict[str, Any]:
    """The second cut with some of its facts given other values."""
    whole = json.loads(json.dumps(CUTS[1]))
    whole["recording"] |= recording or {}
    whole["supervisions"][0] |= supervision or {}
    return {**whole, **cut}


@pytest.mark.parametrize(
    ("cut", "rule"),
    [
        (
            _cut({"sources": [{"type": "command", "channels": [0], "source": "sox a.sph -t wav - |"}]}),
            "pipe_command",
        ),
        (_cut({"sources": [{"type": "url", "channels": [0], "source": "https://x.org/a"}]}), "not_a_record"),
        (_cut({"sources": [{"type": "file", "channels": [0], "source": "s3://x/a"}]}), "path_outside_root"),
        (
            _cut({"sources": [{"type": "file", "channels": [0], "source": "/data/a.wav"}]}),
            "path_outside_root",
        ),
        (_cut({"sources": [{"type": "file", "channels": [0, 1], "source": "a.wav"}]}), "one_channel"),
        (
            _cut({"sources": [{"type": "file", "source": "a"}, {"type": "file", "source": "b"}]}),
            "one_channel",
        ),
        (_cut({"sources": []}), "not_a_record"),
        (_cut({"sources": [3]}), "not_a_record"),
        (_cut({"transforms": [{"name": "Speed", "kwargs": {"factor": 0.9}}]}), "not_a_record"),
        (_cut(None, {"text": None}), "not_a_record"),
        (_cut(None, {"duration": 0}), "segment_outside"),
        (_cut(None, {"start": -3}), "segment_outside"),
        (_cut(None, {"start": "x"}), "not_a_record"),
        (_cut(supervisions=[]), "not_a_record"),
        (_cut(supervisions=[None]), "not_a_record"),
        (_cut(supervisions={"a": 1}), "not_a_record"),
        (_cut() | {"recording": None}, "not_a_record"),
        ({"id": "mix", "type": "MixedCut", "tracks": []}, "not_a_record"),
        ({"id": "pad", "type": "PaddingCut", "duration": 1}, "not_a_record"),
        (None, "not_a_record"),
    ],
)
def test_a_cut_that_cannot_be_heard_as_it_is_written_is_refused(tmp_path: Path, cut: Any, rule: str) -> None:
    assert _rules(tmp_path, "lhotse", [cut, CUTS[1]]) == [rule, "whole"]


@pytest.mark.parametrize(("dialect", "rows"), [("lhotse", CUTS), ("nemo", NEMO[:2] * 2000)])
def test_a_packed_manifest_that_is_cut_stops_with_the_way_out_or_keeps_what_is_whole(
    tmp_path: Path, dialect: str, rows: list[Any]
) -> None:
    data = gzip.compress(_lines(rows))
    name = _write(tmp_path, "m.jsonl.gz", data[: len(data) * 2 // 3])
    with pytest.raises(SourceError, match=r"m\.jsonl\.gz is cut or damaged .*on_cut: keep"):
        read_all(_adapter(dialect), tmp_path, name)
    assert rules(_adapter(dialect, on_cut="keep"), tmp_path, name)[-1] == "annotation_cut"


def test_a_packed_manifest_reads_as_the_plain_one(tmp_path: Path) -> None:
    plain = _read(tmp_path, "emilia", EMILIA)
    assert (
        read_all(_adapter("emilia"), tmp_path, _write(tmp_path, "m.jsonl.gz", gzip.compress(_lines(EMILIA))))
        == plain
    )


@pytest.mark.parametrize("bomb", [b"[" + b" " * (1 << 20), b'["' + b"x" * (1 << 20), b"\n" * (1 << 20)])
def test_a_packed_manifest_that_unpacks_without_end_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bomb: bytes
) -> None:
    monkeypatch.setattr(jsonvalues, "SLACK", 1000)
    with pytest.raises(SourceError, match="as a bomb does"):
        read_all(_adapter("lhotse"), tmp_path, _write(tmp_path, "cuts.json.gz", gzip.compress(bomb)))


@pytest.mark.parametrize("name", ["train.tsv.gz", "train.tsv"])
def test_a_packed_table_is_named_and_not_guessed_at(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="has no column"):
        read_all(_adapter("commonvoice"), tmp_path, _write(tmp_path, name, gzip.compress(_table(CLIPS))))


def test_lines_named_as_a_document_are_told_by_their_first_letter(tmp_path: Path) -> None:
    data = gzip.compress(b"\xef\xbb\xbf \n" + _lines(NEMO[:2]))
    assert rules(_adapter("nemo"), tmp_path, _write(tmp_path, "m.json.gz", data)) == ["first 一", "second"]
    data = gzip.compress(b"\xef\xbb\xbf \n" + json.dumps(NEMO[:2]).encode())
    assert rules(_adapter("nemo"), tmp_path, _write(tmp_path, "m.jsonl.gz", data)) == ["first 一", "second"]


def test_a_line_that_unpacks_without_end_is_refused_and_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(textlines, "LINE_BYTES", 4096)
    data = gzip.compress(_lines(NEMO[:1]) + b"[" * 100_000 + b"\n" + _lines(NEMO[:1]))
    assert rules(_adapter("nemo"), tmp_path, _write(tmp_path, "m.jsonl.gz", data)) == [
        "first 一",
        "not_a_record",
        "first 一",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keys": {"txet": "a"}}, "keys names txet"),
        ({"dialect": "lhotse", "keys": {"text": "a"}}, "none for lhotse"),
    ],
)
def test_fields_that_no_manifest_has_are_named(options: dict[str, Any], words: str) -> None:
    complaint = ManifestOptions(**{"dialect": "nemo", **options}).complaint()
    assert complaint is not None and words in complaint[1]


FUZZED: list[tuple[str, str, bytes]] = [
    ("nemo", "m.json", _lines(NEMO)),
    ("emilia", "m.jsonl", _lines(EMILIA)),
    ("wenet", "data.list", _lines(WENET)),
    ("funasr", "m.jsonl", _lines(FUNASR)),
    ("lhotse", "cuts.jsonl", _lines(CUTS)),
    ("lhotse", "cuts.json", json.dumps(CUTS).encode()),
    ("lhotse", "cuts.jsonl.gz", gzip.compress(_lines(CUTS))),
    ("commonvoice", "train.tsv", _table(CLIPS)),
    ("speechbrain", "a.csv", b'ID,wav,wrd\n1,a.wav,"A ""B"""\n'),
    ("speechbrain", "a.json", b'{"1": {"wav": "a.wav", "words": "A"}}'),
]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), case=st.sampled_from(FUZZED), keep=st.sampled_from(["keep", "error"]))
def test_any_bytes_end_in_records_and_faults_or_in_one_error_of_ours(
    data: st.DataObject, case: tuple[str, str, bytes], keep: str
) -> None:
    dialect, name, whole = case
    assert_ends_well(_adapter(dialect, on_cut=keep), {name: data.draw(damaged(whole))}, name)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_bytes_for_recordings_end_in_records_and_faults_or_in_one_error_of_ours(
    data: st.DataObject,
) -> None:
    recordings, supervisions = _supervisions()
    given = {"recordings.jsonl": data.draw(damaged(recordings)), "supervisions.jsonl": supervisions}
    assert_ends_well(_adapter("lhotse"), given, "supervisions.jsonl")
