"""`vita-model export`: what others get, and what a training that goes on from it learns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from vita_data.errors import UsageError
from vita_data.shards.read import Stage
from vita_model.cli.main import main
from vita_model.config import presets
from vita_model.config.lora import asked_lora
from vita_model.eval.opened import open_model
from vita_model.export.program import export
from vita_model.nets.vita import build
from vita_model.train import checkpoint
from vita_model.train.options import Options
from vita_model.train.program import train

Metrics = Callable[[Path], list[dict[str, Any]]]
SOURCES = [{"source": "squares", "licence": "CC-BY-4.0"}, {"source": "others", "licence": "CC0-1.0"}]


@pytest.fixture(autouse=True, scope="module")
def sayable() -> Iterator[None]:
    """A tiny model whose speech decoder released files can describe: half as many NAR as AR blocks."""
    plain = presets.tiny()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            presets.PRESETS, "tiny", lambda: replace(plain, decoder=replace(plain.decoder, nar_layers=1))
        )
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> str:
    out = tmp_path_factory.mktemp("export")
    make_stage(out, "1.1", shards=1, held_out=0, trains=["projector"], sources=SOURCES)
    make_stage(out, "1.2", shards=1, held_out=2, needs=["1.1"], sources=SOURCES[:1])
    make_stage(out, "1.3", shards=1, held_out=0, needs=["1.2"])
    return str(out)


@pytest.fixture(scope="module")
def run(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("runs")
    train(Options("1.1", data, "tiny", home / "first"))
    lora = asked_lora(2, None, ("q_proj", "down_proj"))
    train(Options("1.2", data, "tiny", home / "second", init=(home / "first",), lora=lora))
    return home / "second"


@pytest.fixture(scope="module")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "folder"
    result = CliRunner().invoke(main, ["export", str(run), "--out", str(out), "--json"])
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["folder"] == str(out)
    return out


def test_a_stage_learns_the_same_from_the_folder_as_from_the_run(
    data: str, run: Path, exported: Path, tmp_path: Path, metrics: Metrics
) -> None:
    for name, place in (("run", run), ("folder", exported)):
        train(Options("1.3", data, "tiny", tmp_path / name, init=(place,)))
    wanted, found = metrics(tmp_path / "run"), metrics(tmp_path / "folder")
    assert [line["loss"] for line in found] == [line["loss"] for line in wanted]


def test_the_folder_holds_what_was_learned_with_its_additions_merged(run: Path, exported: Path) -> None:
    wanted = build(presets.preset("tiny"), 0)
    checkpoint.load_weights(wanted, checkpoint.find(run))
    found = open_model(exported, "tiny").model.state_dict()
    heads = ("state_head.", "ctc_head.")
    names = [name for name in wanted.state_dict() if not name.startswith(heads) and not name.endswith("idle")]
    assert all(torch.equal(found[name].cpu(), wanted.state_dict()[name]) for name in names)


def test_the_lineage_says_of_each_stage_which_data_it_has_seen(data: str, run: Path, exported: Path) -> None:
    said = json.loads((exported / "lineage.json").read_text())
    assert set(said["stages"]) == {"1.1", "1.2"} and said["merged_lora"]["rank"] == 2
    for name, told in said["stages"].items():
        stage = Stage(f"{data}/stages/{name}")
        assert told["stage_digest"] == stage.plan["digest"] and len(told["packs_digest"]) == 16
        assert told["step"] == 2 and told["final"]
    assert said["stages"]["1.1"]["plan_digest"] != said["stages"]["1.2"]["plan_digest"]
    assert said["stages"]["1.1"]["sources"]["squares"]["licence"] == "CC-BY-4.0"
    assert said["parts"]["projector"] == "1.2" and said["scores"] == checkpoint.facts(
        checkpoint.find(run)
    ).get("scores", {})


def test_every_file_is_listed_with_its_sha256(exported: Path) -> None:
    said = json.loads((exported / "lineage.json").read_text())["files"]
    there = {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()}
    assert set(said) == there - {"lineage.json"} and "README.md" in said
    for name, told in said.items():
        assert told["sha256"] == hashlib.sha256((exported / name).read_bytes()).hexdigest(), name


def test_the_card_is_for_people(exported: Path) -> None:
    card = (exported / "README.md").read_text()
    assert card.startswith("---\nlicense: other\n")
    assert "# VITA, preset tiny, from the end of stage 1.2" in card
    assert "| 1.1 | squares | CC-BY-4.0 | - | 100.0% |" in card and "| projector | 1.2 |" in card
    assert "LoRA of rank 2 has learned is part of the language model's weights" in card


def test_what_is_no_run_and_a_folder_that_is_there_are_refused(
    run: Path, exported: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="holds released weights already"):
        export(exported, tmp_path / "again")
    with pytest.raises(UsageError, match="is there already"):
        export(run, exported)
    assert not (tmp_path / "again").exists()
