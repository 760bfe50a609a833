"""The most that one device could do: the published peak of a GPU by its name, a measured one of a CPU."""

from __future__ import annotations

import re
import time

import torch

TERA = 1e12
# Dense peaks in TFLOP/s: (bf16 with sums in fp32, fp32 without tensor cores), from the makers' data sheets. The
# first whose words are in the device's name counts, so a longer name stands before a shorter one.
PUBLISHED: tuple[tuple[str, float, float], ...] = (
    ("H100 PCIe", 756, 51),
    ("H100 NVL", 835, 60),
    ("H100", 989, 67),
    ("H200", 989, 67),
    ("B200", 2250, 75),
    ("A100", 312, 19.5),
    ("A800", 312, 19.5),
    ("A10", 125, 31.2),
    ("A40", 150, 37.4),
    ("A30", 165, 10.3),
    ("RTX A6000", 155, 38.7),
    ("RTX 6000 Ada", 364, 91.1),
    ("L40S", 362, 91.6),
    ("L40", 181, 90.5),
    ("L4", 121, 30.3),
    ("RTX 4090", 165, 82.6),
    ("RTX 3090", 71, 35.6),
    ("MI300X", 1307, 163.4),
)
SIDE, TRIES = 768, 5


def peak(device: torch.device, precision: str) -> float | None:
    """Operations a second of a device in a number format; None for a GPU whose peak is not known.

    What a CPU reaches in a product of matrices stands for its peak: the best of a few, some hundredths of a second.
    """
    if device.type != "cuda":
        return measured(torch.bfloat16 if precision == "bf16" else torch.float32)
    return published(torch.cuda.get_device_name(device), precision)


def published(name: str, precision: str) -> float | None:
    """Operations a second of a GPU by its name; None for one that is not listed."""
    for part, half, single in PUBLISHED:
        if re.search(rf"\b{part}\b", name):
            return (half if precision == "bf16" else single) * TERA
    return None


def measured(kind: torch.dtype) -> float:
    """Operations a second of this process's threads in a product of matrices."""
    factor = torch.ones(SIDE, SIDE, dtype=kind)
    found = torch.empty_like(factor)
    best = float("inf")
    for _ in range(TRIES):
        began = time.perf_counter()
        torch.mm(factor, factor, out=found)
        best = min(best, time.perf_counter() - began)
    return 2 * SIDE**3 / best
