"""Corpora with transcript files beside their recordings, each in the shape in which it is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.natives import assert_ends_well, damaged, natives, read_all, rules
from vita_data.errors import ManifestError
from vita_data.manifest.bind import bind
from vita_data.manifest.parse import parse_card
from vita_data.sources import jsonfiles, transcript_tree
from vita_data.sources.base import Fault, Medium
from vita_data.sources.transcript_tree import TranscriptTree, TreeOptions

LIBRISPEECH = TreeOptions(
    audio="{folder}/{id}.flac",
    id_pattern=r"(?P<speaker>\d+)-\d+-\d+",
    path_pattern=r"(?P<split>[^/]+)/\d+/\d+/[^/]+$",
)
AISHELL1 = TreeOptions(
    audio="data_aishell/wav/{split}/{speaker}/{id}.wav",
    id_pattern=r"BAC009(?P<speaker>S\d{4})W\d{4}",
    split_speakers={"train": ("S0002", "S0723"), "dev": ("S0724", "S0763"), "test": ("S0764", "S0916")},
    splits=("train",),
)
AISHELL2 = TreeOptions(
    audio="{folder}/wav/{speaker}/{id}.wav", delimiter="\t", id_pattern=r"I(?P<speaker>C\d{4})W\d{4}"
)
AISHELL3 = TreeOptions(
    audio="{folder}/wav/{speaker}/{id}.wav",
    delimiter="\t",
    id_suffix=".wav",
    id_pattern=r"(?P<speaker>SSB\d{4})\d{4}",
    text_form="with_pinyin",
)
LIBRITTS_FILE = TreeOptions(
    audio="{folder}/{id}.wav",
    transcript="file",
    id_suffix=".normalized.txt",
    id_pattern=r"(?P<speaker>\d+)_\d+_\d+_\d+",
)
LIBRITTS = TreeOptions(
    audio="{folder}/{id}.wav",
    delimiter="\t",
    columns=3,
    text_column=2,
    id_pattern=r"(?P<speaker>\d+)_\d+_\d+_\d+",
)
MLS = TreeOptions(
    audio="{folder}/audio/{speaker}/{book}/{id}.flac",
    delimiter="\t",
    id_pattern=r"(?P<speaker>\d+)_(?P<book>\d+)_\d+",
    path_pattern=r"(?P<split>train|dev|test)/transcripts\.txt$",
    splits=("train",),
)
LJSPEECH = TreeOptions(audio="{folder}/wavs/{id}.wav", delimiter="|", columns=3, text_column=2)
VCTK = TreeOptions(
    audio="wav48_silence_trimmed/{speaker}/{id}_mic1.flac",
    transcript="file",
    id_pattern=r"(?P<speaker>p\d+|s5)_\d+",
)


def _write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


def _said(folder: Path, options: TreeOptions, name: str, data: str | bytes) -> list[str]:
    _write(folder, {name: data})
    return rules(TranscriptTree(options), folder, name)


def test_librispeech_has_a_transcript_a_chapter(tmp_path: Path) -> None:
    name = "train-clean-100/103/1240/103-1240.trans.txt"
    _write(tmp_path, {name: "103-1240-0000 CHAPTER ONE\n103-1240-0001 THAT HAD ITS SOURCE\n"})
    first, second = natives(TranscriptTree(LIBRISPEECH), tmp_path, name)
    assert first.native_id == '"103-1240-0000"'
    assert first.media == [Medium("audio", "train-clean-100/103/1240/103-1240-0000.flac")]
    assert (first.speaker, first.split, first.turns[1]["value"]) == ("103", "train-clean-100", "CHAPTER ONE")
    assert (second.position, second.turns[1]["value"]) == (1, "THAT HAD ITS SOURCE")


def test_a_split_in_the_path_is_chosen_or_counted_as_not_wanted(tmp_path: Path) -> None:
    chosen = TreeOptions(**{**vars(LIBRISPEECH), "splits": ("train-clean-100", "train-other-500")})
    for split, result in {
        "train-clean-100": "A",
        "dev-clean": "other_split",
        "test-other": "other_split",
    }.items():
        assert _said(tmp_path, chosen, f"{split}/1/2/1-2.trans.txt", "1-2-0000 A\n") == [result]
    assert _said(tmp_path, chosen, "1/2/1-2.trans.txt", "1-2-0000 A\n") == ["other_split"]


def test_aishell_1_keeps_its_spaces_and_knows_its_splits_by_speaker(tmp_path: Path) -> None:
    name = "data_aishell/transcript/aishell_transcript_v0.8.txt"
    lines = "BAC009S0002W0122 而 对 楼市 成交\nBAC009S0724W0121 广州市 房地产\nBAC009S0916W0495 阳逻\n"
    assert _said(tmp_path, AISHELL1, name, lines) == ["而 对 楼市 成交", "other_split", "other_split"]
    everything = TreeOptions(**{**vars(AISHELL1), "splits": ()})
    found = natives(TranscriptTree(everything), tmp_path, name)
    assert [native.split for native in found] == ["train", "dev", "test"]
    assert [native.media[0].name for native in found] == [
        "data_aishell/wav/train/S0002/BAC009S0002W0122.wav",
        "data_aishell/wav/dev/S0724/BAC009S0724W0121.wav",
        "data_aishell/wav/test/S0916/BAC009S0916W0495.wav",
    ]


def test_aishell_2_mixes_languages_quotes_and_full_width_letters(tmp_path: Path) -> None:
    text = 'IC0001W0001\t厨房用品\nIC0001W0002\t打开 "Taylor\tSwift" 的Ｌｏｖｅ\n'
    name = "AISHELL-2/iOS/data/trans.txt"
    assert _said(tmp_path, AISHELL2, name, text) == ["厨房用品", '打开 "Taylor\tSwift" 的Ｌｏｖｅ']
    found = natives(TranscriptTree(AISHELL2), tmp_path, name)
    assert found[0].media[0].name == "AISHELL-2/iOS/data/wav/C0001/IC0001W0001.wav"
    assert (found[0].speaker, found[0].split) == ("C0001", None)


def test_aishell_3_gives_a_reading_after_every_character(tmp_path: Path) -> None:
    name = "train/content.txt"
    lines = [
        "SSB00050001.wav\t广 guang3 州 zhou1 女 nv3 ",
        "SSB06930026.wav\t二 er4 点儿 dianr3 一 yi1",
        "SSB00050003.wav\tA ei1 股 gu3",
        "SSB00050004.wav\t我 wo3 爱 ai4 你",
        "SSB00050005.wav\t我 爱 wo3 ai4",
        "SSB00050006.wav\t",
    ]
    expected = ["广州女", "二点儿一", "A股", "not_a_record", "not_a_record", ""]
    assert _said(tmp_path, AISHELL3, name, "\n".join(lines)) == expected
    first = read_all(TranscriptTree(AISHELL3), tmp_path, name)[0]
    assert first.native_id == '"SSB00050001"'
    assert (first.speaker, first.split) == ("SSB0005", "train")  # type: ignore[union-attr]
    assert first.media == [Medium("audio", "train/wav/SSB0005/SSB00050001.wav")]  # type: ignore[union-attr]


def test_libritts_says_each_chapter_in_a_table_and_each_utterance_in_a_file(tmp_path: Path) -> None:
    folder = "train-clean-100/84/121123"
    table = '84_121123_000007_000001\t"Don\'t," he said in 1845.\t"Don\'t," he said in eighteen forty five.\n'
    said = '"Don\'t," he said in eighteen forty five.'
    assert _said(tmp_path, LIBRITTS, f"{folder}/84_121123.trans.tsv", table) == [said]
    name = f"{folder}/84_121123_000007_000001.normalized.txt"
    _write(tmp_path, {name: said})
    (native,) = natives(TranscriptTree(LIBRITTS_FILE), tmp_path, name)
    (row,) = natives(TranscriptTree(LIBRITTS), tmp_path, f"{folder}/84_121123.trans.tsv")
    assert native == row
    assert native.media[0].name == f"{folder}/84_121123_000007_000001.wav"


@pytest.mark.parametrize("options", [LIBRITTS, LIBRITTS_FILE])
def test_files_that_a_mac_left_beside_the_real_ones_are_skipped(tmp_path: Path, options: TreeOptions) -> None:
    name = "train-clean-100/84/121123/._84_121123.trans.tsv"
    _write(tmp_path, {name: b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "})
    split = TranscriptTree(options).split(str(tmp_path), name, "")
    assert (split.slices, split.records) == ([], 0)


def test_mls_has_one_transcript_a_split(tmp_path: Path) -> None:
    name = "mls_english/{}/transcripts.txt"
    lines = "4800_10003_000000\toh my dear you must see him\n4800_10003_000001\ta\tb\n"
    assert _said(tmp_path, MLS, name.format("train"), lines) == ["oh my dear you must see him", "a\tb"]
    assert _said(tmp_path, MLS, name.format("dev"), lines) == ["other_split", "other_split"]
    found = natives(TranscriptTree(MLS), tmp_path, name.format("train"))
    assert found[0].media[0].name == "mls_english/train/audio/4800/10003/4800_10003_000000.flac"
    assert found[0].speaker == "4800"


def test_ljspeech_has_literal_quotes_in_three_columns(tmp_path: Path) -> None:
    lines = [
        'LJ001-0007|the "forty-two line Bible" of about 1455,|the "forty-two line Bible" of about fourteen fifty-five,',
        'LJ001-0008|"a quote never closed|"a quote never closed',
        "LJ001-0009|no third column",
        "LJ001-0010|one|two|three",
        "LJ001-0011|only raw|",
    ]
    assert _said(tmp_path, LJSPEECH, "LJSpeech-1.1/metadata.csv", "\n".join(lines)) == [
        'the "forty-two line Bible" of about fourteen fifty-five,',
        '"a quote never closed',
        "not_a_record",
        "not_a_record",
        "",
    ]
    first = read_all(TranscriptTree(LJSPEECH), tmp_path, "LJSpeech-1.1/metadata.csv")[0]
    assert first.media == [Medium("audio", "LJSpeech-1.1/wavs/LJ001-0007.wav")]  # type: ignore[union-attr]


def test_vctk_has_a_file_an_utterance_and_a_speaker_without_any(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {
            "txt/p225/p225_001.txt": "Please call Stella.\n",
            "txt/p225/p225_002.txt": b"\xef\xbb\xbfAsk her to bring these things.\r\n",
            "wav48_silence_trimmed/p315/p315_001_mic1.flac": b"fLaC",
        },
    )
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("txt/*/*.txt"))
    (first,), (second,) = (natives(TranscriptTree(VCTK), tmp_path, name) for name in names)
    assert (first.native_id, first.speaker) == ('"p225_001"', "p225")
    assert first.media == [Medium("audio", "wav48_silence_trimmed/p225/p225_001_mic1.flac")]
    assert [native.turns[1]["value"] for native in (first, second)] == [
        "Please call Stella.",
        "Ask her to bring these things.",
    ]


@pytest.mark.parametrize(
    ("data", "result"),
    [
        (b"", ""),
        (b" \n", ""),
        (b"caf\xe9", "not_utf8"),
        (b"a" * (transcript_tree.TEXT_FILE_BYTES + 1), "not_a_record"),
        (b"two\nlines", "two\nlines"),
    ],
)
def test_a_file_of_its_own_holds_an_utterance_and_nothing_longer(
    tmp_path: Path, data: bytes, result: str
) -> None:
    assert _said(tmp_path, VCTK, "txt/p225/p225_001.txt", data) == [result]


def test_a_file_put_aside_is_not_read(tmp_path: Path) -> None:
    for options, name in ((VCTK, "txt/p225/p225_001.txt"), (LIBRISPEECH, "a/1/2/1-2.trans.txt")):
        _write(tmp_path, {name: "1-2-0000 A"})
        (part,) = TranscriptTree(options).split(str(tmp_path), name, "").slices
        (fault,) = TranscriptTree(options).read(str(tmp_path), type(part)(**{**vars(part), "aside": (0,)}))
        assert isinstance(fault, Fault) and fault.error.rule == "worker_died"


def test_lines_that_are_none_cost_themselves_only(tmp_path: Path) -> None:
    lines = (
        b"1-2-0000 A\n\n1-2-0001\nnobody B\n1-2-0002 caf\xe9\n  \n\xef\xbb\xbf1-2-0003  C  D \r\n1-2-0000 A"
    )
    assert _said(tmp_path, LIBRISPEECH, "x/1/2/1-2.trans.txt", lines) == [
        "A",
        "not_a_record",
        "not_a_record",
        "not_utf8",
        "C  D",
        "A",
    ]
    found = read_all(TranscriptTree(LIBRISPEECH), tmp_path, "x/1/2/1-2.trans.txt")
    assert [each.position for each in found] == [0, 2, 3, 4, 6, 7]
    assert found[2].native_id == '"nobody"'


def test_a_star_stands_for_the_file_that_is_there(tmp_path: Path) -> None:
    options = TreeOptions(audio="wav/*/{id}.*")
    _write(
        tmp_path,
        {
            "wav/b/x[1].flac": b"",
            "wav/a/y.wav": b"",
            "wav/b/y.wav": b"",
            "text": "x[1] A\ny B\nz C\n../y D\n",
        },
    )
    names = [native.media[0].name for native in natives(TranscriptTree(options), tmp_path, "text")]
    assert names == ["wav/b/x[1].flac", "wav/a/y.wav", "wav/*/z.*", "wav/y.*"]


@pytest.mark.parametrize("audio", ["{id}.*", "{id}/*.wav"])
@pytest.mark.parametrize("name", ["/etc/passwd", "../secret", "a" * 5000, "a\0b", "**", "["])
def test_an_id_that_is_no_name_finds_nothing_that_is_not_its_own(
    tmp_path: Path, name: str, audio: str
) -> None:
    root = tmp_path / "root"
    _write(
        tmp_path, {"secret.wav": b"", "secret/a.wav": b"", "root/real.wav": b"", "root/text": f"{name} A\n"}
    )
    (each,) = read_all(TranscriptTree(TreeOptions(audio=audio)), root, "text")
    assert isinstance(each, Fault) or each.media[0].name not in (
        "real.wav",
        "../secret.wav",
        "../secret/a.wav",
    )


def test_a_header_comments_and_a_speaker_column(tmp_path: Path) -> None:
    options = TreeOptions(
        audio="{id}", delimiter="|", columns=3, speaker_column=2, header=True, skip_lines="^[;#]"
    )
    _write(tmp_path, {"a.csv": "file|text|speaker\n; a note\na.wav|A|anne\nb.wav|B|unknown\n"})
    found = natives(TranscriptTree(options), tmp_path, "a.csv")
    assert [(n.media[0].name, n.speaker, n.position) for n in found] == [
        ("a.wav", "anne", 2),
        ("b.wav", None, 3),
    ]


@pytest.mark.parametrize("size", [1, 30, 1000])
def test_lines_read_alike_however_they_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    _write(tmp_path, {"a.csv": "id|text\n" + "".join(f"{n}|字{n}\n" for n in range(30))})
    options = TreeOptions(audio="{id}.wav", delimiter="|", header=True)
    monkeypatch.setattr(jsonfiles, "SLICE_BYTES", size)
    found = natives(TranscriptTree(options), tmp_path, "a.csv")
    assert [(n.position, n.turns[1]["value"]) for n in found] == [(n + 1, f"字{n}") for n in range(30)]


def _bound(options: str) -> Any:
    return bind(parse_card(f"options: {options}\n".encode(), "card.yaml").value["options"], TreeOptions)  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("{delimiter: '|'}", "the key audio is missing"),
        ("{audio: '{folder}/{speaker}/{id}.wav'}", "audio names {speaker}, which no pattern gives"),
        ("{audio: a, id_pattern: '('}", "id_pattern is no regular expression"),
        ("{audio: a, delimiter: ''}", "delimiter is empty"),
        ("{audio: a, text_column: 2}", "columns is 2"),
        ("{audio: a, id_column: -1}", "columns is 2"),
    ],
)
def test_options_that_cannot_work_are_named_in_the_card(options: str, words: str) -> None:
    with pytest.raises(ManifestError) as caught:
        _bound(options)
    assert str(caught.value).startswith("card.yaml:1: ") and words in str(caught.value)


def test_options_are_read_from_a_card_as_they_are_written() -> None:
    card = "{audio: 'wav/{split}/{speaker}/{id}.wav', id_pattern: '(?P<speaker>S\\d+)W\\d+', "
    card += 'delimiter: "\\t", split_speakers: {train: [S0002, S0723]}, splits: [train]}'
    bound = _bound(card)
    assert bound.split_speakers == {"train": ("S0002", "S0723")} and bound.delimiter == "\t"


FUZZED: list[tuple[TreeOptions, str, bytes]] = [
    (LIBRISPEECH, "x/1/2/1-2.trans.txt", b"1-2-0000 A B\r\n1-2-0001 C\n"),
    (
        AISHELL3,
        "train/content.txt",
        "SSB00050001.wav\t广 guang3 州 zhou1\nSSB00050002.wav\t女 nv3\n".encode(),
    ),
    (LJSPEECH, "metadata.csv", b'LJ1|a "b|c\nLJ2|d|e\n'),
    (VCTK, "txt/p225/p225_001.txt", b"Please call Stella.\n"),
    (TreeOptions(audio="*/{id}.*"), "text", b"a[1] B\n*c D\n"),
    (TreeOptions(audio="{id}*"), "text", b"a[1] B\n*c D\n"),
]


@settings(max_examples=200, deadline=None)
@given(data=st.data(), case=st.sampled_from(FUZZED))
def test_any_bytes_end_in_records_and_faults(
    data: st.DataObject, case: tuple[TreeOptions, str, bytes]
) -> None:
    options, name, whole = case
    assert_ends_well(TranscriptTree(options), {name: data.draw(damaged(whole))}, name)
