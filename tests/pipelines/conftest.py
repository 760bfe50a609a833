"""The sample corpus built once for all tests that look at a whole build."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories import run_build, vita_data
from vita_data.sample.voices import find_engine


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder with the sample corpus and its stages; 1.3 is by the command with two workers."""
    out = tmp_path_factory.mktemp("built") / "out"
    done = vita_data("build", "--stage", "1.3", "--out", out, "--workers", 2)
    assert done.returncode == 0, done.stderr
    for stage in ("1.1", "1.2", *SPEECH_STAGES):
        run_build("sample", out, stage)
    return out


# The engine that speaks is a system package; without it the sample corpus has no speech, and says so.
SPEECH_STAGES = ("2.1", "3.2") if find_engine() else ()
