"""What the page of a curated build shows of duplicates, benchmarks and rejects."""

from __future__ import annotations

import json
import shutil

import pytest
from PIL import Image

from tests.factories import run_build
from tests.vita_data.report.curated import build_page, write_corpus
from vita_data.files import read_table


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curated")
    write_corpus(folder)
    return folder


@pytest.fixture(scope="module")
def page(home):
    return build_page(home, "against", against=str(home / "sets"))


def part_of(page: str, section: str) -> str:
    """The markup of a section."""
    return page.partition(f'id="{section}">')[2].partition('<section id="')[0]


def keys_of(home, source: str) -> dict[str, str]:
    """The keys of a source's samples by their native ids."""
    table = read_table(
        str(home / "against" / "catalog" / source / "part-00000.parquet"), ["key", "native_id"]
    )
    return {json.loads(row["native_id"]): row["key"] for row in table.to_pylist()}


def test_duplicates_are_counted_by_source_and_kind_beside_what_is_only_shared(page, parse):
    words = parse(part_of(page, "duplicates")).text
    assert "7 samples left for others that stay." in words
    assert "asks 5 0 1 2 4 texts 0 1 0 0 0 All sources 5 1 1 2 4" in words
    assert "counted and never removed" in words


def test_near_texts_stand_beside_each_other_with_what_differs_marked(page, parse):
    section = part_of(page, "duplicates")
    assert "<mark>&lt;script&gt;</mark>creak<mark>&lt;/script&gt;</mark>" in section
    assert "Near duplicates in text 1 sample left in 1 cluster" in parse(section).text
    assert "<script>" not in page


def test_near_pictures_and_exact_ones_are_shown_as_thumbnails(home, page, parse):
    keys = keys_of(home, "asks")
    shown = parse(part_of(page, "duplicates"))
    copies = {keys[name] for name in ("a3", "copy0", "copy1", "copy2", "copy3", "copy4")}
    exact, *near = [image["alt"].rpartition(" ")[2] for image in shown.all("img")]
    assert exact in copies
    assert set(near) == {keys["a7"], keys["again"]}
    assert "0 of 64 bits of a picture differ" in shown.text
    assert "and 3 more left for it" in shown.text


def test_what_was_found_of_benchmarks_is_a_table_with_the_evidence_side_by_side(home, page, parse):
    shown = parse(part_of(page, "leaks"))
    assert "Every sample was looked through for 3 benchmarks: 3 findings." in shown.text
    assert "quiz picture + question 1 1 0 quiz question 1 0 1" in shown.text
    assert "riddles question 1 1 0" in shown.text
    assert "Nothing was found of calm." in shown.text
    keys = keys_of(home, "asks")
    assert {image["alt"].rpartition(" ")[2] for image in shown.all("img")} == {keys["both"], keys["question"]}
    assert shown.text.count("more than three baskets of fish at noon") == 4
    assert "<mark>" not in part_of(page, "leaks")


def test_a_reject_of_a_rule_shows_its_picture_and_its_words(home, page, parse):
    shown = parse(part_of(page, "rejects"))
    assert keys_of(home, "asks")["sorry"] in {image["alt"].rpartition(" ")[2] for image in shown.all("img")}
    assert "What is that? I'm sorry, but I can't assist with that request." in shown.text
    assert shown.text.count("Shown side by side under Duplicates .") == 3
    assert shown.text.count("Shown side by side under Decontamination .") == 2


def test_before_and_after_says_how_many_curation_left(page, parse):
    assert (
        "Of 53 samples as catalogued, curation left 43 (81.1 %)" in parse(part_of(page, "distributions")).text
    )


def test_looking_for_benchmarks_later_is_told_even_where_nothing_leaves_for_them(home, parse):
    build_page(home, "later")
    mixture = home / "later.yaml"
    mixture.write_text(
        mixture.read_text().replace('"curate": true', '"curate": true, "benchmarks": ["calm"]')
    )
    run_build(mixture, home / "later", against=str(home / "sets"))
    page = (home / "later" / "stages" / "1.3" / "report.html").read_text(encoding="utf-8")
    words = parse(part_of(page, "leaks")).text
    assert "Every sample was looked through for 1 benchmark, and nothing was found of calm." in words


def test_without_benchmarks_the_page_says_that_none_was_looked_for(home, parse):
    words = parse(part_of(build_page(home, "plain"), "leaks")).text
    assert "No benchmark was looked for: the build was made without --against." in words


def test_a_mixture_that_is_not_curated_says_so(home, parse):
    page = build_page(home, "uncurated", curate=False)
    assert "not curated, so no duplicate was looked for" in parse(part_of(page, "duplicates")).text
    assert "curation" not in parse(part_of(page, "distributions")).text


def test_a_picture_that_changed_since_it_was_catalogued_leaves_a_placeholder(home, page, parse, tmp_path):
    shutil.copytree(home, tmp_path / "home")
    (tmp_path / "home" / "asks" / "9.png").unlink()
    Image.new("RGB", (8, 8)).save(tmp_path / "home" / "asks" / "7.png")
    out = tmp_path / "home" / "against"
    shutil.rmtree(out / "stages")
    run_build(tmp_path / "home" / "against.yaml", out, against=str(tmp_path / "home" / "sets"))
    again = (out / "stages" / "1.3" / "report.html").read_text(encoding="utf-8")
    assert "Changed since it was read" in parse(part_of(again, "rejects")).text
