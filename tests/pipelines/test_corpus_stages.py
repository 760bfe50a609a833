"""The stages built and proved from real annotation files and media, their counts those of the answer key."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.factories import run_build, write_mixture, write_source
from tests.spoken import samples_of, spoken_of, stage_card
from tests.vita_data.test_native_corpus import LAYOUTS
from tests.vita_data.test_speech_corpus import CASES, Case
from vita_data import files
from vita_data.shards.prove import prove
from vita_data.shards.read import Stage
from vita_data.sources.registry import ADAPTERS

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

CAPTIONS = ("image_caption", "image_caption_zh", "video_caption", "ocr", "ocr_zh", "ocr_table")
TWINS = {
    "exact duplicate row",
    "text only row (usable as text)",
    "null image (text row)",
}  # kept until curation
SPOKEN = ("tts_en", "tts_zh")
HEARD = (
    "mllm_audio_demo.json",
    "mllm_video_audio_demo.json",
)  # whose questions are about a sound they come with
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


@pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="nothing can be spoken here: apt-get install espeak-ng"
)
def test_stage_2_2_speaks_half_of_what_the_key_calls_usable_questions(
    corpus: Path, key: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """The stage's own card takes a part; with all questions and captions the key's counts are those of the stage.

    No layout of the corpus has sound that is not meant for the model, so the stage has no clips of that kind;
    the sample corpus has them.
    """
    names = _seen(tmp_path, corpus, key)
    mixture = write_mixture(tmp_path, dict.fromkeys(names, "all"))
    run_build(mixture, tmp_path / "out", "2.2")
    lines = _lines(tmp_path / "out", "2.2")
    for name, annotation in names.items():
        silent = key[annotation]["task"] in CAPTIONS or annotation.endswith(HEARD)
        written = lines[name]["written"]
        assert written["spoken"] == (0 if silent else written["questions"] // 2), annotation
    stage_card(tmp_path, negatives=0.05)
    run_build(mixture, tmp_path / "out", "2.2")
    lines = _lines(tmp_path / "out", "2.2")
    for name, annotation in names.items():
        expected, line = key[annotation], lines[name]
        twins = sum(count for words, count in expected["rejects"].items() if words in TWINS)
        assert line["kept"] == expected["usable_rows"] + twins, (annotation, line["rejected"])
        written = line["written"]
        assert written["questions"] == line["available"] and written["clips"] == 0
        spoken, unspoken = written["questions"] // 2, {}
        if expected["task"] in CAPTIONS:
            spoken = 0
        elif annotation.endswith(HEARD):
            spoken, unspoken = 0, {"has_sound": written["questions"]}
        assert (written["spoken"], line["unspoken"]) == (spoken, unspoken), annotation
    stage = Stage(str(tmp_path / "out/stages/2.2"))
    assert len(spoken_of(stage)) == sum(line["written"]["spoken"] for line in lines.values()) > 90
    _listen(stage)


def _listen(stage: Stage) -> None:
    """Spoken questions of both languages are sounds that somebody could hear."""
    languages = set()
    for sample in samples_of(stage):
        sounds = dict(zip(sample.record["audio"], sample.media[-len(sample.record["audio"]) :], strict=False))
        for said in sample.record["spoken"]:
            sound, rate = soundfile.read(io.BytesIO(sounds[said["audio"]]))
            assert rate == 16_000 and 0.3 < len(sound) / rate < 60
            assert np.sqrt(np.mean(sound**2)) > 0.01
            languages.add(said["language"])
    assert languages == {"en", "zh"}
