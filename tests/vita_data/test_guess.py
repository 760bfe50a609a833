"""Folders in the layouts of corpora: the adapter is guessed, the card loads, and the check of it passes."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from tests.factories import noise, record
from tests.sounds import made as sound_file
from tests.sounds import speechlike
from vita_data.cli.main import main
from vita_data.manifest.find import load_source
from vita_data.manifest.source import SourceCard
from vita_data.sources.registry import ADAPTERS, checked_options

SOUND = sound_file("wav", speechlike(1.0, 16_000), 16_000)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def guessed(folder: Path) -> SourceCard:
    """The card of a folder, once the check of it has passed."""
    card = folder.parent / f"{folder.name}-card.yaml"
    added = call("sources", "add", folder, "--out", card, "--name", "made")
    assert added.exit_code == 0, added.output
    checked = call("sources", "check", card)
    assert checked.exit_code == 0, checked.output
    return load_source(str(card))


def write(folder: Path, files: dict[str, Any]) -> Path:
    """A folder of files: bytes, texts, lists of records (JSON Lines by their name, else an array) and objects."""
    for name, value in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, bytes):
            path.write_bytes(value)
        elif isinstance(value, str):
            path.write_text(value, encoding="utf-8")
        elif name.endswith((".jsonl", ".list")):
            path.write_text("".join(json.dumps(each) + "\n" for each in value))
        else:
            path.write_text(json.dumps(value))
    return folder


def pictures(folder: Path, *names: str) -> None:
    for name in names:
        noise(folder / name, name, side=32)


TURNS: dict[str, dict[str, Any]] = {
    "conversations": {"conversations": [{"from": "human", "value": "Q?"}, {"from": "gpt", "value": "A."}]},
    "messages": {"messages": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}]},
    "QA": {"QA": [{"i": "", "q": "Q?", "a": "A."}]},
    "alpaca": {"instruction": "Q?", "input": "", "output": "A."},
    "data": {"data": ["Q?", "A."]},
}


@pytest.mark.parametrize("form", ["array.json", "lines.jsonl", "lines.json"])
@pytest.mark.parametrize("dialect", TURNS)
def test_conversations_are_guessed_in_every_dialect_and_form(tmp_path: Path, dialect: str, form: str) -> None:
    records = [{"id": n, **TURNS[dialect]} for n in range(5)]
    value: Any = records
    if form == "lines.json":
        value = "".join(json.dumps(each) + "\n" for each in records)
    card = guessed(write(tmp_path / "c", {form: value}))
    assert card.adapter == "llava_json" and card.options["turns"] == dialect
    assert (card.row.scenario, card.kind, card.language) == ("Pure Text", "qa", "en")


def test_turns_under_other_keys_are_guessed(tmp_path: Path) -> None:
    records = [{"id": n, "conversation": [{"human": "Q?", "assistant": "A."}]} for n in range(4)]
    card = guessed(write(tmp_path / "c", {"x.jsonl": records}))
    assert card.options["turns_key"] == "conversation"
    assert card.options["keys"] == {"q": "human", "a": "assistant"}


def test_the_folder_of_pictures_is_guessed(tmp_path: Path) -> None:
    pictures(tmp_path / "c", "some/where/a.png", "some/where/b.png")
    records = [record(n, "Describe this.", "A dog.", f"{n}.png") for n in "ab"]
    card = guessed(write(tmp_path / "c", {"x.json": records}))
    assert card.options["media_root"] == "some/where"
    assert (card.row.scenario, card.kind) == ("General Image", "caption")


def test_pictures_in_a_zip_are_guessed_with_their_prefix(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png")
    folder = write(
        tmp_path / "c", {"x.json": [record(n, "What?", "A dog.", f"coco/train/{n}.png") for n in "ab"]}
    )
    with zipfile.ZipFile(folder / "train.zip", "w") as archive:
        for name in "ab":
            archive.write(tmp_path / f"{name}.png", f"train/{name}.png")
    card = guessed(folder)
    assert [place.inside for place in card.media.places] == ["train.zip"]
    assert card.media.places[0].prefix == "coco/"


def test_names_that_begin_with_the_folders_own_make_its_parent_the_root(tmp_path: Path) -> None:
    pictures(tmp_path / "c", "images/a.png")
    card = guessed(write(tmp_path / "c", {"x.json": [record("a", "What?", "A dog.", "c/images/a.png")]}))
    assert card.annotations == ("c/x.json",)


def test_captions_of_numbered_pictures_are_guessed_as_coco_names_them(tmp_path: Path) -> None:
    pictures(tmp_path / "c", "val2014/COCO_val2014_000000000042.png")
    rows = {"images": [{"id": 42}], "annotations": [{"image_id": 42, "id": 1, "caption": "A dog."}]}
    card = guessed(write(tmp_path / "c", {"annotations/captions.json": rows}))
    assert card.options["image"] == "val2014/COCO_val2014_{image_id:012}.png"
    assert card.options["items_path"] == "annotations" and card.kind == "caption"


def test_media_named_by_an_id_are_guessed_though_one_is_missing(tmp_path: Path) -> None:
    pictures(tmp_path / "c", "pics/aa.png", "pics/bb.png")
    rows = [{"q": "What?", "a": "A dog.", "image_id": each} for each in ("aa", "bb", "cc")]
    card = guessed(write(tmp_path / "c", {"x.json": rows}))
    assert card.options["image"] == "pics/{image_id}.png"


def test_an_object_of_problems_is_guessed_as_scienceqa(tmp_path: Path) -> None:
    pictures(tmp_path / "c", "train/1/image.png")
    row = {"question": "Which?", "choices": ["a", "b"], "answer": 1, "image": "image.png", "split": "train"}
    card = guessed(write(tmp_path / "c", {"problems.json": {"1": row}}))
    assert card.adapter == "qa_rows" and card.options["format"] == "object"
    assert card.options["answer_is"] == "index" and card.options["image"] == "{split}/{id}/{image}"


def test_tables_are_guessed_by_their_columns(tmp_path: Path) -> None:
    pictures(tmp_path / "c", "a.png")
    card = guessed(write(tmp_path / "c", {"x.tsv": "image\tquestion\tanswer\na.png\tWhat?\tA dog.\n"}))
    assert card.adapter == "qa_rows" and card.options["question"] == "question"
    card = guessed(write(tmp_path / "d", {"x.csv": 'instruction,input,output\n"Say, hi",,Hi\n'}))
    assert card.options["question"] == "{instruction}\n{input}"


LABELS = [{"transcription": "ABC", "points": [[0, 0], [9, 0], [9, 9], [0, 9]]}]
OCR: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "LSVT": ({"l.json": {"a": LABELS}}, {"layout": "keyed"}),
    "AnyWord": (
        {
            "d.json": {
                "data_list": [{"img_name": "a.jpg", "annotations": [{"text": "A", "polygon": [[0, 0]] * 4}]}]
            }
        },
        {"layout": "list", "text_key": "text"},
    ),
    "PPOCRLabel": ({"Label.txt": f"pics/a.jpg\t{json.dumps(LABELS)}\n"}, {"layout": "tabbed"}),
    "WildReceipt": (
        {
            "train.txt": json.dumps({"file_name": "a.jpg", "annotations": [{"box": [0] * 8, "text": "A"}]})
            + "\n"
        },
        {"layout": "lines", "polygon_key": "box"},
    ),
}


@pytest.mark.parametrize("layout", OCR)
def test_labels_of_text_are_guessed_in_each_layout(tmp_path: Path, layout: str) -> None:
    noise(tmp_path / "c/pics/a.png", "a", side=32)
    (tmp_path / "c/pics/a.png").rename(tmp_path / "c/pics/a.jpg")
    files, options = OCR[layout]
    card = guessed(write(tmp_path / "c", files))
    assert card.adapter == "ocr_json" and options.items() <= dict(card.options).items()
    assert card.row.scenario == "OCR & Diagram"


def test_donuts_pages_are_guessed(tmp_path: Path) -> None:
    pictures(tmp_path / "c", "train/a.png")
    truth = json.dumps({"gt_parse": {"text_sequence": "words"}})
    card = guessed(
        write(tmp_path / "c", {"train/metadata.jsonl": [{"file_name": "a.png", "ground_truth": truth}]})
    )
    assert card.adapter == "donut"


def _parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def test_parquet_is_guessed_by_what_its_cells_hold(tmp_path: Path) -> None:
    noise(tmp_path / "a.png", 1, side=32)
    cell = {"bytes": (tmp_path / "a.png").read_bytes(), "path": None}
    turns = TURNS["conversations"]["conversations"]
    _parquet(tmp_path / "c/x.parquet", [{"id": "1", "image": cell, "conversations": turns}])
    card = guessed(tmp_path / "c")
    assert card.adapter == "hf_parquet" and card.options["turns_column"] == "conversations"
    _parquet(tmp_path / "d/x.parquet", [{"picture": cell, "question": "What?", "answer": "A dog."}])
    card = guessed(tmp_path / "d")
    assert card.options["image_column"] == "picture" and card.options["question_column"] == "question"
    _parquet(tmp_path / "e/x.parquet", [{"audio": {"bytes": SOUND, "path": "a.wav"}, "text": "hello"}])
    card = guessed(tmp_path / "e")
    assert card.options["text_column"] == "text" and card.kind == "asr"


def _tar(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def test_tars_of_samples_are_guessed(tmp_path: Path) -> None:
    _tar(tmp_path / "c/0.tar", {"a.txt": b"hello", "a.wav": SOUND, "b.txt": b"bye", "b.wav": SOUND})
    assert guessed(tmp_path / "c").adapter == "tar_members"
    facts = json.dumps({"id": "E1", "text": "hello", "speaker": "s", "language": "en"}).encode()
    _tar(tmp_path / "d/0.tar", {"a.json": facts, "a.wav": SOUND})
    card = guessed(tmp_path / "d")
    assert card.options["text_key"] == "text" and card.options["speaker_key"] == "speaker"


SPEECH: dict[str, tuple[dict[str, Any], str, str]] = {
    "LibriSpeech": (
        {"train/19/198/19-198.trans.txt": "19-198-0000 HELLO\n", "train/19/198/19-198-0000.wav": SOUND},
        "transcript_tree",
        "asr",
    ),
    "LibriTTS": (
        {
            "train/1/2/1_2.trans.tsv": "1_2_000003_000000\thello\tHello.\n",
            "train/1/2/1_2_000003_000000.wav": SOUND,
        },
        "transcript_tree",
        "tts",
    ),
    "AISHELL-1": (
        {
            "transcript/aishell_transcript_v0.8.txt": "BAC009S0002W0122 而 对\n",
            "wav/train/S0002/BAC009S0002W0122.wav": SOUND,
        },
        "transcript_tree",
        "asr",
    ),
    "AISHELL-2": (
        {"iOS/trans.txt": "IC0001W0001\t厨房用品\n", "iOS/wav/C0001/IC0001W0001.wav": SOUND},
        "transcript_tree",
        "asr",
    ),
    "AISHELL-3": (
        {
            "train/content.txt": "SSB00050001.wav\t广 guang3 州 zhou1\n",
            "train/wav/SSB0005/SSB00050001.wav": SOUND,
        },
        "transcript_tree",
        "tts",
    ),
    "MLS": (
        {"train/transcripts.txt": "1_2_000000\thello\n", "train/audio/1/2/1_2_000000.wav": SOUND},
        "transcript_tree",
        "asr",
    ),
    "LJSpeech": (
        {"metadata.csv": 'LJ001-0001|"One" 1|one one\n', "wavs/LJ001-0001.wav": SOUND},
        "transcript_tree",
        "tts",
    ),
    "VCTK": (
        {"txt/p225/p225_001.txt": "Hello.", "wav48_silence_trimmed/p225/p225_001_mic1.flac": SOUND},
        "transcript_tree",
        "tts",
    ),
    "Kaldi": (
        {"data/text": "u1 hello\n", "data/wav.scp": "u1 data/wav/u1.wav\n", "data/wav/u1.wav": SOUND},
        "kaldi",
        "asr",
    ),
    "NeMo": (
        {"m.jsonl": [{"audio_filepath": "w/a.wav", "text": "hello", "duration": 1.0}], "w/a.wav": SOUND},
        "manifest",
        "asr",
    ),
    "NeMo of another machine": (
        {"m.jsonl": [{"audio_filepath": "/data/x/w/a.wav", "text": "hello"}], "w/a.wav": SOUND},
        "manifest",
        "asr",
    ),
    "WeNet": (
        {"data.list": [{"key": "a", "wav": "w/a.wav", "txt": "hello"}], "w/a.wav": SOUND},
        "manifest",
        "asr",
    ),
    "Common Voice": (
        {"en/train.tsv": "client_id\tpath\tsentence\ns\ta.wav\tHello.\n", "en/clips/a.wav": SOUND},
        "manifest",
        "asr",
    ),
    "WenetSpeech": (
        {
            "W.json": {
                "audios": [
                    {
                        "path": "audio/a.wav",
                        "segments": [
                            {
                                "sid": "a1",
                                "begin_time": 0.0,
                                "end_time": 0.9,
                                "text": "你好",
                                "subsets": ["L"],
                            }
                        ],
                    }
                ]
            },
            "audio/a.wav": SOUND,
        },
        "segmented_json",
        "asr",
    ),
    "lhotse": (
        {
            "cuts.jsonl": [
                {
                    "id": "c",
                    "start": 0.0,
                    "duration": 0.9,
                    "channel": 0,
                    "type": "MonoCut",
                    "supervisions": [
                        {
                            "id": "s",
                            "recording_id": "r",
                            "start": 0.0,
                            "duration": 0.9,
                            "text": "hello",
                            "channel": 0,
                        }
                    ],
                    "recording": {
                        "id": "r",
                        "sources": [{"type": "file", "channels": [0], "source": "a.wav"}],
                        "sampling_rate": 16000,
                        "num_samples": 16000,
                        "duration": 1.0,
                    },
                }
            ],
            "a.wav": SOUND,
        },
        "manifest",
        "asr",
    ),
}


@pytest.mark.parametrize("layout", SPEECH)
def test_speech_is_guessed_in_each_layout(tmp_path: Path, layout: str) -> None:
    files, adapter, kind = SPEECH[layout]
    card = guessed(write(tmp_path / "c", files))
    assert (card.adapter, card.kind, card.row.scenario) == (adapter, kind, "Speech")
    assert card.case == ("upper" if layout == "LibriSpeech" else "as_written")


def test_what_was_guessed_from_is_said_and_stands_in_the_card(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "c", {"x.jsonl": [{"id": 1, **TURNS["messages"]}], "y.jsonl": [TURNS["alpaca"]]}
    )
    said = call("sources", "add", folder).stdout
    assert "- turns of role and content under 'messages' in x.jsonl" in said
    assert "left out: y.jsonl as llava_json" in said
    assert "# - turns of role and content under 'messages' in x.jsonl" in (folder / "c.yaml").read_text()
    other = call("sources", "add", folder, "--annotations", "y.jsonl", "--name", "other", "--json")
    told = json.loads(other.stdout)
    assert told["source"] == "other" and told["annotations"] == ["y.jsonl"] and told["guessed_from"]


def test_a_card_that_is_there_is_kept_unless_forced(tmp_path: Path) -> None:
    folder = write(tmp_path / "c", {"x.jsonl": [{"id": 1, **TURNS["messages"]}]})
    assert call("sources", "add", folder).exit_code == 0
    again = call("sources", "add", folder)
    assert again.exit_code == 2 and "--force" in again.stderr
    assert call("sources", "add", folder, "--force").exit_code == 0


def test_a_source_cannot_be_named_like_a_verb(tmp_path: Path) -> None:
    folder = write(tmp_path / "check", {"x.jsonl": [{"id": 1, **TURNS["messages"]}]})
    said = call("sources", "add", folder)
    assert said.exit_code == 2 and "is a command" in said.stderr
    assert call("sources", "add", folder, "--name", "mine").exit_code == 0


def test_a_folder_that_holds_nothing_to_read_is_told_what_was_looked_for(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "c",
        {"readme.txt": "Some words.\n", "x.json": "[1, 2", "y.csv": "\0\0", "z.parquet": b"no"},
    )
    said = call("sources", "add", folder)
    assert said.exit_code == 1 and "holds nothing that an adapter reads" in said.stderr


def test_init_writes_the_same_card_and_a_mixture_of_it(tmp_path: Path) -> None:
    pictures(tmp_path / "c", "images/a.png")
    folder = write(tmp_path / "c", {"x.json": [record("a", "Describe this.", "A dog.", "a.png")]})
    said = json.loads(call("init", folder, "--json").stdout)
    assert said["sources"] == ["c"]
    card = load_source(str(folder / "c.yaml"))
    assert card.options["media_root"] == "images" and card.kind == "caption"
    plan = call("plan", "--stage", "1.3", "--mixture", folder / "mixture.yaml")
    assert plan.exit_code == 0, plan.output


# folder of the corpus -> adapter; None where no adapter has the layout, or what it needs is not there
REAL: dict[str, str | None] = {
    "image/DocLLM": "qa_rows",
    "image/MATH-V": "qa_rows",
    "image/ai_challenger": "qa_rows",
    "image/allava_laion": "llava_json",
    "image/coco": "qa_rows",
    "image/data_juicer": "hf_parquet",
    "image/llamafactory": "llava_json",
    "image/llava_instruct": "llava_json",
    "image/sharegpt4v": "llava_json",
    "image/vqav2": None,  # answers in a second file
    "ocr/LSVT": "ocr_json",
    "ocr/anyword": "ocr_json",
    "ocr/ppocr_label": "ocr_json",
    "ocr/synthdog": "donut",
    "ocr/textrecog_mmocr": "ocr_json",
    "ocr/DocBank_samples": None,  # one file of words and boxes for each picture
    "ocr/icdar2015_mmocr": None,  # boxes without text
    "ocr/publaynet": None,  # regions without text
    "speech/BZNSYP": "transcript_tree",
    "speech/asterisk-core-sounds-en": "transcript_tree",
    "speech/GigaSpeech": "segmented_json",
    "speech/LJSpeech-1.1": "transcript_tree",
    "speech/LJSpeech-mp3-flac": "transcript_tree",
    "speech/LibriSpeech": "transcript_tree",
    "speech/WenetSpeech": "segmented_json",
    "speech/cv-corpus-mini": "manifest",
    "speech/data_aishell": "transcript_tree",
    "speech/data_aishell3": "transcript_tree",
    "speech/funasr_list": "manifest",
    "speech/mfa_corpus": "transcript_tree",
    "speech/speechbrain_json": "manifest",
    "speech/sphinx_cards": "transcript_tree",
    "speech/wenet": "tar_members",
    "speech/llama_omni": None,  # questions without answers
    "packed/LLaVA-OneVision-Data": "hf_parquet",
    "packed/cc3m": "tar_members",
    "packed/cc3m_tsv": None,  # addresses instead of pictures
    "packed/laion_urls": None,
    "text/data_juicer": "llava_json",
    "text/llamafactory": "llava_json",
    "text/ms_swift": "llava_json",
    "text/c4": None,  # texts without questions
    "text/wiki": None,
    "video/ShareGemini": "llava_json",
    "video/VideoInstruct100K": "qa_rows",
    "video/videochat2_it": "llava_json",
    "video/odd": None,  # films alone
}


@pytest.mark.corpus
@pytest.mark.parametrize("folder", REAL)
def test_real_folders_are_guessed_and_their_cards_pass_the_check(
    corpus: Path, tmp_path: Path, folder: str
) -> None:
    out = tmp_path / "made.yaml"
    added = call("sources", "add", corpus / folder, "--out", out, "--name", "made")
    if REAL[folder] is None:
        assert added.exit_code == 1 and not out.exists()
        return
    assert added.exit_code == 0, added.output
    card = load_source(str(out))
    assert card.adapter == REAL[folder] in ADAPTERS
    assert checked_options(card) is not None
    done = call("sources", "check", out, "--json")
    said = json.loads(done.stdout)
    assert done.exit_code == 0, said["wrong"]
    has_media = card.row.scenario != "Pure Text"
    assert (said["media"]["opened"] > 0) == has_media


@pytest.mark.corpus
def test_real_pictures_that_moved_are_found_by_the_checks_hint(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus / "ocr/wildreceipt", tmp_path / "c")
    call("sources", "add", tmp_path / "c", "--name", "made")
    done = call("sources", "check", tmp_path / "c/made.yaml", "--json")
    said = json.loads(done.stdout)
    assert done.exit_code == 1
    assert any("the files lie in image_files" in each for each in said["odd"])
