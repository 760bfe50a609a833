"""Checkpoints: whole or not there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vita_data import files
from vita_data.errors import UsageError, VitaError
from vita_model.config.presets import tiny
from vita_model.nets.vita import build
from vita_model.train import checkpoint, tensors
from vita_model.train.folder import begin, cut_metrics, held
from vita_model.train.tensors import Tensors, write


def make(run: Path, step: int, finished: bool = True) -> Path:
    folder = run / "checkpoints" / f"step-{step:08d}"
    folder.mkdir(parents=True)
    write(folder, "model", iter({"weight": torch.ones(4)}.items()), keep=True)
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    if finished:
        files.write_json(str(folder / "complete.json"), {"step": step, "files": sizes})
    return folder


def test_the_last_complete_checkpoint_is_found_and_a_half_written_one_never(tmp_path: Path) -> None:
    make(tmp_path, 10)
    make(tmp_path, 30, finished=False)
    second = make(tmp_path, 20)
    (tmp_path / "checkpoints" / "step-00000040.partial").mkdir()
    assert checkpoint.find(tmp_path) == second
    assert checkpoint.find(second) == second


def test_a_folder_without_one_is_refused(tmp_path: Path) -> None:
    make(tmp_path, 5, finished=False)
    with pytest.raises(UsageError, match="holds no complete checkpoint"):
        checkpoint.find(tmp_path)


def test_a_checkpoint_with_a_cut_file_is_refused_with_its_name(tmp_path: Path) -> None:
    folder = make(tmp_path, 5)
    path = next(folder.glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(VitaError, match=r"model-00001\.safetensors is missing or not"):
        checkpoint.facts(folder)


def test_tensors_of_several_files_read_back_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensors, "FILE_BYTES", 100)
    made = {f"w{n}": torch.randn(3, n + 1) for n in range(9)}
    write(tmp_path, "model", iter(made.items()), keep=True)
    stored = Tensors(tmp_path, "model")
    assert len(list(tmp_path.iterdir())) > 1 and stored.names() == set(made)
    assert all(torch.equal(stored.read(name), value) for name, value in made.items())
    with pytest.raises(VitaError, match="no tensor w9"):
        stored.read("w9")


def test_weights_of_another_model_are_refused_by_the_name_of_the_tensor(tmp_path: Path) -> None:
    model = build(tiny(), 0)
    named = dict(model.state_dict())
    write(tmp_path, "model", iter({**named, "projector.0.bias": torch.zeros(3)}.items()), keep=True)
    with pytest.raises(VitaError, match=r"projector\.0\.bias as \(3,\), the model as \(160,\)"):
        checkpoint.load_weights(model, tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    write(other, "model", iter({**named, "codec.weight": torch.zeros(3)}.items()), keep=True)
    with pytest.raises(VitaError, match=r"differ at codec\.weight"):
        checkpoint.load_weights(model, other)


ASKED = {"stage": "1.1", "preset": "tiny", "seed": 1, "precision": "fp32", "plan_digest": "a", "init": []}


def test_a_run_folder_that_holds_something_is_refused_without_resume(tmp_path: Path) -> None:
    begin(tmp_path / "new", ASKED, resume=False)
    with pytest.raises(UsageError, match="is not empty"):
        begin(tmp_path / "new", ASKED, resume=False)
    begin(tmp_path / "new", ASKED, resume=True)


def test_a_run_does_not_go_on_with_another_seed(tmp_path: Path) -> None:
    begin(tmp_path, ASKED, resume=True)
    with pytest.raises(UsageError, match="seed 1 and this call has 2"):
        begin(tmp_path, {**ASKED, "seed": 2}, resume=True)


def test_a_run_without_a_checkpoint_goes_on_from_what_it_was_started_with(tmp_path: Path) -> None:
    begin(tmp_path, {**ASKED, "init": ["weights"]}, resume=False)
    with pytest.raises(UsageError, match=r"init \['weights'\] and this call has \[\]"):
        begin(tmp_path, ASKED, resume=True)
    begin(tmp_path, ASKED, resume=True, step=2)  # the checkpoint holds what it was started from


def test_a_run_that_another_training_holds_is_refused_until_that_one_ends(tmp_path: Path) -> None:
    with held(tmp_path, writes=True):
        with held(tmp_path, writes=False), pytest.raises(UsageError, match="another training is writing"):
            held(tmp_path, writes=True).__enter__()
        begin(tmp_path, ASKED, resume=False)
    with held(tmp_path, writes=True):
        begin(tmp_path, ASKED, resume=True)


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    code = f"""
import resource, signal, torch
from pathlib import Path
from vita_data.errors import VitaError
from vita_model.train.tensors import write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
try:
    write(Path({str(tmp_path)!r}) / "partial", "model", [("w", torch.zeros(1 << 16))], True)
except VitaError as error:
    print(error)
"""
    (tmp_path / "partial").mkdir()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "model-00001.safetensors cannot be written" in done.stdout, done.stderr
    assert "free space" in done.stdout and not (tmp_path / "partial").exists()


@pytest.fixture()
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    def write_metrics(data: bytes) -> Path:
        (tmp_path / "metrics.jsonl").write_bytes(data)
        return tmp_path / "metrics.jsonl"

    return write_metrics


def test_metrics_are_cut_to_the_steps_of_the_checkpoint(
    tmp_path: Path, written: Callable[[bytes], Path]
) -> None:
    path = written(b'{"step":0}\n{"step":1}\n{"step":2}\n')
    cut_metrics(tmp_path, 2)
    assert path.read_bytes() == b'{"step":0}\n{"step":1}\n'


def test_a_line_that_a_kill_cut_is_dropped(tmp_path: Path, written: Callable[[bytes], Path]) -> None:
    path = written(b'{"step":0}\n{"st')
    cut_metrics(tmp_path, 2)
    assert path.read_bytes() == b'{"step":0}\n'
