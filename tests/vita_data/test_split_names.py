"""A record's split is what it says itself; else what its file's path says in the way of publishers; else unknown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.sources.split_names import split_of, split_of_folder

PUBLISHED = {
    "train-clean-100/103/1240/103-1240.trans.txt": "train-clean-100",
    "data/train_l/text": "train_l",
    "TEST_NET/text": "TEST_NET",
    "data/train-00000-of-00084.parquet": "train",
    "clean/train.100/0000.parquet": "train.100",
    "data/validation-00000-of-00001.parquet": "validation",
    "train_manifest.json": "train",
    "manifest_dev.json": "dev",
    "tokenized_train_manifest.json": "train",
    "train-clean-100.json": "train-clean-100",
    "data/train/data.list": "train",
    "librispeech_supervisions_train-clean-100.jsonl.gz": "train-clean-100",
    "wenetspeech_cuts_L.jsonl.gz": "L",
    "gigaspeech_supervisions_XL.jsonl.gz": "XL",
    "validated.tsv": "validated",
    "train_weak_labels.json": "train_weak",
    "train/train_human.json": "train_human",
    "train/metadata.jsonl": "train",
    "annotations/captions_val2014.json": "val2014",
    "cc3m-train-0003.tar": "train",
    "train/dev.json": "dev",
}
SILENT = [
    "data.jsonl",
    "llava_v1_5_mix665k.json",
    "WenetSpeech.json",
    "EN/EN_B00001.tar",
    "trans.txt",
    "cuts.jsonl",
]
SILENT += [
    "latest.json",
    "contest/trains.json",
    "devices/retest.csv",
    "my_test_of_it.json",
    "cuts_all.jsonl.gz",
    "",
]


@pytest.mark.parametrize(("path", "split"), PUBLISHED.items())
def test_a_path_names_its_split_as_publishers_write_it(path: str, split: str) -> None:
    assert split_of(path) == split
    assert split_of(f"corpus-1.0/zh/{path}") == split


@pytest.mark.parametrize("path", SILENT)
def test_a_path_that_names_no_split_says_nothing(path: str) -> None:
    assert split_of(path) is None
    assert split_of(f"corpus/{path}") is None


@pytest.mark.parametrize(
    ("said", "split"),
    [
        ("dev", "dev"),
        (" L ", "L"),
        (None, "train"),
        ("", "train"),
        ("N/A", "train"),
        (2, "train"),
        (["dev"], "train"),
    ],
)
def test_what_a_record_says_in_words_goes_before_its_file(said: Any, split: str) -> None:
    assert split_of("train.jsonl", said) == split


def test_of_files_that_are_named_as_ids_only_the_folders_count() -> None:
    assert split_of_folder("train/1/test.txt") == "train"
    assert split_of_folder("train/dev/text") == "dev"
    assert split_of_folder("test.txt") is None


@given(st.text(max_size=60))
def test_any_path_names_a_part_of_itself_or_nothing(path: str) -> None:
    assert (split_of(path) or "") in path
    assert split_of_folder(path) is None or f"{split_of_folder(path)}" in path.rpartition("/")[0]
