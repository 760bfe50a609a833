"""Kaldi directories: four files joined by their ids, and pipes read as the file they decode but never run."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.natives import assert_ends_well, damaged, natives, read_all, rules
from vita_data.errors import RecordError, SourceError
from vita_data.sources import jsonfiles
from vita_data.sources.base import Fault, Medium, Native
from vita_data.sources.kaldi import Kaldi, KaldiOptions
from vita_data.sources.kaldi_pipes import file_of
from vita_data.sources.lookup import Lookup

TEXT = "spk1-rec1-0001 今天 天气\nspk1-rec1-0002 HELLO THERE\nspk2-rec2-0001 你 好\n"
SEGMENTS = "spk1-rec1-0001 rec1 0.0 1.52\nspk1-rec1-0002 rec1 1.52 3\nspk2-rec2-0001 rec2 0 -1\n"
SCP = "rec1 wav/rec1.wav\nrec2 flac -c -d -s wav/rec2.flac |\n"
SPEAKERS = "spk1-rec1-0001 spk1\nspk1-rec1-0002 spk1\nspk2-rec2-0001 spk2\n"


def _write(folder: Path, **files: str | bytes | None) -> str:
    """A data directory; a file given as None is left out."""
    given: dict[str, Any] = {"text": TEXT, "wav.scp": SCP, "segments": SEGMENTS, "utt2spk": SPEAKERS}
    given |= {name.replace("wav_scp", "wav.scp"): value for name, value in files.items()}
    (folder / "train").mkdir(exist_ok=True)
    for name, value in given.items():
        (folder / "train" / name).unlink(missing_ok=True)
        if value is not None:
            (folder / "train" / name).write_bytes(value.encode() if isinstance(value, str) else value)
    return "train/text"


def _read(
    folder: Path, options: KaldiOptions | None = None, **files: str | bytes | None
) -> list[Native | Fault]:
    return read_all(Kaldi(options or KaldiOptions()), folder, _write(folder, **files))


def _rules(folder: Path, **files: str | bytes | None) -> list[str]:
    return rules(Kaldi(KaldiOptions()), folder, _write(folder, **files))


def test_utterances_are_segments_of_their_recordings_with_a_speaker_each(tmp_path: Path) -> None:
    found = natives(Kaldi(KaldiOptions()), tmp_path, _write(tmp_path))
    assert [native.native_id for native in found] == [f'"{line.split()[0]}"' for line in TEXT.splitlines()]
    assert [native.media for native in found] == [
        [Medium("audio", "wav/rec1.wav", start=0.0, end=1.52)],
        [Medium("audio", "wav/rec1.wav", start=1.52, end=3.0)],
        [Medium("audio", "wav/rec2.flac", start=0.0, end=None)],
    ]
    assert [native.speaker for native in found] == ["spk1", "spk1", "spk2"]
    assert {native.split for native in found} == {"train"}
    assert [native.turns[1]["value"] for native in found] == ["今天 天气", "HELLO THERE", "你 好"]


def test_without_segments_every_utterance_is_a_recording(tmp_path: Path) -> None:
    scp = "".join(f"{line.split()[0]} {n}.wav\n" for n, line in enumerate(TEXT.splitlines()))
    found = natives(
        Kaldi(KaldiOptions()), tmp_path, _write(tmp_path, wav_scp=scp, segments=None, utt2spk=None)
    )
    assert [native.media for native in found] == [[Medium("audio", f"{n}.wav")] for n in range(3)]
    assert [native.speaker for native in found] == [None] * 3


def test_the_files_may_be_in_any_order(tmp_path: Path) -> None:
    whole = _read(tmp_path)
    shuffled = {}
    for name, value in {"wav_scp": SCP, "segments": SEGMENTS, "utt2spk": SPEAKERS}.items():
        lines = value.splitlines(keepends=True)
        random.Random(name).shuffle(lines)
        shuffled[name] = "".join(lines[::-1])
    assert _read(tmp_path, **shuffled) == whole


def test_absolute_paths_are_names_below_the_root_once_the_card_says_what_stands_for_it(
    tmp_path: Path,
) -> None:
    scp = "rec1 /export/corpora/x/rec1.wav\nrec2 sox /export/corpora/x/rec2.wav -t wav - |\n"
    assert _rules(tmp_path, wav_scp=scp) == ["path_outside_root"] * 3
    found = _read(tmp_path, KaldiOptions(strip_prefix="/export/corpora/"), wav_scp=scp)
    assert [each.media[0].name for each in found] == ["x/rec1.wav"] * 2 + ["x/rec2.wav"]  # type: ignore[union-attr]
    found = _read(tmp_path, KaldiOptions(strip_prefix="/export/corpora", path_prefix="audio"), wav_scp=scp)
    assert found[2].media[0].name == "audio/x/rec2.wav"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("segment", "rule"),
    [
        ("rec1 1.52 1.52", "segment_outside"),
        ("rec1 2 1", "segment_outside"),
        ("rec1 -1 1", "segment_outside"),
        ("rec1 a b", "not_a_record"),
        ("rec1 nan 1", "not_a_record"),
        ("rec1 0 inf", "not_a_record"),
        ("rec1 0", "not_a_record"),
        ("", "not_a_record"),
        ("rec1 0 1 1", "one_channel"),
        ("rec1 0 1 1 1", "not_a_record"),
        ("nobody 0 1", "not_a_record"),
    ],
)
def test_a_segment_that_is_none_costs_its_utterance_only(tmp_path: Path, segment: str, rule: str) -> None:
    lines = SEGMENTS.splitlines()
    lines[1] = f"spk1-rec1-0002 {segment}"
    assert _rules(tmp_path, segments="\n".join(lines)) == ["今天 天气", rule, "你 好"]


def test_an_utterance_without_a_line_in_a_neighbouring_file_is_a_fault(tmp_path: Path) -> None:
    assert _rules(tmp_path, segments=SEGMENTS.replace("spk1-rec1-0002", "other")) == [
        "今天 天气",
        "not_a_record",
        "你 好",
    ]
    assert _rules(tmp_path, wav_scp="rec2 a.wav\n") == ["not_a_record", "not_a_record", "你 好"]
    assert _rules(tmp_path, wav_scp="rec1\nrec2 a.wav\n") == ["not_a_record", "not_a_record", "你 好"]
    assert _read(tmp_path, utt2spk="spk2-rec2-0001 spk2\n")[0].speaker is None  # type: ignore[union-attr]


def test_an_id_that_a_file_explains_in_two_ways_is_refused_and_one_said_twice_is_not(tmp_path: Path) -> None:
    assert _rules(tmp_path, wav_scp=SCP + "rec1 other.wav\n") == ["ambiguous_id", "ambiguous_id", "你 好"]
    assert _rules(tmp_path, segments=SEGMENTS + "spk1-rec1-0001 rec1 9 10\n") == [
        "ambiguous_id",
        "HELLO THERE",
        "你 好",
    ]
    assert _rules(tmp_path, utt2spk=SPEAKERS + "spk2-rec2-0001 spk1\n") == [
        "今天 天气",
        "HELLO THERE",
        "ambiguous_id",
    ]
    assert _rules(tmp_path, wav_scp=SCP + SCP, segments=SEGMENTS * 2) == ["今天 天气", "HELLO THERE", "你 好"]


def test_an_utterance_that_stands_twice_in_text_is_two_records(tmp_path: Path) -> None:
    found = _read(tmp_path, text=TEXT + TEXT.splitlines()[0])
    assert [each.position for each in found] == [0, 1, 2, 3]
    assert found[0].native_id == found[3].native_id


def test_line_ends_blank_lines_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    whole = _read(tmp_path)
    changed = {
        name: b"\xef\xbb\xbf" + value.replace("\n", "\r\n\r\n").encode()
        for name, value in {"text": TEXT, "wav_scp": SCP, "segments": SEGMENTS, "utt2spk": SPEAKERS}.items()
    }
    assert _read(tmp_path, **changed) == whole


def test_tabs_part_the_columns_and_stay_inside_a_text(tmp_path: Path) -> None:
    found = _read(tmp_path, text=TEXT.replace(" ", "\t", 1), wav_scp=SCP.replace(" ", "\t", 1))
    assert found[0].turns[1]["value"] == "今天 天气"  # type: ignore[union-attr]
    assert _rules(tmp_path, text="spk1-rec1-0001 a\tb\n") == ["a\tb"]


def test_an_utterance_without_words_says_nothing(tmp_path: Path) -> None:
    assert _rules(tmp_path, text="spk1-rec1-0001\nspk1-rec1-0002 <SIL>\n") == ["", "<SIL>"]


def test_bytes_that_are_not_utf8_cost_the_utterances_they_belong_to(tmp_path: Path) -> None:
    assert _rules(tmp_path, text=TEXT.encode("gb18030")) == ["not_utf8", "HELLO THERE", "not_utf8"]
    assert _rules(tmp_path, wav_scp=SCP.encode().replace(b"rec2.flac", b"r\xe9c")) == [
        "今天 天气",
        "HELLO THERE",
        "not_utf8",
    ]


def test_a_directory_without_recordings_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"wav\.scp is not there"):
        _read(tmp_path, wav_scp=None)


@pytest.mark.parametrize("records", [1, 2])
def test_the_join_reads_alike_however_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, records: int
) -> None:
    whole = _read(tmp_path)
    monkeypatch.setattr(jsonfiles, "SLICE_RECORDS", records)
    assert _read(tmp_path) == whole


@pytest.mark.parametrize(
    ("entry", "file"),
    [
        ("a.wav", "a.wav"),
        (" my folder/a b.wav ", "my folder/a b.wav"),
        ("ffmpeg -i a.mp3 -f wav -ar 16000 -ab 16 - |", "a.mp3"),
        (
            "/usr/bin/ffmpeg -nostdin -loglevel quiet -i 'a b.opus' -ac 1 -ar 16000 -f wav pipe:1 |",
            "a b.opus",
        ),
        ("ffmpeg -v 8 -i a.m4a -f wav -acodec pcm_s16le -|", "a.m4a"),
        ("sox a.sph -t wav - |", "a.sph"),
        ("sox -t mp3 a.mp3 -t wav -r 16000 -b 16 - |", "a.mp3"),
        ("sox a.wav -t wav - rate 16000 |", "a.wav"),
        ("sox -q -V1 a.flac -r 16k -c 1 -t wav - |", "a.flac"),
        ("flac -c -d -s a.flac |", "a.flac"),
        ("flac -cds a.flac|", "a.flac"),
        ("/opt/sph2pipe_v2.5/sph2pipe -f wav -p a.sph |", "a.sph"),
        ("sph2pipe -f wav a.sph - |", "a.sph"),
        ("cat a.wav |", "a.wav"),
    ],
)
def test_pipes_that_only_decode_are_read_as_their_file(entry: str, file: str) -> None:
    assert file_of(entry) == file


@pytest.mark.parametrize(
    "entry",
    [
        "|",
        "-",
        "| cat",
        "rm -rf / |",
        "cat a.wav; rm -rf / |",
        "sox a.wav -t wav - | sox - -t wav - |",
        "sox $(id) -t wav - |",
        "sox `id` -t wav - |",
        "sox a.wav -t wav - > /etc/passwd |",
        "sox ~/a.wav -t wav - |",
        "sox a.wav -t wav - speed 0.9 |",
        "sox a.wav -t wav - trim 1 2 |",
        "sox a.wav -t wav - remix 2 |",
        "sox --vol 0.5 a.wav -t wav - |",
        "sox a.wav b.wav |",
        "sox -m a.wav b.wav -t wav - |",
        "sox - -t wav - |",
        "ffmpeg -ss 10 -t 5 -i a.mp3 -f wav - |",
        "ffmpeg -i a.mp3 -af atempo=2 -f wav - |",
        "ffmpeg -i a.mp3 -i b.mp3 -f wav - |",
        "ffmpeg -i a.mp3 out.wav |",
        "ffmpeg -i a.mp3 -f |",
        "sph2pipe -f wav -c 2 a.sph |",
        "sph2pipe -f wav a.sph b.wav |",
        "flac -c -d -s a.flac b.flac |",
        "flac -c -d --until=10 a.flac |",
        "wav-copy a.ark:17 - |",
        "bash -c 'sox a.wav -t wav -' |",
        'flac -c -d -s "a.flac |',
        "a.ark:1234",
        "raw_mfcc.ark:12[3:4]",
    ],
)
def test_every_other_command_is_refused_and_never_run(entry: str) -> None:
    with pytest.raises(RecordError) as caught:
        file_of(entry)
    assert caught.value.rule == "pipe_command"


def test_a_command_in_a_list_is_not_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    assert (
        _rules(tmp_path, wav_scp=f"rec1 touch {witness} |\nrec2 touch {witness}; cat a.wav |\n")
        == ["pipe_command"] * 3
    )
    assert not witness.exists()


def test_a_table_larger_than_its_cache_answers_from_disk() -> None:
    with Lookup() as table:
        table.fill((f"key{n % 40_000}", str(n % 40_000)) for n in range(60_000))
        table.fill([("\ud83d", "half"), ("twice", "a"), ("twice", "b"), ("twice", "a")])
        assert table.get("key39999", "it") == "39999"
        assert table.get("nobody", "it") is None
        assert table.get("\ud83d", "it") == "half"
        with pytest.raises(RecordError, match="'twice' twice"):
            table.get("twice", "it")


FILES = {"text": TEXT, "wav.scp": SCP, "segments": SEGMENTS, "utt2spk": SPEAKERS}


@settings(max_examples=150, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(FILES)))
def test_any_bytes_in_any_file_end_in_records_and_faults(data: st.DataObject, name: str) -> None:
    files = {each: value.encode() for each, value in FILES.items()}
    files[name] = data.draw(damaged(files[name]))
    assert_ends_well(Kaldi(KaldiOptions()), files, "text")


@settings(max_examples=300, deadline=None)
@given(
    words=st.lists(
        st.sampled_from(
            [
                "sox",
                "ffmpeg",
                "-i",
                "-t",
                "wav",
                "-",
                "a.wav",
                "flac",
                "-c",
                "'",
                "|",
                ";",
                "$x",
                "rate",
                "16k",
            ]
        )
        | st.text(max_size=4),
        max_size=8,
    )
)
def test_whatever_a_pipe_says_it_is_a_plain_name_or_refused(words: list[str]) -> None:
    try:
        name = file_of(" ".join(words) + " |")
    except RecordError as error:
        assert error.rule == "pipe_command"
    else:
        assert name and not name.startswith("-") and not set(name) & set(";|&$`<>\n")
