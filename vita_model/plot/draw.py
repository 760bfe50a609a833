"""Plots drawn by matplotlib: alone as SVG whose colours a page may choose, or together as one picture."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

from vita_data.errors import UsageError
from vita_model.plot.curves import Curve
from vita_model.plot.panels import Panel

# Colours of the light page; Okabe and Ito's, which everybody can tell apart, a little darker on white.
CURVES = ("#1f6fb4", "#d1543a", "#2f8a66", "#b8860b", "#7d5fb0", "#c0568e", "#3f9fc8", "#6b7280")
INK, SOFT, GRID, REST = "#1b2128", "#56616d", "#dde2e8", "#b6bec8"
WIDTH, HEIGHT, ACROSS = 7.0, 3.4, 2
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # words stay words: small, selectable, in the page's own font
    "svg.hashsalt": "vita",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": GRID,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.limits": (-3, 5),
    "axes.formatter.useoffset": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "legend.fontsize": 9,
    "text.color": INK,
}


def svg(panel: Panel) -> str:
    """One plot without its title, as an svg element without a background."""
    with _style():
        figure = _figure(WIDTH, HEIGHT)
        _draw(figure.subplots(), panel)
        text = _written(figure, "svg", transparent=True, metadata={"Date": None}).decode()
    return text[text.index("<svg") :]


def picture(panels: Sequence[Panel], kind: str) -> bytes:
    """All plots as one picture, "svg" or "png", two beside each other."""
    across = min(ACROSS, len(panels))
    down = math.ceil(len(panels) / across)
    with _style():
        figure = _figure(WIDTH * across, (HEIGHT + 0.4) * down)
        grid = list(figure.subplots(down, across, squeeze=False).flat)
        for axes, panel in zip(grid, panels, strict=False):
            _draw(axes, panel)
            axes.set_title(panel.title)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        return _written(figure, kind, dpi=130, metadata={"Date": None} if kind == "svg" else {})


def _style() -> Any:
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise UsageError("matplotlib is not installed; install the toolkit as '.[plot]'.") from None
    return matplotlib.rc_context(STYLE)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _written(figure: Any, kind: str, **how: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, **how)
    return stream.getvalue()


def _draw(axes: Any, panel: Panel) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    for curve in panel.others:
        _line(axes, curve, REST, label=None)
    for curve, colour in zip(panel.curves, _colours(panel.curves), strict=True):
        _line(axes, curve, colour, label=curve.name)
    if panel.others:
        axes.plot([], [], color=REST, label=f"{len(panel.others)} others")
    if panel.log:
        axes.set_yscale("log")
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))
        _frame(axes, panel)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.margins(x=0.01)
    axes.set_xlabel("step", loc="right")
    if len(panel.curves) > 1 or panel.others:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0, handlelength=1.2)


def _colours(curves: Sequence[Curve]) -> list[str]:
    """A colour for each curve; what is held out of a run has the colour of the run."""
    lines = [curve.name for curve in curves if not curve.points] or [curve.name for curve in curves]
    found = {name: CURVES[number % len(CURVES)] for number, name in enumerate(lines)}
    return [found.get(curve.name) or found[_owner(curve.name, lines)] for curve in curves]


def _owner(name: str, lines: Sequence[str]) -> str:
    return next((line for line in lines if name.startswith(f"{line},")), lines[0])


def _line(axes: Any, curve: Curve, colour: str, label: str | None) -> None:
    if curve.points:
        axes.plot(curve.steps, curve.values, color=colour, marker="o", markersize=4, linewidth=1, label=label)
        return
    if list(curve.smooth) != list(curve.values):
        axes.plot(curve.steps, curve.values, color=colour, linewidth=0.8, alpha=0.25)
    axes.plot(curve.steps, curve.smooth, color=colour, linewidth=1.6, label=label)


def _frame(axes: Any, panel: Panel) -> None:
    """From the least to the most that a smoothed curve has, so that one odd step does not press all others flat."""
    drawn = [*panel.curves, *panel.others]
    values = sorted(value for curve in drawn for value in curve.values)
    smooth = [value for curve in drawn for value in curve.smooth]
    least = min(*smooth, values[len(values) // 100])
    most = max(*smooth, values[-1 - len(values) // 100])
    if panel.whole:
        least = 0.0
    room = 0.05 * (most - least) or 0.05 * abs(most) or 1.0
    axes.set_ylim(least - (0.0 if panel.whole else room), most + room)
