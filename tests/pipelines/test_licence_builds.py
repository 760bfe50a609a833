"""Builds with and without --licence: what they take, what they write down of it, and that the two never mix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.factories import picture_source, run_build, shard_digests, stamps, vita_data, write_mixture
from vita_data import files
from vita_data.errors import UsageError
from vita_data.shards.prove import prove

PAGES = ("ATTRIBUTION.md", "croissant.json", "report.html")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A mixture of a source that may be used commercially and one that may not, and its build with --licence."""
    for name, commercial in (("free", "allowed"), ("shut", "forbidden")):
        picture_source(tmp_path, name, 24, side=40)
        change(tmp_path, name, commercial=commercial)
    write_mixture(tmp_path, {"shut": "all", "free": "all"}, holdout={"share": 0.05, "least": 2})
    again(tmp_path)
    return tmp_path


def change(home: Path, name: str, **keys: Any) -> None:
    """Writes keys into a source card."""
    path = home / f"{name}.yaml"
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


def again(home: Path, out: str = "out", licence: str | None = "commercial") -> dict[str, Any]:
    return run_build(home / "test.yaml", home / out, licence=licence)


def stage_of(home: Path, out: str = "out") -> Path:
    return home / out / "stages/1.3"


def test_a_commercial_build_reads_and_writes_the_allowed_sources_alone(home: Path) -> None:
    plan, facts = (files.read_json(f"{stage_of(home)}/{name}.json") for name in ("plan", "stage"))
    assert [line["source"] for line in plan["sources"]] == ["free"]
    assert (plan["licence"], plan["mixture"]) == ("commercial", "test+licence=commercial")
    assert list(facts["ledger"]["left_out"]) == ["shut"]
    assert not (home / "out/catalog/shut").exists()
    assert prove(str(stage_of(home)))["ok"]
    page = (stage_of(home) / "report.html").read_text()
    assert "1 source left out: shut (forbidden)" in page
    assert "shut: forbidden" in (stage_of(home) / "ATTRIBUTION.md").read_text()


def test_builds_with_and_without_a_licence_are_two_plans_that_refuse_one_folder(home: Path) -> None:
    with pytest.raises(
        UsageError, match=r"built from mixture test\+licence=commercial, not test; choose another"
    ):
        again(home, licence=None)
    whole = again(home, "whole", licence=None)
    assert whole["digest"] != files.read_json(f"{stage_of(home)}/stage.json")["digest"]
    assert whole["ledger"]["licence"] is None
    assert "licence" not in files.read_json(f"{stage_of(home, 'whole')}/plan.json")
    with pytest.raises(UsageError, match=r"built from mixture test, not test\+licence=commercial"):
        again(home, "whole")


def test_even_where_all_is_allowed_the_two_are_not_one_plan(home: Path) -> None:
    change(home, "shut", commercial="allowed")
    first, second = again(home, "a"), again(home, "b", licence=None)
    assert shard_digests(stage_of(home, "a")) == shard_digests(stage_of(home, "b"))
    assert first["digest"] != second["digest"]


@pytest.mark.parametrize("name", PAGES[:2])
@pytest.mark.parametrize("damage", ["lost", "edited"])
def test_a_page_that_was_lost_or_edited_is_told_and_made_again(home: Path, name: str, damage: str) -> None:
    path = stage_of(home) / name
    whole, tars = path.read_bytes(), stamps(stage_of(home), "*/**/*.tar")
    path.unlink() if damage == "lost" else path.write_bytes(whole + b" ")
    (error,) = prove(str(stage_of(home)))["errors"]
    assert name in error and ("missing" if damage == "lost" else "not what was built") in error
    again(home)
    assert path.read_bytes() == whole
    assert prove(str(stage_of(home)))["ok"]
    assert stamps(stage_of(home), "*/**/*.tar") == tars


def test_what_a_card_says_anew_is_written_down_and_no_shard_written_again(home: Path) -> None:
    before = files.read_json(f"{stage_of(home)}/stage.json")
    tars, page = stamps(stage_of(home), "*/**/*.tar"), (stage_of(home) / "ATTRIBUTION.md").read_text()
    change(home, "free", cite="Free, 2024", url="https://free.example")
    said = again(home)
    assert said["digest"] == before["digest"], "what a training rests on is as it was"
    assert stamps(stage_of(home), "*/**/*.tar") == tars
    now = (stage_of(home) / "ATTRIBUTION.md").read_text()
    assert now != page and "Free, 2024" in now
    assert "https://free.example" in (stage_of(home) / "croissant.json").read_text()
    assert again(home) == said


def test_equal_builds_in_two_places_have_equal_pages(home: Path) -> None:
    again(home, "elsewhere")
    for name in PAGES:
        assert (stage_of(home) / name).read_bytes() == (stage_of(home, "elsewhere") / name).read_bytes(), name


def test_the_command_names_once_what_it_leaves_out_and_stops_where_nothing_is_left(home: Path) -> None:
    command = ("build", "--stage", "1.3", "--mixture", home / "test.yaml", "--licence", "commercial", "--out")
    done = vita_data(*command, home / "out")
    assert (done.returncode, done.stderr.count("shut (forbidden)")) == (0, 1)
    change(home, "free", commercial="unclear")
    done = vita_data(*command, home / "new")
    assert done.returncode == 2
    assert (
        "nothing is left of mixture test for stage 1.3: shut is forbidden (CC0-1.0); free is unclear"
        in done.stderr
    )
    assert not (home / "new/catalog").exists()


def test_every_sample_is_counted_under_the_licence_that_its_source_states(home: Path) -> None:
    change(home, "shut", licence="cc-by-nc-4.0", commercial="forbidden")
    again(home, "whole", licence=None)
    page = (stage_of(home, "whole") / "report.html").read_text()
    facts = files.read_json(f"{stage_of(home, 'whole')}/stage.json")
    written = {line["source"]: line["written"] for line in facts["sources"]}
    for source, licence, use in (("free", "CC0-1.0", "allowed"), ("shut", "cc-by-nc-4.0", "forbidden")):
        cells = [use, source, *(written[source][name] for name in ("samples", "questions"))]
        row = page.split(f'<th scope="row">{licence}</th>')[1].split("</tr>")[0]
        assert [f">{cell}<" in row for cell in cells] == [True] * 4
