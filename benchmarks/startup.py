"""How long the light verbs take, as a multiple of `python -c 'import click, yaml'`.

    python benchmarks/startup.py [--repeats 15]

Whole processes, in turn within every repeat; medians of wall time and of the ratio within each repeat.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

BASE = "python -c 'import click, yaml'"


def seconds(command: list[str]) -> float:
    """Wall time of a command that must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Times the verbs and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    command = str(Path(sys.executable).with_name("vita-data"))
    commands = {
        BASE: [sys.executable, "-c", "import click, yaml"],
        "vita-data --help": [command, "--help"],
        "vita-data plan --stage 1.3 --mixture paper": [
            command,
            "plan",
            "--stage",
            "1.3",
            "--mixture",
            "paper",
        ],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for repeat in range(repeats + 1):
        for name, arguments in commands.items():
            taken = seconds(arguments)
            if repeat:
                times[name].append(taken)
    print(f"{repeats} repeats, Python {platform.python_version()}\n")
    print("| command | median seconds | times the base, median (min to max) |\n|---|---|---|")
    for name, values in times.items():
        ratios = [value / base for value, base in zip(values, times[BASE], strict=True)]
        print(
            f"| `{name}` | {statistics.median(values):.3f} | {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}) |"
        )


if __name__ == "__main__":
    main()
