"""The corpus' annotation files, each in its publisher's layout, give the rows that its answer key counts."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from vita_data.manifest.bind import bind
from vita_data.manifest.parse import parse_card
from vita_data.sources.base import Fault, Native
from vita_data.sources.donut import Donut, DonutOptions
from vita_data.sources.hf_parquet import HfParquet, ParquetOptions
from vita_data.sources.llava_json import LlavaJson, LlavaOptions
from vita_data.sources.ocr_json import OcrJson, OcrOptions
from vita_data.sources.qa_rows import QaRows, QaRowsOptions
from vita_data.sources.turns import PLACEHOLDERS

pytestmark = pytest.mark.corpus

ADAPTERS: dict[str, Any] = {
    "llava_json": (LlavaJson, LlavaOptions),
    "qa_rows": (QaRows, QaRowsOptions),
    "hf_parquet": (HfParquet, ParquetOptions),
    "ocr_json": (OcrJson, OcrOptions),
    "donut": (Donut, DonutOptions),
}
Layout = tuple[str, str, dict[str, Any]]  # root, adapter, options
COCO: dict[str, Any] = {"items_path": "annotations", "answer": "caption", "prompts": ["Describe."]}
AI = "image/ai_challenger"
FLICKR = {
    "pattern": r"(?P<image>[^#]+)#\w+#\d+ (?P<caption>.*)",
    "answer": "caption",
    "prompts": ["Describe."],
}
PHOTOS = {"media_root": "caption_train_images_20170902"}
MESSAGES = {"turns": "messages"}
JUICER = {"turns": "text", "tokens": {"image": "<__dj__image>", "video": "<__dj__video>"}}
LISTED = {"layout": "list", "text_key": "text", "image_key": "img_path", "instances_key": "instances"}

LAYOUTS: dict[str, Layout] = {
    f"image/coco/annotations/captions_{split}.json": (
        "image/coco",
        "qa_rows",
        {**COCO, "image": f"{split}/{prefix}{{image_id:012}}.jpg"},
    )
    for split, prefix in (("val2014", "COCO_val2014_"), ("val2017", ""))
} | {
    "image/sharegpt4v/share-captioner_mini.json": ("image/sharegpt4v", "llava_json", {"media_root": "data"}),
    "image/llava_instruct/llava_instruct_mini.json": (
        "image/llava_instruct",
        "llava_json",
        {"media_root": "images"},
    ),
    "image/allava_laion/ALLaVA-Caption-LAION-4V.json": ("image", "llava_json", {}),
    "image/allava_laion/ALLaVA-Instruct-LAION-4V.json": ("image", "llava_json", {}),
    f"{AI}/caption_train_annotations_20170902.json": (
        AI,
        "qa_rows",
        {"image": "image_id", "answer": "caption", "prompts": ["描述图片。"], **PHOTOS},
    ),
    f"{AI}/flickr8kzhm.caption.txt": (AI, "qa_rows", {**FLICKR, **PHOTOS}),
    f"{AI}/flickr8kenc.caption.txt": (AI, "qa_rows", {**FLICKR, **PHOTOS}),
    "packed/LLaVA-OneVision-Data/mini/train-00000-of-00001.parquet": ("packed", "hf_parquet", {}),
    "image/MATH-V/data/test.jsonl": (
        "image/MATH-V",
        "qa_rows",
        {
            "question": "{question}\n{choices}",
            "choices": "options",
            "answer_is": "letter",
            "tokens": {"image": "<image{n}>"},
        },
    ),
    "image/DocLLM/export_docowl.jsonl": ("image/DocLLM", "qa_rows", {}),
    "image/llamafactory/mllm_demo.json": ("image/llamafactory", "llava_json", MESSAGES),
    "image/llamafactory/mllm_video_demo.json": ("image/llamafactory", "llava_json", MESSAGES),
    "image/llamafactory/mllm_audio_demo.json": ("image/llamafactory", "llava_json", MESSAGES),
    "image/llamafactory/mllm_video_audio_demo.json": ("image/llamafactory", "llava_json", MESSAGES),
    "image/data_juicer/demos/data/demo-dataset-images.jsonl": (
        "image/data_juicer",
        "llava_json",
        {**JUICER, "media_root": "demos/data"},
    ),
    "image/data_juicer/demos/data/demo-dataset-videos.jsonl": (
        "image/data_juicer",
        "llava_json",
        {**JUICER, "media_root": "demos/data"},
    ),
    "image/data_juicer/demos/data/demo-dataset-images-bytes.parquet": (
        "image/data_juicer",
        "hf_parquet",
        {**JUICER, "image_column": "image_bytes"},
    ),
    "ocr/icdar2015_mmocr/textdet_test.json": ("ocr/icdar2015_mmocr", "ocr_json", LISTED),
    "ocr/textrecog_mmocr/labels.json": ("ocr/textrecog_mmocr", "ocr_json", {**LISTED, "media_root": "imgs"}),
    "ocr/wildreceipt/train.txt": (
        "ocr/wildreceipt",
        "ocr_json",
        {"layout": "lines", "image_key": "file_name", "text_key": "text", "polygon_key": "box"},
    ),
    "ocr/LSVT/train_full_labels.json": ("ocr/LSVT", "ocr_json", {"media_root": "train_full_images_0"}),
    "ocr/ppocr_label/Label.txt": ("ocr/ppocr_label", "ocr_json", {"layout": "tabbed", "image_suffix": ""}),
    "ocr/synthdog/train/metadata.jsonl": ("ocr/synthdog", "donut", {}),
    "ocr/anyword/data.json": (
        "ocr/anyword",
        "ocr_json",
        {"layout": "list", "text_key": "text", "polygon_key": "polygon", "media_root": "imgs"},
    ),
    "video/VideoInstruct100K/VideoInstruct100K.json": (
        "video/VideoInstruct100K",
        "qa_rows",
        {"question": "q", "answer": "a", "video": "videos/{video_id}.mp4"},
    ),
    "video/ShareGemini/sharegemini_mini.json": ("video/ShareGemini", "llava_json", {}),
    "video/videochat2_it/train.json": (
        "video/videochat2_it",
        "llava_json",
        {"turns": "QA", "media_root": "videos"},
    ),
}

# The words of the answer key -> what we find, or None where the row can be used and the key does not count it.
REJECTS: dict[str, str | None] = {
    "missing image": "media missing",
    "missing media": "media missing",
    "video id without a file": "media missing",
    "missing media (row names tests/data/kie_toy_dataset/wildreceipt/, the file is in image_files/)": "media missing",
    "two <image> for one image": "placeholders",
    "empty answer": "empty answer",
    "no transcription in this layout": "not_a_record",
    "exact duplicate row": None,  # taking duplicates out is curation
    "text only row (usable as text)": None,  # a sample without a picture
    "null image (text row)": None,  # the same
}
# Layouts of the key that these adapters do not have, and why.
LEFT_OUT = {
    "image/vqav2/v2_OpenEnded_mscoco_val2014_questions.json": "answers in a second file, joined by question",
    "packed/cc3m/00000.tar": "members of a tar, which another adapter reads",
    "ocr/ICDAR-2019-SROIE/data/box/*.csv": "one annotation file for each picture",
    "ocr/DocBank_samples/*.txt": "one annotation file for each picture",
    "ocr/im2latex/train.lst": "line numbers of a second file with the formulas",
    "ocr/pubtabnet/PubTabNet_2.0.0.jsonl": "tables as structure tokens and cells, not text",
    "ocr/publaynet/train.json": "regions without text",
}

# annotation below text/ -> adapter, options, rows, questions of usable rows, and what is refused; counted by hand
TEXTS: dict[str, tuple[str, dict[str, Any], int, int, dict[str, int]]] = {
    "ms_swift/alpaca.jsonl": ("llava_json", {"turns": "alpaca"}, 3, 4, {}),
    "ms_swift/alpaca.csv": (
        "qa_rows",
        {"question": "{instruction}\n{input}", "answer": "output"},
        3,
        3,
        {},
    ),
    "ms_swift/chatml.jsonl": ("llava_json", MESSAGES, 3, 5, {}),
    "ms_swift/conversations.jsonl": ("llava_json", {}, 3, 5, {}),
    "ms_swift/sharegpt.jsonl": (
        "llava_json",
        {"turns": "QA", "turns_key": "conversation", "keys": {"q": "human", "a": "assistant"}},
        3,
        5,
        {},
    ),
    "ms_swift/swift_multi.jsonl": (
        "llava_json",
        {"turns": "alpaca", "keys": {"instruction": "query", "output": "response"}},
        3,
        5,
        {},
    ),
    "data_juicer/data_demo-dataset-chatml.jsonl": ("llava_json", MESSAGES, 4, 5, {}),
    "data_juicer/process_cft_zh_data_data_alpaca-cot.jsonl": (
        "llava_json",
        {"turns": "alpaca"},
        11,
        10,
        {"empty answer": 1},
    ),
    "llamafactory/identity.json": ("llava_json", {"turns": "alpaca"}, 91, 91, {}),
    "c4/c4_demo.jsonl": ("llava_json", {"turns": "text"}, 120, 0, {"not_a_record": 120}),  # text, no question
}


def _found(root: Path, annotation: str, adapter: str, options: Any, scratch: Path) -> list[Native | Fault]:
    made, options_type = ADAPTERS[adapter]
    bound = asdict(bind(parse_card(json.dumps(options).encode(), "card"), options_type))
    reader = made(options_type(**json.loads(json.dumps(bound))))  # as a card says it and a worker is told
    split = reader.split(str(root), annotation, str(scratch))
    return [each for part in split.slices for each in reader.read(str(root), part)]


def _verdict(root: Path, found: Native | Fault) -> str:
    """Why a record cannot be used, or nothing: the first things that later steps look at."""
    if isinstance(found, Fault):
        return found.error.rule
    for medium in found.media:
        there = (root / os.path.normpath(medium.name)).is_file()
        if not (medium.data if medium.data is not None else there):
            return "media missing"
    turns = [turn for turn in found.turns if turn["from"] != "system"]
    asked = "".join(turn["value"] for turn in turns[::2])
    for kind, placeholder in PLACEHOLDERS.items():
        shown = sum(medium.kind == kind for medium in found.media)
        if asked.count(placeholder) != shown and not (shown == 1 and placeholder not in asked):
            return "placeholders"
    assert len(turns) % 2 == 0 and len(turns) > 0
    return "" if all(turn["value"] for turn in turns[1::2]) else "empty answer"


def _counted(root: Path, found: list[Native | Fault]) -> tuple[Counter[str], int]:
    verdicts = [_verdict(root, each) for each in found]
    usable = [each for each, why in zip(found, verdicts, strict=True) if isinstance(each, Native) and not why]
    questions = sum(sum(turn["from"] != "system" for turn in each.turns) // 2 for each in usable)
    return Counter(verdicts), questions


@pytest.fixture(scope="module")
def key(corpus: Path) -> dict[str, Any]:
    """The answer key by annotation."""
    rows = json.loads((corpus / "expected.json").read_text())["annotations"]
    return {row["annotation"]: row for row in rows}


def test_every_layout_of_the_key_is_read_or_left_out_for_a_reason(key: dict[str, Any]) -> None:
    kinds = ("image", "ocr", "video", "packed", "text")
    named = {annotation for annotation in key if annotation.split("/")[0] in kinds}
    assert named == set(LAYOUTS) | set(LEFT_OUT) and not set(LAYOUTS) & set(LEFT_OUT)


@pytest.mark.parametrize("annotation", LAYOUTS)
def test_a_layout_gives_the_rows_of_the_answer_key(
    corpus: Path, key: dict[str, Any], tmp_path: Path, annotation: str
) -> None:
    root, adapter, options = LAYOUTS[annotation]
    place = str(Path(annotation).relative_to(root))
    counts, questions = _counted(corpus / root, _found(corpus / root, place, adapter, options, tmp_path))
    expected = key[annotation]
    more = sum(count for words, count in expected["rejects"].items() if REJECTS[words] is None)
    refused = {str(REJECTS[words]): n for words, n in expected["rejects"].items() if REJECTS[words]}
    assert sum(counts.values()) == expected["rows"]
    assert counts.pop("", 0) == expected["usable_rows"] + more
    assert counts == refused
    assert questions == expected["pairs"] + more


@pytest.mark.parametrize("name", TEXTS)
def test_text_in_the_dialects_of_public_tools_is_read(corpus: Path, tmp_path: Path, name: str) -> None:
    adapter, options, rows, questions, refused = TEXTS[name]
    found = _found(corpus / "text", name, adapter, options, tmp_path)
    counts, counted = _counted(corpus, found)
    assert (len(found), counted) == (rows, questions)
    assert {why: count for why, count in counts.items() if why} == refused


@pytest.mark.parametrize(
    ("annotation", "adapter", "options", "rows"),
    [
        (
            "packed/cc3m_tsv/Train_GCC-training.tsv",
            "qa_rows",
            {
                "columns": ["caption", "url"],
                "quotes": "literal",
                "image": "url",
                "answer": "caption",
                "prompts": ["?"],
            },
            12,
        ),
        (
            "packed/laion_urls/test_1000.parquet",
            "hf_parquet",
            {"image_column": "URL", "question_column": "TEXT", "answer_column": "TEXT"},
            1000,
        ),
    ],
)
def test_pools_of_addresses_are_refused_row_by_row(
    corpus: Path, tmp_path: Path, annotation: str, adapter: str, options: Any, rows: int
) -> None:
    found = _found(corpus, annotation, adapter, options, tmp_path)
    assert Counter(each.error.rule for each in found if isinstance(each, Fault)) == {"media_by_url": rows}


def test_broken_rows_are_faults_of_their_own(corpus: Path, tmp_path: Path) -> None:
    folder = corpus / "hostile/annotation"
    found = _found(folder, "broken_rows.jsonl", "llava_json", {}, tmp_path)
    faults = {each.position: each.error.rule for each in found if isinstance(each, Fault)}
    assert faults == {1: "not_json", 4: "not_a_record"} and len(found) == 6  # line 2 is blank
    options = {"delimiter": "|", "quotes": "literal", "question": "file", "answer": "text"}
    spoken = _found(folder, "quotes.csv", "qa_rows", options, tmp_path)
    said = [each.turns[1]["value"] if isinstance(each, Native) else each.error.rule for each in spoken]
    assert said == ['He said "hi', "pipe | inside", "", "not_a_record"]


def test_the_pictures_of_a_numbered_question_are_where_the_question_names_them(
    corpus: Path, tmp_path: Path
) -> None:
    root, adapter, options = LAYOUTS["image/MATH-V/data/test.jsonl"]
    found = _found(corpus / root, "data/test.jsonl", adapter, options, tmp_path)
    asked = [each.turns[0]["value"] for each in found if isinstance(each, Native)]
    assert all(question.count("<image>") == 1 for question in asked)
    assert sum("<image2>" in question or "<image3>" in question for question in asked) == 5
    by_id = {each.native_id: each for each in found if isinstance(each, Native)}
    assert by_id['"1288"'].turns[0]["value"].endswith("E. $16 \\mathrm{~m}$")
    assert by_id['"1288"'].turns[1]["value"] == "C. $12 \\mathrm{~m}$"
