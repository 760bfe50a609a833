"""Which of many processes this one is, by what its launcher says: torchrun's variables, or those of Slurm's srun.

Free of heavy imports, so that a command knows who it is before anything else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping

PORTS = range(20000, 32000)  # below those that systems hand out by themselves


def rank(said: Mapping[str, str] = os.environ) -> int:
    """The number of this process, 0 where it is alone."""
    return int(said.get("RANK", said["SLURM_PROCID"] if _by_slurm(said) else "0"))


def world_size(said: Mapping[str, str] = os.environ) -> int:
    """How many processes there are."""
    return int(said.get("WORLD_SIZE", said["SLURM_NTASKS"] if _by_slurm(said) else "1"))


def from_slurm(said: MutableMapping[str, str] = os.environ) -> None:
    """Says what srun says in torchrun's variables, as torch and DeepSpeed read it; what is set already stays.

    The master is the first machine of the job, its port follows from the job's and step's numbers.
    """
    if "RANK" in said or not _by_slurm(said):
        return
    nodes = said.get("SLURM_STEP_NODELIST") or said.get("SLURM_NODELIST") or "127.0.0.1"
    number = int(said.get("SLURM_JOB_ID", "0")) * 31 + int(said["SLURM_STEP_ID"])
    for name, value in (
        ("RANK", said["SLURM_PROCID"]),
        ("WORLD_SIZE", said["SLURM_NTASKS"]),
        ("LOCAL_RANK", said.get("SLURM_LOCALID", "0")),
        ("MASTER_ADDR", first_node(nodes)),
        ("MASTER_PORT", str(PORTS[number % len(PORTS)])),
    ):
        said.setdefault(name, value)


def first_node(nodes: str) -> str:
    """The first machine of a list as Slurm writes it: `gpu[03-07,9],head` begins with gpu03."""
    first = re.split(r",(?![^\[]*\])", nodes)[0]
    return re.sub(r"\[([^\],-]+)[^\]]*\]", r"\1", first)


def _by_slurm(said: Mapping[str, str]) -> bool:
    """Whether srun started this process; a batch script that it did not start has a job, and no step."""
    return all(name in said for name in ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_STEP_ID"))
