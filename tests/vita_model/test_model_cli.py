"""`vita-model` as a command: what it prints, and what it imports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vita_model.cli.main import main


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> Path:
    return make_stage(tmp_path_factory.mktemp("order"), held_out=0, schedule={"epochs": 2})


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["train", "--help"], ["encode", "--help"], ["order", "--help"], ["info", "--help"]],
)
def test_help_needs_no_torch(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom vita_model.cli.main import main\n"
        f"try:\n    main({arguments})\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print({'torch', 'transformers', 'deepspeed', 'pyarrow'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage:" in done.stdout and done.stderr.strip() == "set()"


def test_order_prints_one_object_that_does_not_depend_on_the_world_size(stage: Path) -> None:
    seen = {}
    for world in (1, 2, 3):
        result = call("order", "--data", stage, "--steps", "0:6", "--world-size", world, "--json")
        steps = json.loads(result.stdout)["steps"]
        assert [step["step"] for step in steps] == list(range(6)) and len(steps[0]["ranks"]) == world
        seen[world] = [sorted(key for rank in step["ranks"] for key in rank) for step in steps]
    assert seen[1] == seen[2] == seen[3]
    epochs = [sorted(chain.from_iterable(seen[1][first : first + 3])) for first in (0, 3)]
    assert epochs[0] == epochs[1] and len(set(epochs[0])) == 24


def test_order_reads_no_media(stage: Path) -> None:
    hidden = stage.with_name("hidden")
    (stage / "shards").rename(hidden)
    try:
        assert call("order", "--data", stage, "--steps", "0:1").exit_code == 0
    finally:
        hidden.rename(stage / "shards")


@pytest.mark.parametrize("steps", ["0:7", "3:3", "-1:2", "some"])
def test_steps_that_are_not_there_are_refused(stage: Path, steps: str) -> None:
    result = call("order", "--data", stage, f"--steps={steps}")
    assert result.exit_code == 2 and f"--steps {steps} is" in result.stderr


def test_a_stage_that_is_not_built_is_refused_with_what_to_do(tmp_path: Path) -> None:
    result = call("train", "--stage", "1.1", "--data", tmp_path, "--out", tmp_path / "run")
    assert result.exit_code == 1 and "run `vita-data build`" in result.stderr
    assert not (tmp_path / "run").exists()


def test_info_counts_every_part_of_the_papers_model() -> None:
    found = json.loads(call("info", "--preset", "vita-1.5", "--stage", "1.1", "--json").stdout)
    assert found["total"] == sum(part["parameters"] for part in found["parts"])
    trained = {part["part"] for part in found["parts"] if part["trainable"]}
    assert trained == {"projector"}


def test_info_prints_a_table_for_people() -> None:
    result = call("info", "--preset", "tiny")
    assert result.exit_code == 0 and "projector" in result.stdout and "total" in result.stdout
