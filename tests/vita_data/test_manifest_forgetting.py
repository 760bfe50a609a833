"""How much of earlier stages a stage may forget: a key of its card, which its plan carries to the trainer."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests import ROOT
from tests.factories import run_build, two_sources
from vita_data import files
from vita_data.errors import ManifestError
from vita_data.manifest.find import load_stage

STAGES = ("1.1", "1.2", "1.3", "2.1", "2.2", "3.1", "3.2")


def card(home: Path, said: str) -> Path:
    """A folder of cards with stage 1.3 of another tolerance."""
    text = Path(str(ROOT), "stages", "1.3.yaml").read_text()
    (home / "stages").mkdir()
    (home / "stages" / "1.3.yaml").write_text(text.replace("forgetting: 0.02\n", said, 1))
    return home


def test_the_packaged_stages_with_none_before_them_have_nothing_to_forget() -> None:
    found = {stage: load_stage(stage).forgetting for stage in STAGES}
    assert [stage for stage, tolerance in found.items() if tolerance == "off"] == ["1.1", "3.1"]
    assert {tolerance for tolerance in found.values() if tolerance != "off"} == {0.02}
    assert all("forgetting" in load_stage(stage).why for stage in STAGES)


@pytest.mark.parametrize(
    ("said", "tolerance"), [("", 0.02), ("forgetting: off\n", "off"), ("forgetting: 0\n", 0.0)]
)
def test_a_card_says_a_part_or_off_and_is_careful_when_it_says_nothing(
    tmp_path: Path, said: str, tolerance: float | str
) -> None:
    assert load_stage("1.3", None, card(tmp_path, said)).forgetting == tolerance


@pytest.mark.parametrize(
    ("said", "complaint"), [("2", "not between 0 and 1"), ("some", "write a number or off")]
)
def test_another_value_is_refused_at_its_line(tmp_path: Path, said: str, complaint: str) -> None:
    with pytest.raises(ManifestError, match=rf"1\.3\.yaml:7: forgetting .*{complaint}"):
        load_stage("1.3", None, card(tmp_path, f"forgetting: {said}\n"))


def test_the_plan_carries_it_and_another_value_writes_no_shard_again(tmp_path: Path) -> None:
    path = two_sources(tmp_path)
    stage = tmp_path / "out" / "stages" / "1.3"
    run_build(path, tmp_path / "out", "1.3")
    assert files.read_json(str(stage / "plan.json"))["forgetting"] == 0.02
    before = {shard: shard.stat().st_mtime_ns for shard in stage.glob("shards/*.tar")}
    path.write_text(path.read_text().removesuffix("}") + ', "stages": {"1.3": {"forgetting": "off"}}}')
    run_build(path, tmp_path / "out", "1.3")
    assert files.read_json(str(stage / "plan.json"))["forgetting"] == "off"
    assert before == {shard: shard.stat().st_mtime_ns for shard in stage.glob("shards/*.tar")} != {}
