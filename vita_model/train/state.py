"""Weights and optimizer moments as whole tensors by name, whatever the ZeRO stage and world size.

A checkpoint is made of these, so one that was written at one ZeRO stage and world size is read at any
other, with fp32 weights and moments equal to the bit. DeepSpeed's own accessors do the gathering; where it
keeps the flat partitions they live in is private, and is touched in this file only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import distributed, nn

from vita_model.train.parts import trainable

MOMENTS = ("exp_avg", "exp_avg_sq")
MASTER = "master"


def weights(engine: Any, wanted: Callable[[str], bool]) -> Iterator[tuple[str, torch.Tensor]]:
    """Every parameter and kept buffer whose name is wanted, gathered one at a time; what is trained as its fp32 master.

    All ranks must go through it together.
    """
    from deepspeed.runtime.zero import GatheredParameters
    from deepspeed.utils import safe_get_full_fp32_param

    for name, weight in engine.module.state_dict(keep_vars=True).items():
        if not wanted(name):
            continue
        if engine.bfloat16_enabled() and weight.requires_grad:
            yield name, safe_get_full_fp32_param(weight)
        else:
            with GatheredParameters([weight], enabled=hasattr(weight, "ds_id")):
                yield name, weight.detach()


def moments(engine: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """`<kind>/<parameter>` of what is trained: both Adam moments."""
    from deepspeed.utils import safe_get_full_optimizer_state

    plain = engine.zero_optimization_stage() == 0
    _link(engine)
    for name, weight in trainable(engine.module).items():
        for kind in MOMENTS:
            if plain:
                yield f"{kind}/{name}", engine.basic_optimizer.state[weight][kind]
            else:
                yield f"{kind}/{name}", safe_get_full_optimizer_state(weight, kind)


def set_masters(engine: Any, given: Mapping[str, torch.Tensor]) -> None:
    """Lets bf16 training begin with these weights, by name: the engine has made its fp32 masters of rounded ones."""
    if engine.bfloat16_enabled():
        for name, weight in trainable(engine.module).items():
            if name in given:
                _put(engine, weight, MASTER, given[name])


def restore(engine: Any, read: Callable[[str], torch.Tensor], step: int) -> None:
    """Puts moments back, as after `step` updates; the weights came before."""
    state = engine.basic_optimizer.state
    for flat in _partitions(engine):
        count = torch.tensor(float(step), device=flat.device)
        state[flat] = {"step": count, **{kind: torch.zeros_like(flat) for kind in MOMENTS}}
    _link(engine)
    for name, weight in trainable(engine.module).items():
        for kind in MOMENTS:
            _put(engine, weight, kind, read(f"{kind}/{name}"))


def restart_rows(engine: Any, weight: nn.Parameter, rows: torch.Tensor) -> None:
    """Lets rows that were written into a parameter last: its master follows, their moments are zero (ZeRO 0 to 2).

    All ranks call it with the same rows.
    """
    from deepspeed import utils

    if engine.zero_optimization_stage() == 0:
        for kind in MOMENTS:
            engine.basic_optimizer.state[weight][kind][rows] = 0.0
        return
    _link(engine)
    for kind in MOMENTS:
        moment = utils.safe_get_full_optimizer_state(weight, kind).clone()
        moment[rows] = 0.0
        utils.safe_set_full_optimizer_state(weight, moment, kind)
    utils.safe_set_full_fp32_param(weight, weight.detach().clone())


def _partitions(engine: Any) -> list[torch.Tensor]:
    """The tensors that the base optimizer steps: parameters at ZeRO 0, else this rank's flat partitions."""
    for attribute in (
        "fp32_partitioned_groups_flat",
        "single_partition_of_fp32_groups",
        "fp32_groups_flat_partition",
    ):
        if hasattr(engine.optimizer, attribute):
            return list(getattr(engine.optimizer, attribute))
    return list(trainable(engine.module).values())


def _link(engine: Any) -> None:
    """Lets DeepSpeed find the moments of a parameter in its flat partitions (ZeRO 1 and 2).

    It links them by itself after stepping the first optimizer group, when later groups have none yet, and
    then takes the work for done; so it is asked again.
    """
    if hasattr(engine.optimizer, "_lazy_init_hp_params_optimizer_state"):
        engine.optimizer._hp_optimizer_states_linked = False
        engine.optimizer._lazy_init_hp_params_optimizer_state()


def _put(engine: Any, weight: Any, kind: str, value: torch.Tensor) -> None:
    from deepspeed import utils

    if engine.zero_optimization_stage() == 0:
        engine.basic_optimizer.state[weight][kind].copy_(value)
    elif hasattr(weight, "ds_id"):
        share = weight.ds_tensor.numel()
        padded = nn.functional.pad(value.flatten(), (0, share * distributed.get_world_size() - value.numel()))
        mine = padded[share * distributed.get_rank() :][:share]
        if kind == MASTER:
            utils.safe_set_local_fp32_param(weight, mine)
        else:
            utils.safe_set_local_optimizer_state(weight, mine, kind)
    elif kind == MASTER:
        utils.safe_set_full_fp32_param(weight, value)
    else:
        utils.safe_set_full_optimizer_state(weight, value, kind)
