"""Guessed cards of speech read the training splits alone, where a folder tells them apart; and Asterisk's prompts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.vita_data.test_guess import SOUND, call, guessed, write
from vita_data.manifest.find import load_source

LIBRI = {
    f"{split}/{n}/2/{n}-2{end}": value
    for n, split in enumerate(["dev-clean", "train-clean-100", "train-other-500"])
    for end, value in ((".trans.txt", f"{n}-2-0000 HELLO\n"), ("-0000.wav", SOUND))
}
SPLITS: dict[str, tuple[dict[str, Any], list[str], list[str] | None]] = {
    "LibriSpeech": (
        LIBRI,
        ["train-clean-100/1/2/1-2.trans.txt", "train-other-500/2/2/2-2.trans.txt"],
        ["train-clean-100", "train-other-500"],
    ),
    "AISHELL-1": (
        {
            "transcript/aishell_transcript_v0.8.txt": "BAC009S0002W0122 而\nBAC009S0764W0121 对\n",
            "wav/train/S0002/BAC009S0002W0122.wav": SOUND,
            "wav/test/S0764/BAC009S0764W0121.wav": SOUND,
        },
        ["transcript/aishell_transcript_v0.8.txt"],
        ["train"],
    ),
    "AISHELL-3": (
        {
            f"{split}/{name}": value
            for split in ("train", "test")
            for name, value in (
                ("content.txt", "SSB00050001.wav\t广 guang3\n"),
                ("wav/SSB0005/SSB00050001.wav", SOUND),
            )
        },
        ["train/content.txt"],
        None,
    ),
    "MLS": (
        {
            f"{split}/{name}": value
            for split in ("train", "dev", "test")
            for name, value in (
                ("transcripts.txt", "1_2_000000\thello\n"),
                ("audio/1/2/1_2_000000.wav", SOUND),
            )
        },
        ["train/transcripts.txt"],
        ["train"],
    ),
    "NeMo": (
        {
            f"{split}_manifest.json": 2
            * f"{json.dumps({'audio_filepath': 'a.wav', 'duration': 1.0, 'text': 'hello'})}\n"
            for split in ("train", "dev")
        }
        | {"a.wav": SOUND},
        ["train_manifest.json"],
        None,
    ),
    "GigaSpeech": (
        {
            "GigaSpeech.json": {
                "audios": [
                    {
                        "aid": "Y1",
                        "path": "a.wav",
                        "segments": [
                            {
                                "sid": f"Y1_{n}",
                                "speaker": "N/A",
                                "begin_time": 0.0,
                                "end_time": 0.5,
                                "text_tn": "HELLO",
                                "subsets": subsets,
                            }
                            for n, subsets in enumerate([["{XL}", "{L}"], ["{TEST}"]])
                        ],
                    }
                ]
            },
            "a.wav": SOUND,
        },
        ["GigaSpeech.json"],
        ["XL"],
    ),
}


@pytest.mark.parametrize("corpus", SPLITS)
def test_of_speech_only_the_training_splits_are_read_where_the_folder_names_them(
    tmp_path: Path, corpus: str
) -> None:
    files, annotations, splits = SPLITS[corpus]
    card = guessed(write(tmp_path / "c", files))
    assert list(card.annotations) == annotations
    assert card.options.get("splits") == splits
    said = json.loads(call("sources", "add", tmp_path / "c", "--force", "--name", "c", "--json").stdout)
    assert any("alone" in line for line in said["guessed_from"])


def test_a_folder_of_evaluation_sets_alone_is_read_as_it_is(tmp_path: Path) -> None:
    files = {name: value for name, value in LIBRI.items() if name.startswith("dev")}
    card = guessed(write(tmp_path / "c", files))
    assert (list(card.annotations), "splits" in card.options) == (["dev-clean/0/2/0-2.trans.txt"], False)


def test_training_splits_too_deep_for_the_look_are_found_by_their_names(tmp_path: Path) -> None:
    many = {f"dev-clean/{n}/2/{n}-2.trans.txt": f"{n}-2-0000 HELLO\n" for n in range(401)}
    many |= {f"dev-clean/{n}/2/{n}-2-0000.wav": SOUND for n in range(20)}
    card = guessed(write(tmp_path / "c", {**many, **LIBRI}))
    assert card.options["splits"] == ["train-clean-100", "train-other-500"]
    assert list(card.annotations) == SPLITS["LibriSpeech"][1]


def test_prompts_of_asterisk_are_guessed_with_their_folders_and_their_own_format(tmp_path: Path) -> None:
    lines = "; Sounds\n\nhello: Hello: who is there?\ndigits/1: one\nnobody: gone\n"
    files = {"core-sounds-en.txt": lines, "en/hello.g722": SOUND, "en/digits/1.wav": SOUND}
    added = call("sources", "add", write(tmp_path / "c", files), "--name", "made")
    assert added.exit_code == 0 and "as Asterisk's prompts have them" in added.stdout
    card = load_source(str(tmp_path / "c/made.yaml"))
    assert dict(card.options) == {"audio": "en/{id}.*", "delimiter": ": ", "skip_lines": "^;"}
    assert card.kind == "tts"
