"""What a mixture sets of single stages: any key, strictly, over options and `training`, and told as a difference."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.factories import run_build, stamps, two_sources
from vita_data import files
from vita_data.cli.main import main
from vita_data.errors import ManifestError
from vita_data.manifest.differences import differences, rule_differences
from vita_data.manifest.find import load_mixture, load_stage
from vita_data.manifest.options import with_options
from vita_data.manifest.stage import StageCard


def mixture_file(home: Path, stages: str, more: str = "") -> Path:
    """A mixture of one packaged source; what it says of stages begins at line 5."""
    path = home / "mine.yaml"
    path.write_text(
        f"mixture: mine\ntitle: Mine\nsources:\n  - {{source: chatqa, questions: 10}}\nstages:\n{stages}\n{more}"
    )
    return path


def settled(path: Path, stage: str, *options: str) -> StageCard:
    """A stage as the mixture of that file has it."""
    card, _ = with_options(load_stage(stage), load_mixture(str(path)), options)
    return card


def test_any_key_at_any_depth_is_changed_and_all_else_stays(tmp_path: Path) -> None:
    path = mixture_file(
        tmp_path,
        '  "2.2": {spoken_share: 0.25, shares: {caption: 1}, schedule: {epochs: 4, clip: null}}\n'
        '  "2.1": {halves: {a: {loss: ctc, schedule: {learning_rate: 1e-3}}}}',
    )
    before, after = load_stage("2.2"), settled(path, "2.2")
    assert after.spoken_share == 1 / 4 and after.shares == replace(before.shares, caption=Fraction(1))
    assert after.schedule is not None and before.schedule is not None
    assert (after.schedule.epochs, after.schedule.clip) == (4, None)
    assert after.schedule.learning_rate == before.schedule.learning_rate and after.trains == before.trains
    halves = settled(path, "2.1").halves
    assert halves["a"].schedule.learning_rate == 1e-3 and halves["b"] == load_stage("2.1").halves["b"]
    assert settled(path, "1.3") == load_stage("1.3")


def test_it_comes_after_the_options_and_after_what_is_set_for_all(tmp_path: Path) -> None:
    path = mixture_file(
        tmp_path,
        '  "2.2": {schedule: {learning_rate: 3e-3}}',
        "training: {learning_rate: 1e-3, global_batch: 2}\n",
    )
    schedule = settled(path, "2.2", "single-node").schedule
    assert schedule is not None and (schedule.learning_rate, schedule.global_batch) == (3e-3, 2)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (
            '"2.2": {schedule: {epoch: 3}}',
            r"mine.yaml:6: unknown key stages.2.2.schedule.epoch; write epochs",
        ),
        (
            '"2.2": {needs: ["1.1"]}',
            r"mine.yaml:6: unknown key stages.2.2.needs; the keys here are reason, shares",
        ),
        (
            '"2.1": {schedule: {epochs: 3}}',
            r"mine.yaml:6: stage 2.1: it trains in halves; write `halves: {a: ",
        ),
        ('"2.1": {halves: {c: {loss: lm}}}', r"mine.yaml:6: stage 2.1: it has no half c; write a or b"),
        (
            '"1.1": {halves: {a: {loss: lm}}}',
            r"it has no half a; it trains in one run, so leave `halves` out",
        ),
        ('"2.4": {pure_text: false}', r"mine.yaml:6: there is no stage card 2.4 .*; write 2.2"),
        ('"1.1": {schedule: {decay: exponential}}', r"stage 1.1: decay exponential does not fit decay_rate"),
        ('"2.1": {halves: {a: {loss_weights: {lm: 2}}}}', r"mine.yaml:6: stage 2.1: .*lm"),
        (
            '"1.1": {shares: {asr: 1}}',
            r"stage 1.1: shares.asr is not counted in questions; write caption or qa",
        ),
        ('"1.1": {shares: {qa: 5}}', r"stages.1.1.shares.qa 5 is above 1; .* write 0.05"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_line(tmp_path: Path, said: str, complaint: str) -> None:
    with pytest.raises(ManifestError, match=complaint):
        load_mixture(str(mixture_file(tmp_path, f"  {said}")))


def test_every_difference_names_who_says_so_and_why(tmp_path: Path) -> None:
    path = mixture_file(
        tmp_path,
        '  "2.2": {negatives: 0.1, reason: Noisy rooms, schedule: {epochs: 4, reason: Small data}, spoken_share: 0.5}',
        "training: {precision: fp32}\nholdout: {least: 5}\n",
    )
    mixture = load_mixture(str(path))
    found = {
        each.key: (each.to_json()["value"], each.by, each.reason)
        for each in differences("2.2", mixture, ["single-node"])
    }
    reason = load_stage("2.2").options["single-node"].reason
    assert found == {
        "negatives": (0.1, "stages", "Noisy rooms"),
        "schedule.epochs": (4, "stages", "Small data"),
        "schedule.precision": ("fp32", "training", None),
        "schedule.learning_rate": (2e-5, "option single-node", reason),
        "schedule.global_batch": (128, "option single-node", reason),
    }
    assert ("holdout.least", 20, 5) in [
        (each.key, each.card, each.value) for each in rule_differences(mixture)
    ]
    assert differences("1.3", load_mixture("paper")) == [] == rule_differences(load_mixture("paper"))


def test_plan_tells_what_differs(tmp_path: Path) -> None:
    path = mixture_file(tmp_path, '  "1.3": {shares: {qa: 0.5}, reason: Half is enough}')
    asked = ["plan", "--stage", "1.3", "--mixture", str(path), "--out", str(tmp_path / "none")]
    told = CliRunner().invoke(main, asked).output
    assert told.endswith("differs from the card:\n  shares.qa: 1 -> 0.5 (Half is enough)\n")
    said = json.loads(CliRunner().invoke(main, [*asked, "--json"]).output)
    wanted = {"key": "shares.qa", "card": 1, "value": 0.5, "by": "stages", "reason": "Half is enough"}
    assert said["differs"] == [wanted] and said["total"]["questions"] == 5


def test_another_schedule_makes_another_plan_and_writes_no_shard_again(tmp_path: Path) -> None:
    path = two_sources(tmp_path)
    first = run_build(path, tmp_path / "out", "1.3")
    shards = stamps(tmp_path / "out/stages/1.3", "**/shards/*.tar")
    path.write_text(path.read_text().removesuffix("}") + ', "stages": {"1.3": {"schedule": {"epochs": 3}}}}')
    second = run_build(path, tmp_path / "out", "1.3")
    assert first["digest"] != second["digest"] and shards == stamps(
        tmp_path / "out/stages/1.3", "**/shards/*.tar"
    )
    assert files.read_json(str(tmp_path / "out/stages/1.3/plan.json"))["schedule"]["epochs"] == 3
