"""What tests share: the corpus of real media, when VITA_TEST_CORPUS names one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples at every run, so that a red test is red for everybody; `make fuzz` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("fuzz", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("VITA_TEST_EXAMPLES", "same"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves `corpus` tests out, aloud in the summary, where no corpus is named: users do not have it."""
    if os.environ.get("VITA_TEST_CORPUS"):
        return
    chosen = [item for item in items if item.get_closest_marker("corpus") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real media in native layouts."""
    folder = Path(os.environ["VITA_TEST_CORPUS"])
    assert (folder / "expected.json").is_file(), f"VITA_TEST_CORPUS={folder} holds no expected.json"
    return folder
