"""A way round one start-up cost of DeepSpeed on the CPU.

The first `init_distributed` with gloo compiles a C++ extension for shared-memory collectives: minutes on a
laptop, and an abort where no compiler is installed. DeepSpeed skips it where its table of compatible
operators says that the machine cannot have it. That table is a private name; the test of this module fails
when a release no longer has it or no longer reads it, and then this module can go.
"""

from __future__ import annotations

OPERATOR = "deepspeed_shm_comm"


def avoid_compiling() -> None:
    """Tells DeepSpeed, in this process, that its shared-memory operator cannot be had; plain gloo is used."""
    from deepspeed import ops

    ops.__compatible_ops__[OPERATOR] = False
