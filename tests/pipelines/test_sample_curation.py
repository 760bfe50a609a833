"""Curation of the sample corpus against its answer key: what is planted leaves, by its rule, and nothing else does."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.factories import run_build
from tests.pipelines.conftest import SPEECH_STAGES
from vita_data import files
from vita_data.curate import minhash, phash, words
from vita_data.records.key import sample_key
from vita_data.verdicts.finding import ORDER, RECORDING

pytestmark = pytest.mark.slow

STAGES = ("1.3", *SPEECH_STAGES[:1])  # between them they read every source that something is planted in
STEPS = {"signal", "language", "quality", "duplicates", "decontamination"}
OF_TEXT_AND_PICTURES = {
    "duplicate", "near_text", "near_picture", "refusal", "repetition", "unbalanced_markup", "long_answer",
    "other_language", "frozen_film", "film_hole",
}  # fmt: skip
OF_SOUND = {
    "narrow_band",
    "quiet",
    "clipped",
    "silent",
    "no_speech",
    "fast_speech",
    "ctc_too_short",
    "slow_speech",
}

Where = tuple[str, str, int]  # source, annotation, position


def answers(out: Path) -> dict[Where, dict[str, Any]]:
    """What is planted for curation, by its place."""
    key = json.loads((out / "sample/answer-key.json").read_text(encoding="utf-8"))
    return {
        (source, each["annotation"], each["position"]): each
        for source, facts in key["sources"].items()
        for each in facts["curated"]
    }


def taken(out: Path) -> dict[Where, dict[str, Any]]:
    """What curation took out of the stages, by its place."""
    return {
        (row["source"], row["annotation"], row["position"]): row
        for stage in STAGES
        for path in sorted((out / "stages" / stage / "rejects").glob("*.parquet"))
        for row in files.read_table(str(path)).to_pylist()
        if row["step"] in STEPS
    }


def key_of(source: str, annotation: str, native_id: Any) -> str:
    return sample_key(source, annotation, json.dumps(native_id, ensure_ascii=False), 0)


@pytest.fixture(scope="module")
def out(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build that leaves out what leaks the corpus's own benchmarks."""
    out = tmp_path_factory.mktemp("against") / "out"
    for name in ("catalog", "curate", "sample"):
        shutil.copytree(built / name, out / name, symlinks=True)
    for stage in STAGES:
        run_build("sample", out, stage, against=str(out / "sample/benchmarks"))
    return out


def test_without_benchmarks_the_planted_copies_and_bad_records_leave_by_their_rules_and_nothing_else(
    built: Path,
) -> None:
    wanted = {
        where: each["rule"] for where, each in answers(built).items() if each["rule"] and "found" not in each
    }
    assert {where: row["rule"] for where, row in taken(built).items()} == wanted


def test_with_benchmarks_the_planted_leaks_leave_too_by_what_is_found_of_them_and_nothing_else(
    out: Path,
) -> None:
    wanted = {where: each["rule"] for where, each in answers(out).items() if each["rule"]}
    assert {where: row["rule"] for where, row in taken(out).items()} == wanted


def test_what_is_planted_breaks_every_rule_of_which_a_sample_can_leave(out: Path) -> None:
    rules = {each["rule"] for each in answers(out).values() if each["rule"]}
    leaks = {f"leak_{how}" for how in ORDER if SPEECH_STAGES or how != RECORDING}
    assert {rule for rule in rules if rule.startswith("leak_")} == leaks
    assert rules - leaks == OF_TEXT_AND_PICTURES | (OF_SOUND if SPEECH_STAGES else set())


def test_a_copy_names_the_sample_of_the_key_as_the_one_that_stays(out: Path) -> None:
    rows = taken(out)
    annotations = {"sample-photos": "captions.json", "sample-text": "chats.jsonl"}
    copies = {where: each["stays"] for where, each in answers(out).items() if "stays" in each}
    assert len(copies) >= 8
    for where, stays in copies.items():
        name = stays["native_id"]
        tree = f"LibriSpeech/train-clean-100/{name[:11].replace('-', '/')}/{name[:11]}.trans.txt"
        annotation = annotations.get(stays["source"], tree)
        assert rows[where]["value"] == key_of(stays["source"], annotation, name), where


def test_a_leak_names_its_benchmark_and_what_is_only_reported_is_found_and_stays(out: Path) -> None:
    found = {
        (row["key"], row["benchmark"], row["how"]): row["removes"]
        for path in out.glob("curate/*/*/found-*.parquet")
        for row in files.read_table(str(path)).to_pylist()
    }
    told = {where: each for where, each in answers(out).items() if "found" in each}
    assert sum(each["rule"] is None for each in told.values()) >= 5
    for (source, annotation, _), each in told.items():
        key = key_of(source, annotation, each["native_id"])
        assert found[key, each["benchmark"], each["found"]] is bool(each["rule"]), each


def test_charts_that_stay_are_so_alike_that_photographs_would_leave(out: Path) -> None:
    (table,) = (pq.read_table(path) for path in (out / "sample/sample-charts/default").glob("train-*1-of-*"))
    one, other = (row for row in table.to_pylist() if row["id"].startswith("alike"))
    hashes = [phash.perceptual_hash(row["image"]["bytes"]) for row in (one, other)]
    assert None not in hashes
    assert (int(hashes[0] or 0) ^ int(hashes[1] or 0)).bit_count() <= phash.RADIUS
    assert one["conversations"] == other["conversations"]
    assert one["image"]["bytes"] != other["image"]["bytes"]


def test_texts_that_stay_share_words_and_differ_in_what_they_say(out: Path) -> None:
    told = [json.loads(line) for line in io.BytesIO((out / "sample/sample-text/chats.jsonl").read_bytes())
            if b'"cargo-' in line]  # fmt: skip
    turns = [[{"value": turn["content"]} for turn in record["messages"]] for record in told]
    one, other = minhash.signatures([words.normal_turns(some) for some in turns])
    same = set(turns[0][0]["value"].split()) & set(turns[1][0]["value"].split())
    assert len(same) > 0.6 * len(set(turns[0][0]["value"].split()))
    assert (one == other).mean() < 0.4


def test_the_funnel_of_the_sample_adds_up(out: Path) -> None:
    for stage in STAGES:
        for line in files.read_json(str(out / f"stages/{stage}/stage.json"))["sources"]:
            assert line["read"] == line["kept"] + sum(line["rejected"].values())
