"""The stages built and proved from real annotation files and media, their counts those of the answer key."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.factories import run_build, write_mixture, write_source
from tests.vita_data.test_native_corpus import LAYOUTS
from tests.vita_data.test_speech_corpus import CASES, Case
from vita_data import files
from vita_data.shards.prove import prove
from vita_data.sources.registry import ADAPTERS

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

CAPTIONS = ("image_caption", "image_caption_zh", "video_caption", "ocr", "ocr_zh", "ocr_table")
TWINS = {
    "exact duplicate row",
    "text only row (usable as text)",
    "null image (text row)",
}  # kept until curation
SPOKEN = ("tts_en", "tts_zh")
NOT_ENGLISH = ("asr_zh", "tts_zh", "asr_mixed")


def _name(annotation: str) -> str:
    words = annotation.lower().removesuffix(".json").replace("/", "-").replace("_", "-").replace(".", "-")
    return "".join(c for c in words if c.isalnum() or c == "-")[-40:].strip("-")


@pytest.fixture(scope="module")
def key(corpus: Path) -> dict[str, dict[str, Any]]:
    rows = json.loads((corpus / "expected.json").read_text())["annotations"]
    return {row["annotation"]: row for row in rows}


def _seen(home: Path, corpus: Path, key: dict[str, dict[str, Any]]) -> dict[str, str]:
    """A card for each layout of pictures and films; returns its annotation by the source's name."""
    names = {}
    for annotation, (root, adapter, options) in LAYOUTS.items():
        name = _name(annotation)
        film = key[annotation]["task"].startswith("video")
        write_source(
            home,
            name,
            [],
            "Description" if key[annotation]["task"] in CAPTIONS else "QA",
            "General Video" if film else "General Image",
            root=str(corpus / root),
            annotations=[str(Path(annotation).relative_to(root))],
            adapter=adapter,
            options=options,
            tolerance=1,
        )
        names[name] = annotation
    return names


def _heard(home: Path, corpus: Path, key: dict[str, dict[str, Any]]) -> dict[str, Case]:
    """A card for each layout of speech; returns its case by the source's name."""
    names = {}
    kinds = {adapter: kind for kind, (adapter, _) in ADAPTERS.items()}
    for case in CASES:
        task = key[case.annotation]["task"]
        if not task.startswith(("asr", "tts")):
            continue
        write_source(
            home,
            _name(case.annotation),
            [],
            "TTS" if task in SPOKEN else "ASR",
            "Speech",
            root=str(corpus / case.root),
            annotations=[case.annotation.removeprefix(case.root + "/")],
            adapter=kinds[type(case.adapter)],
            options=json.loads(json.dumps(asdict(case.adapter._options))),  # type: ignore[attr-defined]
            language="en-zh" if task in NOT_ENGLISH else "en",
            tolerance=1,
        )
        names[_name(case.annotation)] = case
    return names


def _lines(out: Path, stage: str) -> dict[str, dict[str, Any]]:
    proof = prove(str(out / "stages" / stage))
    assert proof["ok"], proof["errors"]
    facts = files.read_json(str(out / "stages" / stage / "stage.json"))
    return {line["source"]: line for line in facts["sources"]}


def test_stages_of_pictures_films_and_text_hold_what_the_key_calls_usable(
    corpus: Path, key: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    names = _seen(tmp_path, corpus, key)
    mixture = write_mixture(tmp_path, dict.fromkeys(names, "all"))
    for stage in ("1.1", "1.2", "1.3"):
        run_build(mixture, tmp_path / "out", stage)
        lines = _lines(tmp_path / "out", stage)
    for name, annotation in names.items():
        expected, line = key[annotation], lines[name]
        twins = sum(count for words, count in expected["rejects"].items() if words in TWINS)
        assert line["read"] == expected["rows"], annotation
        assert line["kept"] == expected["usable_rows"] + twins, (annotation, line["rejected"])
        assert line["kept"] == line["available_samples"] + line["held_out"] + line["between"]


def test_stages_of_speech_hold_what_the_key_calls_usable(
    corpus: Path, key: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    names = _heard(tmp_path, corpus, key)
    mixture = write_mixture(tmp_path, dict.fromkeys(names, "all"))
    mixture.write_text(mixture.read_text().replace('"questions": "all"', '"hours": "all"'))
    for stage in ("2.1", "3.1", "3.2"):
        run_build(mixture, tmp_path / "out", stage)
        lines = _lines(tmp_path / "out", stage)
    for name, case in names.items():
        expected, line = key[case.annotation], lines[name]
        assert line["read"] == expected["rows"], case.annotation
        assert line["kept"] == expected["usable_rows"], (case.annotation, line["rejected"])
