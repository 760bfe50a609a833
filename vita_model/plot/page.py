"""Curves of runs as one static page: inline SVG, light or dark as its reader has it, nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from vita_data import files
from vita_data.errors import UsageError
from vita_model.plot.curves import Run, runs_of
from vita_model.plot.draw import CURVES, GRID, INK, REST, SOFT, picture, svg
from vita_model.plot.panels import panels

KINDS = (".html", ".svg", ".png")
DARK = ("#5b9fe0", "#ef7f66", "#57b08b", "#dcae4d", "#a88be0", "#e583b4", "#6cc0e6", "#a3acb8")
NAMES = {colour: f"--c{number}" for number, colour in enumerate(CURVES)} | {
    INK: "--ink",
    SOFT: "--soft",
    GRID: "--line",
    REST: "--rest",
}
DARK_OF = dict(zip(CURVES, DARK, strict=True)) | {
    INK: "#e6eaef",
    SOFT: "#a0abb7",
    GRID: "#2e3741",
    REST: "#4c5967",
}
STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --sheet: #ffffff; %s }
@media (prefers-color-scheme: dark) { :root { --page: #12161b; --sheet: #1a2027; %s } }
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1480px; padding: 32px 24px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
h1 { font-size: 30px; letter-spacing: -0.02em; margin: 0 0 4px; }
h2 { font-size: 21px; margin: 36px 0 12px; }
p { color: var(--soft); margin: 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%%, 560px), 1fr)); gap: 16px; }
figure {
  margin: 0; padding: 14px 16px 8px; background: var(--sheet); border: 1px solid var(--line); border-radius: 10px;
}
figcaption { font-weight: 600; margin-bottom: 4px; overflow-wrap: anywhere; }
svg { display: block; width: 100%%; height: auto; }
svg text { font-family: inherit !important; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0 0 16px; }
.scroll { overflow-x: auto; }
th, td { text-align: right; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { color: var(--soft); font-weight: 500; font-size: 13px; }
"""


def plot(places: Sequence[Path], out: Path) -> dict[str, Any]:
    """Draws the runs at these places into a page or picture by its ending; {out, runs: [{name, stage, steps}]}.

    UsageError for an ending that is none of .html, .svg and .png, or a place without runs.
    """
    kind = out.suffix.lower()
    if kind not in KINDS:
        raise UsageError(f"{out} is no {', '.join(KINDS[:-1])} or {KINDS[-1]}; end --out in one of them.")
    runs = runs_of(places)
    stages = {
        stage: [run for run in runs if run.stage == stage] for stage in sorted({run.stage for run in runs})
    }
    if kind == ".html":
        found = _page(stages).encode()
    else:
        if len(stages) > 1:
            raise UsageError(
                f"the runs are of the stages {', '.join(stages)}, whose losses are not alike; take .html, which has "
                "a part for each, or runs of one stage."
            )
        found = picture(panels(runs), kind[1:])
    files.write_bytes(str(out), found)
    told = [{"name": run.name, "stage": run.stage, "steps": len(run.lines)} for run in runs]
    return {"out": str(out), "runs": told}


def overview(places: Sequence[Path]) -> bytes:
    """The losses of the runs at these places as one PNG, a plot for each."""
    runs = sorted(runs_of(places), key=lambda run: run.stage)
    return picture(
        [replace(panel, title=f"Stage {run.stage}") for run in runs for panel in panels([run])[:1]], "png"
    )


def _page(stages: dict[str, list[Run]]) -> str:
    names = ", ".join(run.name for runs in stages.values() for run in runs)
    colours = [_colours({colour: colour for colour in NAMES}), _colours(DARK_OF)]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Training: {escape(names)}</title><style>{STYLE % tuple(colours)}</style></head><body>",
            "<header><h1>Training</h1>",
            "<p>Faint lines are single steps, strong ones their running mean, dots the held-out part.</p></header>",
            *(_section(stage, runs) for stage, runs in stages.items()),
            "</body></html>\n",
        ]
    )


def _section(stage: str, runs: list[Run]) -> str:
    figures = (
        f"<figure><figcaption>{escape(panel.title)}</figcaption>{_recoloured(svg(panel))}</figure>"
        for panel in panels(runs)
    )
    return "\n".join(
        [
            f"<section><h2>Stage {escape(stage)}</h2>",
            f'<div class="scroll">{_table(runs)}</div>',
            '<div class="plots">',
            *figures,
            "</div></section>",
        ]
    )


def _table(runs: list[Run]) -> str:
    head = ("run", "steps", "loss, first", "loss, last", "held out, last", "hours", "tokens/s, mean")
    rows = ["".join(f"<th>{name}</th>" for name in head), *(_row(run) for run in runs)]
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _row(run: Run) -> str:
    loss, held_out = run.curve("loss", ""), run.validation("")
    seconds = sum(line["seconds"] for line in run.lines)
    cells = (
        escape(run.name),
        f"{len(run.lines):,}",
        f"{loss.smooth[0]:.4f}" if loss else "",
        f"{loss.smooth[-1]:.4f}" if loss else "",
        f"{held_out.values[-1]:.4f}" if held_out else "",
        f"{seconds / 3600:.2f}",
        f"{sum(line['tokens'] for line in run.lines) / seconds:,.0f}" if seconds else "",
    )
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _colours(values: dict[str, str]) -> str:
    return " ".join(f"{name}: {values[colour]};" for colour, name in NAMES.items())


def _recoloured(drawing: str) -> str:
    """The drawing with its colours as the page's, and without names that nothing in it uses: others have the same."""
    used = set(re.findall(r"#([\w-]+)", drawing))
    drawing = re.sub(r' id="([\w-]+)"', lambda found: found[0] if found[1] in used else "", drawing)
    for colour, name in NAMES.items():
        drawing = drawing.replace(colour, f"var({name})")
    return drawing
