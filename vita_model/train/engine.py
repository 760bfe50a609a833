"""DeepSpeed around the model: the process group, the configuration, one engine for ZeRO 0 to 3.

Runs as one plain process, or as many under a launcher that sets RANK, WORLD_SIZE and the master's
address, as torchrun and `deepspeed` do, or under Slurm's srun. Gradients are averaged over ranks by DeepSpeed,
so a loss is scaled by the world size before it is handed over; accumulation is not scaled a second time.
"""

from __future__ import annotations

import logging
import os
import socket
from typing import Any

import torch
from torch import distributed, nn

from vita_data.errors import UsageError
from vita_data.manifest.schedule import Schedule
from vita_model.train.launch import from_slurm
from vita_model.train.parts import groups

NEVER = 1 << 40


def start_processes() -> tuple[int, int]:
    """Joins the process group (gloo on CPUs, nccl on GPUs), alone when no launcher says otherwise.

    Returns (rank, world size).
    """
    if distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    if not torch.cuda.is_available():
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
    from_slurm()
    if "RANK" not in os.environ:
        alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}
        os.environ.update(alone, MASTER_PORT=str(_free_port()))
    import deepspeed

    from vita_model.train.shared_memory import avoid_compiling

    logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
    if not torch.cuda.is_available():
        avoid_compiling()
    deepspeed.init_distributed("nccl" if torch.cuda.is_available() else "gloo", verbose=False)
    return distributed.get_rank(), distributed.get_world_size()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_engine(
    model: nn.Module, schedule: Schedule, zero: int, rounds: int, offload: str | None = None
) -> Any:
    """A DeepSpeed engine that steps every `rounds` packs, with torch's fused AdamW, which needs no compiler.

    `offload` names what is kept in the memory of the machine instead of the GPU's: "optimizer", "parameters" or
    "both".
    """
    import deepspeed

    optimizer = torch.optim.AdamW(
        groups(model, schedule.weight_decay), lr=schedule.learning_rate, betas=schedule.betas, fused=True
    )
    engine, *_ = deepspeed.initialize(
        model=model, optimizer=optimizer, config=_config(schedule, zero, rounds, offload)
    )
    if zero == 0 and distributed.get_world_size() == 1:
        engine.enable_backward_allreduce = (
            False  # a tenth of a small model's step, for gradients of nobody else
        )
    return engine


def check_engine(precision: str, zero: int, offload: str | None) -> None:
    """UsageError for a number format or an offloading that a ZeRO stage cannot do."""
    if precision == "bf16" and zero == 0:
        raise UsageError(
            "bf16 keeps fp32 master weights in ZeRO's partitions; take --zero 1, 2 or 3, or fp32."
        )
    if offload and zero == 0:
        raise UsageError(
            "ZeRO 0 has no partitions that could be kept elsewhere; give --offload with --zero 1, 2 or 3."
        )
    if offload in ("parameters", "both") and zero < 3:
        raise UsageError(
            f"ZeRO {zero} needs every weight on each GPU; give --offload {offload} with --zero 3, or offload the "
            "optimizer alone."
        )


def _config(schedule: Schedule, zero: int, rounds: int, offload: str | None) -> dict[str, Any]:
    bf16 = schedule.precision == "bf16"
    elsewhere = {"device": "cpu", "pin_memory": torch.cuda.is_available()}
    offloaded = {
        name: elsewhere
        for name, asked in (("offload_optimizer", "optimizer"), ("offload_param", "parameters"))
        if offload in (asked, "both")
    }
    return {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": rounds,
        "gradient_clipping": schedule.clip or 0.0 if zero else 0.0,
        "zero_optimization": {
            "stage": zero,
            "overlap_comm": False,
            "contiguous_gradients": True,
            **offloaded,
        },
        "zero_force_ds_cpu_optimizer": False,  # DeepSpeed's own Adam for CPUs is compiled at its first use
        "bf16": {"enabled": bf16},
        **({"data_types": {"grad_accum_dtype": "fp32"}} if bf16 else {}),
        "steps_per_print": NEVER,
    }


def set_rates(engine: Any, vision: float, other: float) -> None:
    """Sets the learning rate of every optimizer group, the vision tower's apart."""
    for group in engine.optimizer.param_groups:
        group["lr"] = vision if group["vision"] else other


def offloads(engine: Any) -> bool:
    """Whether the optimizer of an engine lies in the machine's memory."""
    return bool(engine.zero_cpu_offload())


def forget_gradients(engine: Any) -> None:
    """Empties what ZeRO 3 collects gradients in, after they were used.

    It does so by itself only for parameters with a gradient in the first round of a step; to what is left of the
    others it would add the next one.
    """
    if engine.zero_optimization_stage() == 3:
        engine.optimizer.grad_partitions_flat_buffer.zero_()


def clip_plain(engine: Any, clip: float | None) -> float | None:
    """At ZeRO 0 clips the reduced gradients to a norm and returns what it was; None where the engine clips.

    What has no gradient gets zeros, alone as among others, so that its moments fade alike. In float64, as torch's
    float32 norm of a large tensor was seen 3e-4 off on a CPU, which ZeRO's is not.
    """
    if engine.zero_optimization_stage() > 0:
        return None
    weights = [weight for group in engine.basic_optimizer.param_groups for weight in group["params"]]
    for weight in weights:
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
    grads = [weight.grad for weight in weights]
    norm = float(torch.stack([torch.linalg.vector_norm(grad, dtype=torch.float64) for grad in grads]).norm())
    if clip is not None and norm > clip:
        torch._foreach_mul_(grads, clip / (norm + 1e-6))
    return norm


def stop_processes() -> None:
    """Leaves the process group."""
    distributed.destroy_process_group()


def total(values: list[int] | list[float], device: torch.device) -> list[float]:
    """Sums of some numbers over all ranks, in float64."""
    tensor = torch.tensor(values, dtype=torch.float64, device=device)
    distributed.all_reduce(tensor)
    return [float(value) for value in tensor]


def gathered(value: list[str]) -> list[str]:
    """The lists of all ranks as one, by rank."""
    found: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(found, value)
    return [name for names in found for name in names]
