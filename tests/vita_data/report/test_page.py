from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from vita_data.report.funnel import missing
from vita_data.report.page import report, write_report


@pytest.fixture(scope="module")
def made(tmp_path_factory: Any, stage: Any, sample: Any, reject: Any, picture: Any) -> Any:
    """Two sources in two shards, with a few rejects."""
    folder = tmp_path_factory.mktemp("report")
    shards = [
        [
            sample(source, n, [picture()] * (n % 3))
            for source in ("birds", "maps")
            for n in range(first, first + 6)
        ]
        for first in (0, 6)
    ]
    rejects = [
        reject("birds", 1, "structure/placeholders_match", media=["there.png"]),
        reject("birds", 2, "media/media_missing", media=["lost.png"]),
        reject("maps", 1, "structure/empty_answer"),
    ]
    made = stage(folder / "stage", shards, ["birds", "maps"], rejects)
    (Path(made.roots["birds"]) / "there.png").write_bytes(picture((400, 300)))
    return made


@pytest.fixture(scope="module")
def page(made: Any) -> str:
    text: str = made.page()
    return text


def test_the_page_says_in_a_sentence_what_was_built(page, parse):
    words = parse(page).text
    assert "24 samples with 48 questions were drawn from 2 sources and written to 2 shards" in words
    assert "The stage trains the projector and language model on them." in words
    assert words.index("Funnel") < words.index("Mixture") < words.index("Rejects") < words.index("Provenance")


def test_the_page_asks_the_network_for_nothing_and_runs_nothing(page, parse):
    parsed = parse(page)
    assert not {"script", "link", "iframe", "object", "embed", "form"} & {name for name, _ in parsed.elements}
    for name, attributes in parsed.elements:
        assert not [key for key in attributes if key.startswith("on")], name
        for key in ("src", "href", "srcset", "xlink:href", "data", "action"):
            inside = ("#", "data:image/jpeg;base64,", "data:audio/flac;base64,")
            assert attributes.get(key, "#").startswith(inside), (name, attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert parsed.all("meta")[1]["content"].startswith("default-src 'none'")


def test_the_page_can_be_read_by_ear(page, parse):
    parsed = parse(page)
    assert parsed.all("html") == [{"lang": "en"}]
    assert len(parsed.all("h1")) == 1
    levels = [int(name[1]) for name, _ in parsed.elements if name in ("h1", "h2", "h3", "h4")]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(image["alt"] for image in parsed.all("img"))
    assert all(head["scope"] in ("row", "col") for head in parsed.all("th"))
    assert all(svg.get("aria-label") or svg.get("aria-hidden") == "true" for svg in parsed.all("svg"))
    places = {attributes["id"] for _, attributes in parsed.elements if "id" in attributes}
    assert {link["href"][1:] for link in parsed.all("a")} <= places


def test_equal_folders_give_equal_bytes_wherever_they_lie(made, page, tmp_path):
    shutil.copytree(made.folder, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("report.html"))
    path = write_report(str(tmp_path / "elsewhere"), made.plan, made.facts, made.traces)
    assert Path(path).read_text(encoding="utf-8") == page
    assert str(made.folder.parent) not in page


def test_the_funnel_adds_up_and_says_so_when_it_does_not(made, page, parse, tmp_path):
    assert [missing(source) for source in made.facts["sources"]] == [0, 0]
    assert "Adds up" in parse(page).text
    lost = json.loads(json.dumps(made.facts))
    lost["sources"][0]["read"] += 3
    shutil.copytree(made.folder, tmp_path / "copy")
    path = write_report(str(tmp_path / "copy"), made.plan, lost, made.traces)
    assert "does not add up for birds by 3" in parse(Path(path).read_text(encoding="utf-8")).text


def test_a_source_that_fell_short_is_named_with_how_much(stage, sample, parse, tmp_path):
    made = stage(tmp_path / "stage", [[sample("birds", 1, [])]], ["birds"], [])
    made.plan["sources"][0]["short"] = True
    made.facts["sources"][0]["asked"] = 1002
    assert "short by 1,000" in parse(made.page()).text


def test_a_stage_without_samples_packs_or_rejects_has_a_page(stage, parse, tmp_path):
    words = parse(stage(tmp_path / "stage", [], ["birds"], []).page()).text
    assert "0 samples with 0 questions were drawn from 0 sources and written to 0 shards." in words
    assert "No record was rejected." in words
    assert "not in this stage" in words


def test_the_page_stays_below_five_megabytes_however_much_there_is(stage, sample, reject, picture, tmp_path):
    sources = [f"source-{n:02d}" for n in range(24)]
    noise = [picture((160, 160), seed=n) for n in range(4)]
    shards = [[sample(source, n, noise, "word " * 1500) for source in sources for n in range(3)]]
    rows = [
        reject(source, n, f"media/rule_{rule}", media=[f"{n}.png", "0.png", "0.wav"], message="long " * 1000)
        for rule in range(60)
        for source in sources
        for n in range(2)
    ]
    made = stage(tmp_path / "stage", shards, sources, rows)
    for root in made.roots.values():
        for n in range(2):
            (Path(root) / f"{n}.png").write_bytes(noise[n])
        soundfile.write(Path(root) / "0.wav", np.random.default_rng(0).uniform(-1, 1, 80_000), 16_000)
    page = made.page()
    assert 2_500_000 < len(page.encode()) < 5_000_000
    assert "Left out to keep the page small" in page
    assert "No clip: left out to keep the page small" in page
    assert "20 more rules with fewer rejects are not shown" in page


def test_archives_that_lack_something_are_a_table_of_bounded_length(made, parse):
    plan, facts = made.plan, json.loads(json.dumps(made.facts))
    assert "could not be listed" not in parse(made.page()).text
    archive = {"members": 3, "left_out": {"name_not_utf8": 1234, "litter": 1}, "cut": False}
    facts["sources"][0]["archives"] = [{**archive, "archive": f"<b>{n}.zip"} for n in range(30)]
    facts["sources"][1]["archives"] = [{"archive": "cut.tar", "members": 7, "left_out": {}, "cut": True}]
    words = parse(report(str(made.folder), plan, facts, made.traces)).text
    assert "Members of archives that could not be listed (61 rows)" in words
    assert "<b>0.zip their names are not UTF-8 3 1,234" in words
    assert "and 11 more rows, in stage.json" in words
    facts["sources"][0]["archives"] = []
    words = parse(report(str(made.folder), plan, facts, made.traces)).text
    assert "cut.tar it is cut or damaged behind those 7 unknown" in words
