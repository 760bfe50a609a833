"""Memory of one GPU while a stage trains, by what takes it and by ZeRO stage.

Weights are in bf16, gradients are collected in fp32, and Adam keeps fp32 masters and two moments of what is
trained: 2, 4 and 12 bytes a parameter (Rajbhandari et al., ZeRO, 2020). ZeRO 1 divides the optimizer among
GPUs, 2 the gradients too, 3 the weights as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from vita_model.config.model import ModelConfig
from vita_model.nets.loss import CHUNK_LOGITS

WEIGHT, GRADIENT, OPTIMIZER = 2, 4, 12
LOGITS_HELD = 3  # tensors of a chunk's size, in fp32, while the loss goes backward
KEPT_A_BLOCK = 34  # bytes a token and hidden unit, without attention's scores (Korthikanti et al. 2022)


def state_bytes(
    parameters: Mapping[str, int], trained: Collection[str], zero: int, gpus: int
) -> dict[str, float]:
    """Bytes of weights, gradients and optimizer on each GPU."""
    everything = sum(parameters.values())
    learned = sum(count for part, count in parameters.items() if part in trained)
    return {
        "weights": everything * WEIGHT / (gpus if zero == 3 else 1),
        "gradients": learned * GRADIENT / (gpus if zero >= 2 else 1),
        "optimizer": learned * OPTIMIZER / (gpus if zero >= 1 else 1),
    }


def activation_bytes(config: ModelConfig, tokens: int, checkpointing: bool) -> float:
    """Bytes that the language model keeps of one sequence for its backward pass, and the loss beside it.

    With checkpointing a block keeps its input alone, and one block at a time is computed again.
    """
    language = config.language
    block = tokens * language.hidden * KEPT_A_BLOCK
    kept = (
        tokens * language.hidden * WEIGHT * language.layers + block
        if checkpointing
        else block * language.layers
    )
    return kept + LOGITS_HELD * 4 * CHUNK_LOGITS
