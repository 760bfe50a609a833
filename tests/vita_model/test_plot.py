"""Curves of runs as a page or a picture."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vita_data.errors import UsageError
from vita_model.cli.main import main
from vita_model.plot import draw, page
from vita_model.plot.curves import POINTS, curve_of, runs_of, smoothed
from vita_model.plot.page import plot
from vita_model.plot.panels import panels


def write_run(folder: Path, steps: int, stage: str = "1.2", **changes: Any) -> Path:
    """A run whose loss falls."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"stage": stage}))
    lines = []
    for step in range(steps):
        loss = 8.0 / (1 + step)
        told: dict[str, Any] = {
            "step": step,
            "loss": loss,
            "learning_rate": 1e-3,
            "gradient_norm": 2.0,
            "tokens": 100,
        }
        told |= {"seconds": 0.5, "waiting_seconds": 0.0, "tokens_per_second": 200.0, "spike": None}
        told |= {"sources": {"charts & <tables>": loss, "photos": loss / 2}, "modalities": {"image": loss}}
        lines.append(json.dumps({**told, **changes}) + "\n")
    (folder / "metrics.jsonl").write_text("".join(lines))
    held_out = {"step": steps, "loss": 1.0, "sources": {"photos": {"loss": 1.0}, "none": {"loss": None}}}
    (folder / "validation.jsonl").write_text(json.dumps(held_out) + "\n")
    return folder


def titles(text: str) -> list[str]:
    return re.findall(r"<figcaption>(.*?)</figcaption>", text)


def test_a_page_has_all_plots_of_a_run_and_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 20)
    found = CliRunner().invoke(main, ["plot", str(run), "--json"])
    told = json.loads(found.stdout)
    assert told == {"out": str(run / "plot.html"), "runs": [{"name": "run", "stage": "1.2", "steps": 20}]}
    page = (run / "plot.html").read_text()
    wanted = [
        "Loss",
        "Loss by source",
        "Held-out loss by source",
        "Loss by what a sample holds",
        "Learning rate",
    ]
    assert (
        titles(page)[:5] == wanted and "Gradient norm" in titles(page) and "Tokens a second" in titles(page)
    )
    assert "<script" not in page and not re.search(r'(src|href)="(?!#)', page.replace("xlink:", ""))
    assert "charts &amp; &lt;tables&gt;" in page and "prefers-color-scheme: dark" in page


def test_a_plots_colours_are_the_pages(tmp_path: Path) -> None:
    plot([write_run(tmp_path / "run", 20)], tmp_path / "page.html")
    drawings = re.findall(r"<svg.*?</svg>", (tmp_path / "page.html").read_text(), re.DOTALL)
    assert all("var(--c0)" in drawing and "var(--soft)" in drawing for drawing in drawings)
    assert not re.search(r"#[0-9a-f]{6}", "".join(drawings).replace("#000000", ""))


def test_the_same_runs_make_the_same_page(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 30)
    for name in ("one.html", "two.html"):
        plot([run], tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_runs_of_a_stage_lie_over_each_other_and_other_stages_have_a_part_of_their_own(
    tmp_path: Path,
) -> None:
    write_run(tmp_path / "runs" / "slow", 20)
    write_run(tmp_path / "runs" / "fast", 10)
    write_run(tmp_path / "runs" / "next", 10, stage="1.3")
    plot([tmp_path / "runs"], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["Stage 1.2", "Stage 1.3"]
    assert titles(page).count("Loss") == 2 and "Loss by source, fast" in titles(page)
    (loss, *_) = panels([run for run in runs_of([tmp_path / "runs"]) if run.stage == "1.2"])
    assert [curve.name for curve in loss.curves] == ["fast", "slow", "fast, held out", "slow, held out"]
    with pytest.raises(UsageError, match=r"stages 1\.2, 1\.3"):
        plot([tmp_path / "runs"], tmp_path / "page.png")


def test_pictures_are_what_their_endings_say(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 20)
    plot([run], tmp_path / "a.png")
    plot([run], tmp_path / "a.svg")
    with Image.open(io.BytesIO((tmp_path / "a.png").read_bytes())) as image:
        assert image.width > 1000 and len(image.convert("RGB").getcolors(1 << 24) or []) > 50
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
    with pytest.raises(UsageError, match="end --out in one of them"):
        plot([run], tmp_path / "a.pdf")


def test_an_overview_has_one_plot_for_each_run_in_the_order_of_the_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [write_run(tmp_path / stage, 5, stage) for stage in ("1.2", "0.1", "2.1a")]
    drawn: list[str] = []
    monkeypatch.setattr(page, "picture", lambda panels, kind: drawn.extend(one.title for one in panels))
    page.overview(runs)
    assert drawn == ["Stage 0.1", "Stage 1.2", "Stage 2.1a"]
    monkeypatch.undo()
    assert page.overview(runs).startswith(b"\x89PNG")


def test_a_run_that_goes_on_is_drawn_without_the_line_being_written(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 5)
    with (run / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 5, "lo')
    assert plot([run], tmp_path / "page.html")["runs"][0]["steps"] == 5


def test_a_run_without_a_step_yet_and_a_folder_without_runs_are_told_apart(tmp_path: Path) -> None:
    assert plot([write_run(tmp_path / "run", 0)], tmp_path / "page.html")["runs"][0]["steps"] == 0
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no metrics of a run"):
        plot([tmp_path / "empty"], tmp_path / "page.html")


def test_many_sources_are_drawn_and_the_worst_are_named(tmp_path: Path) -> None:
    sources = {f"source-{number:02}": float(number) for number in range(24)}
    (run,) = runs_of([write_run(tmp_path / "run", 4, sources=sources)])
    panel = next(panel for panel in panels([run]) if panel.title == "Loss by source")
    assert [curve.name for curve in panel.curves] == [f"source-{number}" for number in range(23, 15, -1)]
    assert len(panel.others) == 16


def test_a_single_odd_step_of_a_hundred_thousand_is_still_there() -> None:
    values = [(step, 50.0 if step == 70_001 else 1.0 + step % 2 / 10) for step in range(100_000)]
    found = curve_of("loss", values)
    assert found is not None and len(found.steps) <= POINTS
    assert (70_001, 50.0) in zip(found.steps, found.values, strict=True)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60), st.integers(0, 80))
def test_a_running_mean_stays_between_the_values_and_begins_with_the_first(
    values: list[float], span: int
) -> None:
    found = smoothed(values, span)
    assert len(found) == len(values) and found[0] == pytest.approx(values[0], abs=1e-6)
    assert min(values) - 1e-6 <= min(found) and max(found) <= max(values) + 1e-6
    if span == 0:
        assert found == pytest.approx(values, abs=1e-6)


def test_the_place_beside_an_odd_last_plot_is_empty(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 20)
    three = draw.picture(panels(runs_of([run]))[:3], "svg").decode()
    assert len(re.findall(r'id="axes_\d+"', three)) == 4
    last = three.split('id="axes_4"')[1]
    assert "matplotlib.axis" not in last and "<path" not in last
