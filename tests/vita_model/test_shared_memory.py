"""DeepSpeed's compiled collectives: still there to be avoided, and avoided."""

from __future__ import annotations

import importlib
import inspect

torch_backend = importlib.import_module(
    "deepspeed.comm.torch"
)  # plain `import` finds torch itself by that name


def test_upstream_still_asks_its_table_before_it_compiles() -> None:
    source = inspect.getsource(torch_backend.build_shm_op)
    assert "ops.__compatible_ops__" in source, (
        "the table is read no longer; see vita_model.train.shared_memory"
    )
    assert "build_shm_op()" in inspect.getsource(torch_backend.TorchBackend.__init__)


def test_after_the_bypass_there_is_nothing_to_compile() -> None:
    from deepspeed import ops

    from vita_model.train.shared_memory import OPERATOR, avoid_compiling

    assert OPERATOR in ops.__compatible_ops__, (
        "the operator is gone; vita_model.train.shared_memory can go too"
    )
    avoid_compiling()
    assert torch_backend.build_shm_op() is None
