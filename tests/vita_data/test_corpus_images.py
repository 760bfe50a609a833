"""Real annotation files in their publishers' layouts, built end to end, counted as the answer key counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.factories import catalogue, run_build, write_mixture, write_source

ANYWORD = {
    "layout": "list",
    "text_key": "text",
    "polygon_key": "polygon",
    "skip_if": {"valid": False},
    "media_root": "imgs",
}
MESSAGES = {"turns": "messages"}
PARQUET = "packed/LLaVA-OneVision-Data/mini/train-00000-of-00001.parquet"

# annotation as the answer key names it -> (root, adapter, options)
LAYOUTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "image/sharegpt4v/share-captioner_mini.json": ("image/sharegpt4v", "llava_json", {"media_root": "data"}),
    "image/llava_instruct/llava_instruct_mini.json": (
        "image/llava_instruct",
        "llava_json",
        {"media_root": "images"},
    ),
    "image/allava_laion/ALLaVA-Caption-LAION-4V.json": ("image", "llava_json", {}),
    "image/allava_laion/ALLaVA-Instruct-LAION-4V.json": ("image", "llava_json", {}),
    "image/llamafactory/mllm_demo.json": ("image/llamafactory", "llava_json", MESSAGES),
    "image/llamafactory/mllm_video_demo.json": ("image/llamafactory", "llava_json", MESSAGES),
    "image/llamafactory/mllm_audio_demo.json": ("image/llamafactory", "llava_json", MESSAGES),
    "image/llamafactory/mllm_video_audio_demo.json": ("image/llamafactory", "llava_json", MESSAGES),
    PARQUET: ("packed/LLaVA-OneVision-Data", "hf_parquet", {}),
    "ocr/LSVT/train_full_labels.json": ("ocr/LSVT", "ocr_json", {"media_root": "train_full_images_0"}),
    "ocr/anyword/data.json": ("ocr/anyword", "ocr_json", ANYWORD),
}

# The words of the answer key -> our rule, or None where we keep the row, which is then explained.
RULES: dict[str, str | None] = {
    "missing image": "media/media_missing",
    "two <image> for one image": "structure/placeholders_match",
    "exact duplicate row": None,  # it can be read; taking duplicates out is curation
    "text only row (usable as text)": None,  # usable, as the key says: a sample without a picture
    "null image (text row)": None,  # the same
}
# Files whose rows have other modalities: each row is a reject that says so.

# The questions of rows that the answer key sets aside and we keep.
MORE_QUESTIONS = {"share-captioner_mini.json": 1, "llava_instruct_mini.json": 1, Path(PARQUET).name: 1}

# annotation below text/ -> options, rows, questions, and what is refused; counted by hand
TEXTS: dict[str, tuple[dict[str, Any], int, int, dict[str, int]]] = {
    "ms_swift/alpaca.jsonl": ({"turns": "alpaca"}, 3, 4, {}),  # one of them with a history
    "ms_swift/chatml.jsonl": (MESSAGES, 3, 5, {}),
    "ms_swift/conversations.jsonl": ({}, 3, 5, {}),
    "data_juicer/data_demo-dataset-chatml.jsonl": (MESSAGES, 4, 5, {}),
    "data_juicer/process_cft_zh_data_data_alpaca-cot.jsonl": (
        {"turns": "alpaca"},
        11,
        10,
        {"structure/empty_answer": 1},  # it was asked to print a square
    ),
    "llamafactory/identity.json": ({"turns": "alpaca"}, 91, 91, {}),
}

pytestmark = pytest.mark.corpus


def _name(annotation: str) -> str:
    return Path(annotation).stem.lower().replace("_", "-").replace("4v", "v")


@pytest.fixture(scope="module")
def key(corpus: Path) -> dict[str, Any]:
    """The answer key by annotation."""
    rows = json.loads((corpus / "expected.json").read_text())["annotations"]
    return {row["annotation"]: row for row in rows}


@pytest.fixture(scope="module")
def built(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """All the layouts built as one mixture; returns the output folder and the line of each source."""
    home = tmp_path_factory.mktemp("corpus")
    for annotation, (root, adapter, options) in LAYOUTS.items():
        place = str(Path(annotation).relative_to(root))
        card = {"root": str(corpus / root), "annotations": [place], "adapter": adapter, "options": options}
        write_source(home, _name(annotation), [], **card, tolerance=1)
    mixture = write_mixture(home, {_name(annotation): "all" for annotation in LAYOUTS})
    facts = run_build(mixture, home / "out")
    return home / "out", {line["source"]: line for line in facts["sources"]}


@pytest.mark.parametrize("annotation", LAYOUTS)
def test_the_rows_of_a_layout_are_kept_and_refused_as_the_answer_key_says(
    built: tuple[Path, dict[str, Any]], key: dict[str, Any], annotation: str
) -> None:
    expected, line = key[annotation], built[1][_name(annotation)]
    rejected = {RULES[words]: count for words, count in expected["rejects"].items() if RULES[words]}
    kept_more = sum(count for words, count in expected["rejects"].items() if not RULES[words])
    assert line["read"] == expected["rows"]
    assert line["rejected"] == rejected
    assert line["kept"] == expected["usable_rows"] + kept_more
    assert line["written"]["samples"] + line["held_out"] + line["between"] == line["kept"]


@pytest.mark.parametrize("annotation", LAYOUTS)
def test_the_questions_of_a_layout_are_counted_as_the_answer_key_counts_pairs(
    built: tuple[Path, dict[str, Any]], key: dict[str, Any], annotation: str
) -> None:
    summary = json.loads((built[0] / "catalog" / _name(annotation) / "source.json").read_text())
    assert summary["questions"] == key[annotation]["pairs"] + MORE_QUESTIONS.get(Path(annotation).name, 0)


@pytest.mark.parametrize("name", TEXTS)
def test_text_in_the_dialects_of_public_tools_is_read(corpus: Path, tmp_path: Path, name: str) -> None:
    options, rows, questions, rejected = TEXTS[name]
    made = catalogue(corpus / "text", tmp_path / "out", (name,), **options)
    assert (made.summary["read"], made.summary["questions"]) == (rows, questions)
    assert made.summary["rejected"] == rejected


def test_legible_text_is_the_answer_and_illegible_text_is_left_out(corpus: Path, tmp_path: Path) -> None:
    made = catalogue(
        corpus / "ocr/LSVT",
        tmp_path,
        ("train_full_labels.json",),
        "ocr_json",
        media_root="train_full_images_0",
    )
    answers = {
        r["native_id"]: r["conversations"][1]["value"]
        for r in (json.loads(row["record"]) for row in made.kept)
    }
    assert answers["gt_0"] == "中国农业银行\nAGRICULTURAL BANK OF CHINA"
    assert not any("###" in answer for answer in answers.values())


def test_broken_rows_end_in_rejects_by_name(corpus: Path, tmp_path: Path) -> None:
    made = catalogue(corpus / "hostile/annotation", tmp_path, ("broken_rows.jsonl",))
    assert made.kept == []
    assert {row["position"]: row["rule"] for row in made.rejected} == {
        0: "media_missing",
        1: "not_json",
        3: "roles_alternate",
        4: "not_a_record",
        5: "path_outside_root",
        6: "roles_alternate",
    }
