"""Which trainings a run has, in which order, from where each starts, and when one is done again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vita_data import files
from vita_data.errors import UsageError
from vita_data.manifest.find import load_mixture, load_sources
from vita_model.run.asked import Asked
from vita_model.run.graph import Node, choose, drawable, read_graph
from vita_model.run.judge import judge
from vita_model.run.starts import Start, starts_of
from vita_model.run.state import State
from vita_model.run.steps import Step, steps_of

SAMPLE = load_mixture("sample")


def graph(stages: str | None = None, *options: str) -> list[Node]:
    """The trainings of the sample mixture, or those that a text names."""
    nodes = read_graph(SAMPLE, stages, options, None)
    return nodes if stages is None else choose(nodes, stages)


def names(nodes: list[Node]) -> list[str]:
    return [node.name for node in nodes]


def checkpoint(run: Path, stage: str) -> Path:
    """A run of a stage, as far as its last checkpoint says what it is."""
    files.write_json(
        str(run / "checkpoints/step-00000002/complete.json"), {"stage": stage, "step": 2, "files": {}}
    )
    return run


def released(folder: Path) -> Path:
    files.write_json(str(folder / "config.json"), {"model_type": "vita-Qwen2"})
    return folder


def test_every_training_comes_after_those_it_needs() -> None:
    nodes = graph()
    assert names(nodes) == ["1.1", "1.2", "1.3", "2.1a", "2.1b", "2.2", "3.1", "3.2"]
    for place, node in enumerate(nodes):
        assert set(node.before) <= set(names(nodes[:place]))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1.2", ["1.2"]),
        ("2.1", ["2.1a", "2.1b"]),
        ("1.3-2.1a", ["1.3", "2.1a"]),
        ("2.2, 1.1-1.2", ["1.1", "1.2", "2.2"]),
        ("2.1-3.2", ["2.1a", "2.1b", "2.2", "3.1", "3.2"]),
    ],
)
def test_stages_are_named_one_by_one_or_from_a_first_to_a_last(text: str, wanted: list[str]) -> None:
    assert names(graph(text)) == wanted


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("1.3-1.1", "write 1.1-1.3"), ("1.1-4.0", "there is no stage 4.0"), ("2.1c", "there is no stage 2.1c")],
)
def test_stages_that_are_none_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        graph(text)


def test_an_option_goes_to_the_stages_that_have_it() -> None:
    taken = {node.name for node in graph(None, "public-script") if node.options}
    assert {"1.3", "2.2"} <= taken and not taken & {"2.1a", "3.2"}
    assert next(node for node in graph(None, "public-script") if node.name == "2.2").training.loss == "lm"
    with pytest.raises(UsageError, match=r"an option public-scrip; write public-script"):
        graph(None, "public-scrip")


def test_stages_without_a_source_are_left_out_with_those_that_need_them() -> None:
    seen = replace(SAMPLE, sources=tuple(line for line in SAMPLE.sources if line.questions))
    assert names(drawable(graph(), seen, load_sources(SAMPLE))) == ["1.1", "1.2", "1.3"]


def test_a_training_starts_from_this_run_from_an_earlier_one_or_from_what_is_named(tmp_path: Path) -> None:
    asked = Asked("sample", tmp_path / "out")
    ours = starts_of(graph("1.1-1.3"), asked)
    assert ours["1.1"] == [] and ours["1.3"] == [Start(asked.run_of("1.2"), "1.2", True)]
    with pytest.raises(UsageError, match=r"stage 2\.2 starts from stage 2\.1b, which is not among --stages"):
        starts_of(graph("2.2"), asked)
    checkpoint(asked.run_of("2.1b"), "2.1b")
    assert starts_of(graph("2.2"), asked)["2.2"] == [Start(asked.run_of("2.1b"), "2.1b", True)]
    other = checkpoint(tmp_path / "other", "2.1b")
    assert starts_of(graph("2.2"), replace(asked, init=(other,)))["2.2"] == [Start(other, "2.1b")]


def test_released_weights_go_to_the_stages_whose_starts_are_missing(tmp_path: Path) -> None:
    weights = released(tmp_path / "weights")
    asked = Asked("sample", tmp_path / "out", init=(weights,))
    found = starts_of(graph(), asked)
    assert [name for name, starts in found.items() if Start(weights, None) in starts] == ["1.1"]
    assert starts_of(graph("2.2"), asked)["2.2"] == [Start(weights, None)]
    assert starts_of(graph("3.1"), asked)["3.1"] == [Start(weights, None)]
    assert starts_of(graph("2.1"), asked)["2.1a"] == [Start(weights, None)]
    base = checkpoint(tmp_path / "base", "0.1")
    assert Start(base, "0.1") in starts_of(graph("1.1-1.2"), replace(asked, init=(weights, base)))["1.1"]
    with pytest.raises(UsageError, match=r"holds stage 1\.1, from which none of 1\.1, 1\.2 starts here"):
        starts_of(graph("1.1-1.2"), replace(asked, init=(checkpoint(tmp_path / "again", "1.1"),)))


def test_the_tokens_of_the_last_stage_are_those_of_the_codec_it_needs(tmp_path: Path) -> None:
    asked = Asked("sample", tmp_path, processes=2, max_steps=3, train=("--zero", "1"))
    steps = {step.name: step for step in steps_of(graph(), frozenset(["3.1"]), SAMPLE, asked)}
    encode = steps["encode-3.2"].command
    assert encode[encode.index("--codec") + 1] == str(asked.run_of("3.1"))
    assert steps["train-3.2"].after == ("build-3.2", "encode-3.2", "train-2.2", "train-3.1")
    command = steps["train-2.1b"].command
    assert command[1:6] == ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    assert command[-5:] == ["--max-steps", "3", "--zero", "1", "--json"]
    assert [command[n + 1] for n, word in enumerate(command) if word == "--init"] == [
        str(asked.run_of("1.3")),
        str(asked.run_of("2.1a")),
    ]


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., str]:
    """What is done with a training whose run is there, by its inputs now, its state, and what lies there."""
    (tmp_path / "run").mkdir()

    def do(now: dict[str, str], known: State | None, made: str | None = "made", run: str = "run") -> str:
        step = Step("train-1.1", [], (), lambda: now, lambda: made, tmp_path / run)
        verdict = judge(step, known, now)
        return f"{verdict.do}: {verdict.why}".removesuffix(": ")

    return do


def test_a_training_is_done_until_something_it_was_made_from_changes(judged: Callable[..., str]) -> None:
    inputs = {"data": "a", "steps": "4"}
    known = State("train-1.1", "done", inputs, [], 1.0, "made")
    assert judged(inputs, known) == "done"
    assert judged({**inputs, "data": "b"}, known) == "do again: changed: data"
    assert judged({**inputs, "start 1.0": "x"}, known) == "do again: changed: start 1.0"
    assert judged(inputs, known, made="other") == "do again: what it had made is not as it left it"
    assert judged(inputs, known, made=None) == "to do: what it had made is gone"
    assert judged(inputs, None) == "do again: it was not made by this run"
    assert judged(inputs, None, made=None, run="none") == "to do"


def test_a_training_that_did_not_end_or_is_to_be_longer_goes_on(judged: Callable[..., str]) -> None:
    inputs = {"data": "a", "steps": "4"}
    for status in ("begun", "stopped", "failed"):
        state = State("train-1.1", status, inputs, [])  # type: ignore[arg-type]
        assert judged(inputs, state).startswith("go on: ")
        assert judged({**inputs, "data": "b"}, state) == "do again: changed: data"
        assert judged(inputs, state, made=None, run="none").startswith("to do: ")
    known = State("train-1.1", "done", inputs, [], 1.0, "made")
    assert judged({**inputs, "steps": "9"}, known).startswith("go on: ")
    assert judged({**inputs, "steps": "all"}, known).startswith("go on: ")
    assert judged({**inputs, "steps": "3"}, known) == "do again: changed: steps"
    assert judged(inputs, replace(known, status="forgot")) == "forgot"
