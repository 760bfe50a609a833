"""The proof as a page: what was reached beside what was aimed at, how long it took, what differs from the paper."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

from vita_data import files
from vita_model.plot.page import overview
from vita_model.proof.goals import Row, losses, rows_of
from vita_model.proof.plan import CARDS, STAGES, Proof

PAGE, FACTS, CURVES = "proof.md", "proof.json", "proof-curves.png"


def report(proof: Proof, made_by: str, seconds: Mapping[str, float], passed: float) -> dict[str, Any]:
    """Writes proof.md, proof.json and, with matplotlib, curves of the losses into the folder; {rows, missed}.

    `seconds` of each task, and those that `passed` while any was at work.
    """
    rows = rows_of(proof)
    missed = [row.name for row in rows if row.met is False]
    found = {
        "command": made_by,
        "rows": [asdict(row) for row in rows],
        "missed": missed,
        "seconds": dict(seconds),
        "passed": passed,
    }
    files.write_json(str(proof.out / FACTS), found)
    if find_spec("matplotlib"):
        runs = [proof.out / "base" / "runs" / "0.1", *map(proof.run, STAGES)]
        files.write_bytes(str(proof.out / CURVES), overview([run for run in runs if run.exists()]))
    files.write_bytes(str(proof.out / PAGE), _page(proof, made_by, rows, seconds, passed).encode())
    return found


def _page(
    proof: Proof, made_by: str, rows: Sequence[Row], seconds: Mapping[str, float], passed: float
) -> str:
    aimed = [row for row in rows if row.met is not None]
    met = sum(bool(row.met) for row in aimed)
    voices = (
        "real speakers" if proof.speech else "voices of espeak-ng alone, so nothing is shown of real speech"
    )
    parts = [
        "# The proof that the stages teach",
        f"Made by `{made_by}` on handwritten digits of scikit-learn, {voices}, and questions about them. "
        f"{met} of {len(aimed)} goals are met. Intervals are 95 %: Wilson's for shares, over utterances for word "
        "error rates, Newcombe's for paired differences.",
        "## Reached and aimed at",
        _table(("", "measured", "95 % interval", "of", "goal", "met"), map(_cells, rows)),
        "## Held-out loss at the end of each stage, nats a label",
        _table(("stage", "loss"), ((name, f"{loss:.4f}") for name, loss in losses(proof).items())),
        *([f"![Losses while each stage learns]({CURVES})"] if (proof.out / CURVES).exists() else []),
        "## Time",
        _table(("task", "seconds"), ((name, f"{value:.0f}") for name, value in seconds.items())),
        f"Two run at a time: all of them passed in {passed / 60:.0f} minutes.",
        "## What differs from the paper's cards",
        "```text\n" + _differences() + "\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    interval = "" if row.interval is None else f"{row.interval[0]:.1%} to {row.interval[1]:.1%}"
    met = {None: "", True: "yes", False: "no"}[row.met]
    return (
        row.name.replace("  ", "&nbsp;&nbsp;"),
        f"{row.value:.1%}",
        interval,
        f"{row.count:,}",
        row.goal,
        met,
    )


def _table(head: Sequence[str], rows: Any) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join(lines)


def _differences() -> str:
    words = ["run", "--mixture", str(CARDS / "proof.yaml"), "--differences"]
    done = subprocess.run(
        [sys.executable, "-m", "vita_model", *words], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
