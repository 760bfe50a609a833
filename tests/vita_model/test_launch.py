"""Who a process is among many, and what each of them says when something is wrong with it alone."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vita_model.train.launch import first_node, from_slurm, rank, world_size

ROOT = Path(__file__).parents[2]
STEP = {"SLURM_PROCID": "3", "SLURM_NTASKS": "8", "SLURM_STEP_ID": "0", "SLURM_LOCALID": "1"}
Outside = Callable[[], dict[str, str]]


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("gpu[03-07,9],head", "gpu03"),
        ("a-1,b", "a-1"),
        ("rack[2,4]n[08-09]", "rack2n08"),
        ("alone.example", "alone.example"),
    ],
)
def test_the_first_machine_of_slurms_list_is_the_master(nodes: str, first: str) -> None:
    assert first_node(nodes) == first


def test_what_srun_says_is_read_where_no_other_launcher_has_spoken() -> None:
    said = {**STEP, "SLURM_NODELIST": "gpu[03-07]", "SLURM_JOB_ID": "77"}
    assert (rank(said), world_size(said)) == (3, 8)
    from_slurm(said)
    assert {name: said[name] for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR")} == {
        "RANK": "3",
        "WORLD_SIZE": "8",
        "LOCAL_RANK": "1",
        "MASTER_ADDR": "gpu03",
    }
    assert 1024 < int(said["MASTER_PORT"]) < 65536
    other = {**STEP, "RANK": "1", "WORLD_SIZE": "2"}
    from_slurm(other)
    assert (rank(other), world_size(other)) == (1, 2) and "MASTER_ADDR" not in other


def test_a_batch_script_without_srun_is_one_process() -> None:
    said = {name: value for name, value in STEP.items() if name != "SLURM_STEP_ID"}
    from_slurm(said)
    assert (rank(said), world_size(said)) == (0, 1) and "RANK" not in said


def by_slurm(environment: dict[str, str], *calls: list[object]) -> list[subprocess.CompletedProcess[str]]:
    """`vita-model` as srun starts it, a process each call."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = {"SLURM_NTASKS": str(len(calls)), "SLURM_STEP_ID": "0", "MASTER_PORT": str(port)}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "vita_model", *map(str, call)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**environment, **common, "SLURM_NODELIST": "127.0.0.1", "SLURM_PROCID": str(number)},
        )
        for number, call in enumerate(calls)
    ]
    found = [process.communicate(timeout=240) for process in started]
    return [
        subprocess.CompletedProcess(process.args, process.returncode, out, err)
        for process, (out, err) in zip(started, found, strict=True)
    ]


@pytest.mark.slow
def test_a_step_of_slurm_trains_and_one_process_answers(
    make_stage: Callable[..., Path], tmp_path: Path, outside: Outside
) -> None:
    make_stage(tmp_path, "1.2", shards=1, held_out=0)
    asked = ["train", "--stage", "1.2", "--data", tmp_path, "--out", tmp_path / "run", "--json"]
    first, second = by_slurm(outside(), asked, asked)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert json.loads(first.stdout)["step"] == 2 and not second.stdout
    assert json.loads((tmp_path / "run" / "run.json").read_text())["world_size"] == 2


@pytest.mark.slow
def test_ranks_that_do_not_share_a_folder_are_told_so_in_one_sentence(
    make_stage: Callable[..., Path], tmp_path: Path, outside: Outside
) -> None:
    make_stage(tmp_path, "1.2", shards=1, held_out=0)
    asked = ["train", "--stage", "1.2", "--data", tmp_path, "--out"]
    first, second = by_slurm(outside(), [*asked, tmp_path / "mine"], [*asked, tmp_path / "yours"])
    assert first.returncode == second.returncode == 2
    for said in (first.stderr, second.stderr):
        assert "1 of 2 ranks, such as 1, do not see the run" in said and "Traceback" not in said
    assert "vita-model (rank 1): " in second.stderr


@pytest.mark.slow
def test_an_error_of_another_rank_is_said_by_it_and_a_lost_peer_is_one_sentence(
    make_stage: Callable[..., Path], tmp_path: Path, outside: Outside
) -> None:
    make_stage(tmp_path / "whole", "1.2", shards=1, held_out=0)
    damaged = make_stage(tmp_path / "damaged", "1.2", shards=1, held_out=0)
    shard = damaged / "shards" / "00000.tar"
    shard.write_bytes(shard.read_bytes().replace(b"conversations", b"conversationz"))
    asked = ["train", "--stage", "1.2", "--out", tmp_path / "run", "--data"]
    first, second = by_slurm(outside(), [*asked, tmp_path / "whole"], [*asked, tmp_path / "damaged"])
    assert second.returncode == 1 and "vita-model (rank 1): " in second.stderr
    assert "is not what its index says" in second.stderr
    assert first.returncode == 1 and "another rank has ended and says why itself" in first.stderr
    assert "Traceback" not in first.stderr
