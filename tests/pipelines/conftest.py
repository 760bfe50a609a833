"""The sample corpus built once for all tests that look at a whole build."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories import run_build, vita_data
from tests.spoken import ENGINE
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


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the engine of these tests writes every text that it is given."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "tone_engine.py").write_text(ENGINE)
    monkeypatch.syspath_prepend(str(tmp_path / "engine"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "engine"), prepend=":")
    monkeypatch.setenv("TONE_CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"
