"""The README is true: its commands run as they stand, and every verb is in it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vita_data.cli.main import VERBS
from vita_data.sample.voices import find_engine

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
FEW_STEPS = ["--max-steps", "2"]  # a test shows that training runs; `make demo` trains


def commands() -> list[list[str]]:
    """The toolkit's own commands in the README's console blocks, in their order."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(("vita-data", "vita-model"))]


@pytest.mark.slow
def test_every_command_of_the_readme_runs_in_an_empty_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    assert len(commands()) > 10
    for command in commands():
        if command[:2] == ["vita-data", "init"]:  # the user's own folder: a LLaVA file with pictures
            shutil.copytree(tmp_path / "vita-build/sample/sample-photo-qa", tmp_path / "my-folder")
        if find_engine() is None and {"2.1", "2.2", "3.2"} & set(command):
            continue  # nothing can be spoken here, so the sample corpus has no speech, as the README says
        more = FEW_STEPS if command[:2] == ["vita-model", "train"] else []
        done = subprocess.run(
            [*command, *more], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "my-build/stages/1.3/report.html").is_file()


def test_the_changelog_names_every_verb_and_the_readme_most() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [verb for verb in VERBS if f"`{verb}`" not in changelog] == []
    assert [
        verb for verb in VERBS if f"vita-data {verb}" not in README and verb not in ("sample", "pack")
    ] == []


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "manifests/README.md"])
def test_links_and_paths_in_a_page_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    linked = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    named = re.findall(
        r"`((?:vita_data|vita_model|pipelines|manifests|tests|benchmarks|scripts)/[\w./-]*)`", text
    )
    missing = [name for name in linked if not (ROOT / page).parent.joinpath(name).exists()]
    missing += [name for name in named if not (ROOT / name).exists()]
    assert missing == []
