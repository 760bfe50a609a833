"""The real annotation files of the speech corpora, through the adapter of their layout, against the answer key.

A row is usable when its file is there as its layout names it; adapters open no media, so the test looks.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from vita_data.errors import SourceError
from vita_data.sources.base import Adapter, Fault, Native
from vita_data.sources.kaldi import Kaldi, KaldiOptions
from vita_data.sources.manifest import Manifest, ManifestOptions
from vita_data.sources.segmented_json import SegmentedJson, SegmentedOptions
from vita_data.sources.tar_members import TarMembers, TarOptions
from vita_data.sources.transcript_tree import TranscriptTree, TreeOptions

pytestmark = pytest.mark.corpus

LIBRISPEECH = TreeOptions(
    audio="{folder}/{id}.flac",
    id_pattern=r"(?P<speaker>\d+)-\d+-\d+",
    path_pattern=r"(?P<split>[^/]+)/\d+/\d+/[^/]+$",
)
AISHELL3 = TreeOptions(
    audio="{folder}/wav/{speaker}/{id}.wav",
    delimiter="\t",
    id_suffix=".wav",
    id_pattern=r"(?P<speaker>SSB\d{4})\d{4}",
    text_form="with_pinyin",
)


@dataclass(frozen=True)
class Case:
    """An annotation of the key with its adapter, the root its names belong to, and where the key differs."""

    annotation: str
    root: str
    adapter: Adapter
    rules: dict[str, int] = field(default_factory=dict)  # of the faults among its rows
    missing: int = 0  # names without a file
    beyond: int = 0  # segments that only the media can refuse, which the key counts as rejects


CASES = [
    *(
        Case(
            f"speech/cv-corpus-mini/{name}.tsv",
            "speech/cv-corpus-mini",
            Manifest(ManifestOptions("commonvoice")),
            missing=n,
        )
        for name, n in {
            "zh-CN/validated": 0,
            "zh-CN/train": 0,
            "zh-CN/dev": 0,
            "zh-CN/test": 1,
            "en/validated": 0,
        }.items()
    ),
    Case(
        "speech/LibriSpeech/dev-clean/1272/128104/1272-128104.trans.txt",
        "speech/LibriSpeech",
        TranscriptTree(LIBRISPEECH),
    ),
    Case(
        "speech/LibriSpeech/dev-other/2412/153948/2412-153948.trans.txt",
        "speech/LibriSpeech",
        TranscriptTree(LIBRISPEECH),
    ),
    Case(
        "speech/speechbrain_json/train.json",
        "speech/speechbrain_json",
        Manifest(ManifestOptions("speechbrain", strip_prefix="{data_root}/")),
    ),
    Case(
        "speech/speechbrain_csv/dev-clean.csv",
        "speech/speechbrain_csv",
        Manifest(ManifestOptions("speechbrain")),
        rules={"path_outside_root": 99},
    ),
    # Names begin at the folder in which the list was written, which the sounds have left for the one above.
    Case(
        "speech/wenet/test/resources/dataset/data.list",
        "speech/wenet",
        Manifest(ManifestOptions("wenet")),
        missing=2,
    ),
    Case(
        "speech/wenet/test/resources/dataset/shards/shards_000000000.tar",
        "speech/wenet",
        TarMembers(TarOptions()),
    ),
    Case("packed/cc3m/00000.tar", "packed/cc3m", TarMembers(TarOptions()), rules={"not_a_record": 1}),
    Case(
        "speech/data_aishell/transcript/aishell_transcript_v0.8.txt",
        "speech/data_aishell",
        TranscriptTree(
            TreeOptions(
                audio="wav/{split}/{speaker}/{id}.wav",
                id_pattern=r"BAC009(?P<speaker>S\d{4})W\d{4}",
                split_speakers={
                    "train": ("S0002", "S0723"),
                    "dev": ("S0724", "S0763"),
                    "test": ("S0764", "S0916"),
                },
            )
        ),
    ),
    # Where a segment ends past its recording, which the sound itself tells, the adapter cannot know.
    Case(
        "speech/WenetSpeech/WenetSpeech.json",
        "speech/WenetSpeech",
        SegmentedJson(SegmentedOptions()),
        beyond=1,
    ),
    # The tag <SIL> stays in the text, and is refused where transcripts are normalised.
    Case(
        "speech/GigaSpeech/GigaSpeech.json",
        "speech/GigaSpeech",
        SegmentedJson(SegmentedOptions(text_key="text_tn")),
        beyond=1,
    ),
    Case("speech/funasr_list/train.jsonl", "speech/funasr_list", Manifest(ManifestOptions("funasr"))),
    Case(
        "speech/funasr_list/upstream_train.jsonl",
        "speech/funasr_list",
        Manifest(ManifestOptions("funasr")),
        rules={"path_outside_root": 4},
    ),
    Case(
        "speech/LJSpeech-1.1/metadata.csv",
        "speech/LJSpeech-1.1",
        TranscriptTree(TreeOptions(audio="{folder}/wavs/{id}.wav", delimiter="|", columns=3, text_column=2)),
    ),
    Case(
        "speech/LJSpeech-mp3-flac/metadata.csv",
        "speech/LJSpeech-mp3-flac",
        TranscriptTree(
            TreeOptions(
                audio="{folder}/{id}", delimiter="|", columns=4, text_column=2, speaker_column=3, header=True
            )
        ),
    ),
    Case(
        "speech/asterisk-core-sounds-en/core-sounds-en.txt",
        "speech/asterisk-core-sounds-en",
        TranscriptTree(TreeOptions(audio="en_US_f_Allison/{id}.*", delimiter=": ", skip_lines="^;")),
    ),
    Case("speech/data_aishell3/train/content.txt", "speech/data_aishell3", TranscriptTree(AISHELL3)),
    Case(
        "speech/BZNSYP/ProsodyLabeling/000001-010000.txt",
        "speech/BZNSYP",
        TranscriptTree(TreeOptions(audio="Wave/{id}.wav", delimiter="\t", skip_lines="^\t")),
    ),
    Case(
        "speech/sphinx_cards/cards.transcription",
        "speech/sphinx_cards",
        TranscriptTree(
            TreeOptions(audio="wav/{id}.wav", delimiter=" (", id_column=1, text_column=0, id_suffix=")")
        ),
    ),
]


def _read(adapter: Adapter, root: Path, annotation: str, scratch: Path) -> list[Native | Fault]:
    split = adapter.split(str(root), annotation, str(scratch))
    return [native for part in split.slices for native in adapter.read(str(root), part)]


def _is_there(root: Path, native: Native) -> bool:
    (sound,) = native.media
    return sound.data is not None or (root / sound.name).exists()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.annotation)
def test_every_row_of_the_key_is_read_and_the_usable_ones_have_their_files(
    corpus: Path, tmp_path: Path, case: Case
) -> None:
    (key,) = (
        each
        for each in json.loads((corpus / "expected.json").read_text())["annotations"]
        if each["annotation"] == case.annotation
    )
    root = corpus / case.root
    found = _read(case.adapter, root, case.annotation.removeprefix(case.root + "/"), tmp_path)
    faults = [each for each in found if isinstance(each, Fault)]
    natives = [each for each in found if isinstance(each, Native)]
    there = [native for native in natives if _is_there(root, native)]
    assert len(found) == key["rows"]
    assert Counter(fault.error.rule for fault in faults) == case.rules
    assert len(natives) - len(there) == case.missing
    assert len(there) == key["usable_rows"] + case.beyond
    assert len({native.media[0].name for native in there}) == key["media_files"]
    assert all(native.native_id is not None and native.turns[1]["value"].strip() for native in natives)


def test_each_transcript_beside_its_sound_is_read_and_one_row_of_the_key_has_none(
    corpus: Path, tmp_path: Path
) -> None:
    """Of the key's 13 rows one has its words in a TextGrid alone, which is no layout of a named corpus."""
    root = corpus / "speech" / "mfa_corpus"
    found: list[Any] = []
    for pattern, suffix in (("*.lab", ".lab"), ("*.txt", ".txt")):
        for path in sorted(root.glob(pattern)):
            for extension in ("wav", "flac", "opus", "mp3"):
                options = TreeOptions(audio=f"{{id}}.{extension}", transcript="file", id_suffix=suffix)
                found += [
                    n for n in _read(TranscriptTree(options), root, path.name, tmp_path) if _is_there(root, n)
                ]
    assert len(found) == 12


def test_the_kaldi_directory_of_the_lists_is_read_with_names_below_where_it_was_written(
    corpus: Path, tmp_path: Path
) -> None:
    root = corpus / "speech" / "wenet"
    annotation = "test/resources/dataset/text"
    moved = Kaldi(KaldiOptions(strip_prefix="test/resources/dataset/", path_prefix="test/resources"))
    assert [n.media[0].name for n in _read(Kaldi(KaldiOptions()), root, annotation, tmp_path)] == [  # type: ignore[union-attr]
        "test/resources/dataset/aishell-BAC009S0724W0121.wav",
        "test/resources/dataset/librispeech-1995-1837-0001.wav",
    ]
    assert all(_is_there(root, n) for n in _read(moved, root, annotation, tmp_path))  # type: ignore[arg-type]


def test_a_real_shard_that_was_cut_is_named_and_its_whole_samples_can_be_kept(
    corpus: Path, tmp_path: Path
) -> None:
    root = corpus / "hostile" / "packed"
    with pytest.raises(SourceError, match="on_cut: keep"):
        _read(TarMembers(TarOptions()), root, "cut_shard.tar", tmp_path)
    found = _read(TarMembers(TarOptions(on_cut="keep")), root, "cut_shard.tar", tmp_path)
    assert isinstance(found[-1], Fault) and found[-1].error.rule == "annotation_cut"
    assert found[:-1]


def test_tars_of_other_members_are_refused_sample_by_sample(corpus: Path, tmp_path: Path) -> None:
    found = _read(
        TarMembers(TarOptions(key_ends_at="first_dot")),
        corpus / "packed" / "speechbrain_lang",
        "shard-000000.tar",
        tmp_path,
    )
    assert [fault.error.rule for fault in found if isinstance(fault, Fault)] == ["not_a_record"] * 3


def test_quotes_and_delimiters_of_a_hostile_table_are_letters_of_its_text(
    corpus: Path, tmp_path: Path
) -> None:
    options = TreeOptions(audio="{id}", delimiter="|", header=True)
    found = _read(TranscriptTree(options), corpus / "hostile" / "annotation", "quotes.csv", tmp_path)
    assert [each.turns[1]["value"] if isinstance(each, Native) else each.error.rule for each in found] == [
        'He said "hi',
        "pipe | inside",
        "",
        "not_a_record",
    ]
