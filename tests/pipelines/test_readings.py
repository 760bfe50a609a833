"""Pictures are read where a card asks: what disagrees leaves and is counted, and a threshold reads nothing again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.factories import noise, record, run_build, stamps, write_mixture, write_source
from tests.pipelines.test_measured_again import built as build_without
from vita_data.errors import RecordError, UsageError
from vita_data.files import read_table
from vita_data.media import reading
from vita_data.verdicts.readings import is_chosen

SIGNS = [
    "Free parking",
    "Boats for hire",
    "Open all day",
    "Slow down now",
    "Fresh bread here",
    "Mind the step",
]
ASKED = "What does the sign say?"


def _sign(path: Path, words: str) -> None:
    image = Image.new("RGB", (320, 120), "white")
    ImageDraw.Draw(image).text((20, 40), words, fill="black", font=ImageFont.load_default(32))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def _card(home: Path, **rules: Any) -> Path:
    told = [record(f"s{n}", ASKED, words, f"{n}.png") for n, words in enumerate(SIGNS)]
    told += [record("wrong", ASKED, "Free parking beyond this line", "0.png")]
    told += [record("silent", "What colour is it?", "White.", "1.png")]
    write_source(home, "signs", told, scenario="OCR & Diagram", rules=rules)
    write_source(
        home, "other", [record(f"o{n}", f"What is {n}?", f"Noise {n}.", f"{n}.png") for n in range(5)]
    )
    return write_mixture(home, {"signs": "all", "other": "all"}, curate=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("readings")
    for number, words in enumerate(SIGNS):
        _sign(home / "signs" / f"{number}.png", words)
        noise(home / "other" / f"{number}.png", number)
    return home


@pytest.fixture(scope="module")
def built(home: Path) -> dict[str, Any]:
    return run_build(_card(home, ocr=0.6, ocr_share=1), home / "out")


def _rejects(home: Path) -> dict[str, dict[str, Any]]:
    paths = sorted((home / "out" / "stages" / "1.3" / "rejects").glob("*.parquet"))
    return {json.loads(row["native_id"]): row for path in paths for row in read_table(str(path)).to_pylist()}


def _summed(home: Path) -> list[dict[str, int]]:
    return [json.loads(path.read_text()) for path in sorted(home.glob("out/curate/*/*/ocr.json"))]


def test_an_answer_that_its_picture_does_not_show_leaves_and_the_funnel_adds_up(
    home: Path, built: dict[str, Any]
) -> None:
    gone = _rejects(home)
    assert set(gone) == {"wrong"}
    assert (gone["wrong"]["step"], gone["wrong"]["rule"]) == ("quality", "ocr_disagrees")
    assert "“Free parking beyond this line”" in gone["wrong"]["message"]
    assert float(gone["wrong"]["value"]) == pytest.approx(11 / 25, abs=0.01)
    for line in built["sources"]:
        assert line["read"] == line["kept"] + sum(line["rejected"].values())


def test_how_many_were_read_and_disagree_is_written_beside_the_verdicts_once(
    home: Path, built: dict[str, Any]
) -> None:
    assert _summed(home) == [{"claiming": 7, "read": 7, "disagree": 1}]
    tables = [read_table(str(path)) for path in home.glob("out/curate/*/signs/readings-*.parquet")]
    rows = [row for table in tables for row in table.to_pylist()]
    assert len(rows) == 7
    assert all(row["boxes"] >= 1 and row["certainty"] > 0.8 for row in rows)
    assert not list(home.glob("out/curate/*/other/readings-*.parquet"))
    before = stamps(home / "out" / "curate")
    run_build(_card(home, ocr=0.6, ocr_share=1), home / "out")
    assert stamps(home / "out" / "curate") == before


def test_another_threshold_reads_nothing_again(
    home: Path, built: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never() -> None:
        raise AssertionError("a picture is read again")

    before = stamps(home / "out" / "curate", "**/readings-*.parquet")
    monkeypatch.setattr(reading, "_engine", never)
    run_build(_card(home, ocr=0.3, ocr_share=1), home / "out")
    assert stamps(home / "out" / "curate", "**/readings-*.parquet") == before
    assert _rejects(home) == {}
    assert {"claiming": 7, "read": 7, "disagree": 0} in _summed(home)
    before = stamps(home / "out", "**/ocr.json")
    run_build(_card(home), home / "out")  # and where nobody asks, nothing is said
    assert _rejects(home) == {}
    assert stamps(home / "out", "**/ocr.json") == before


def test_a_picture_that_was_away_is_read_by_the_next_build_and_no_other_is(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixture, out = _card(home, ocr=0.6, ocr_share=1), tmp_path / "out"
    read: list[bytes] = []
    engine = reading.read_picture
    monkeypatch.setattr(reading, "read_picture", lambda data: read.append(data) or engine(data))
    build_without(mixture, out, "readings", [home / "signs" / "0.png"])
    (path,) = out.glob("curate/*/signs/readings-*.parquet")
    assert read_table(str(path)).column("texts").null_count == 2 and len(read) == 5
    assert _summed(tmp_path) == [{"claiming": 7, "read": 5, "disagree": 0}]
    build_without(mixture, out, "readings")
    assert read_table(str(path)).column("texts").null_count == 0 and len(read) == 7
    assert not list(out.glob("curate/**/*.gone.json"))
    assert {"claiming": 7, "read": 7, "disagree": 1} in _summed(tmp_path)


def test_a_picture_that_the_engine_trips_over_is_not_tried_again(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trip(data: bytes) -> None:
        raise RecordError(reading.FAILED, "It trips.")

    monkeypatch.setattr(reading, "read_picture", trip)
    mixture = _card(home, ocr=0.6, ocr_share=1)
    run_build(mixture, tmp_path / "out")
    before = stamps(tmp_path / "out" / "curate")
    run_build(mixture, tmp_path / "out")
    assert stamps(tmp_path / "out" / "curate") == before
    assert _summed(tmp_path) == [{"claiming": 7, "read": 0, "disagree": 0}]


def test_a_card_that_asks_for_an_engine_that_is_not_there_is_refused_before_anything_is_read(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install"):
        run_build(_card(home, ocr=0.5), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    run_build(_card(home), tmp_path / "out")


def test_a_smaller_share_lies_within_a_larger_one_and_is_as_large_as_it_says() -> None:
    keys = [f"signs-{number:016x}" for number in range(20_000)]
    few, more = ({key for key in keys if is_chosen(key, share)} for share in (0.02, 0.1))
    assert few < more
    assert len(few) == pytest.approx(400, abs=80)
    assert len(more) == pytest.approx(2_000, abs=180)
    assert {key for key in keys if is_chosen(key, 1.0)} == set(keys)
