"""The libraries whose bytes end up in a stage: recorded by the build, compared by `prove`."""

from __future__ import annotations

import platform
from importlib.metadata import version


def versions() -> dict[str, str]:
    """Their versions here, and the machine's kind."""
    return {
        "python": platform.python_version(),
        "pillow": version("pillow"),
        "pyarrow": version("pyarrow"),
        "machine": platform.machine(),
    }


def version_remarks(built_with: dict[str, str]) -> list[str]:
    """A sentence when what a stage was built with is not what is here: its bytes stand, another build's may differ."""
    here = versions()
    odd = [
        f"{name} {built_with.get(name, 'unknown')} (here {here.get(name, 'unknown')})"
        for name in sorted(built_with.keys() | here.keys())
        if built_with.get(name) != here.get(name)
    ]
    if not odd:
        return []
    return [f"the stage was built with {', '.join(odd)}; the same build here may give other bytes."]
