"""The graphs, assembled and run: only what every engine does alike, only names through shuffles."""

from __future__ import annotations

import functools
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.pipeline import PipelineVisitor
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from pipelines.choice import WORTH_A_PROCESS, RunnerChoice
from pipelines.graphs import GRAPHS
from tests.factories import run_build, shard_digests, two_sources
from vita_data.records.places import Place

# For each graph a few items of the shape it takes.
ITEMS: dict[str, list[Any]] = {
    "split": [("/out/work/annotations-00000.json",)],
    "list": [("/corpus", "images.zip", Place("images.zip"), "/out/catalog/coco", False)],
    "catalog": [("/out/task.json", 0), ("/out/task.json", 1)],
    "measure": [("/out/task.json", 0)],
    "signals": [("/out/task.json", 0)],
    "readings": [("/out/task.json", 0)],
    "judge": [("/out/task.json", 0)],
    "meet": [("/out/task.json", 0, 0), ("/out/task.json", 1, 0)],
    "prints": [("/out/task.json", 0)],
    "leaks": [("/out/task.json", 0)],
    "keep": [("/out/task.json", 0)],
    "select": [("/out/task.json", "coco", 0)],
    "questions": [("/out/speech.json", 0)],
    "speak": [("/out/speech.json", 0)],
    "fit": [("/out/speech.json", 0)],
    "voice": [("/out/speech.json", 0)],
    "fill": [("/out/task.json", 0, [(0, 0, 10), (1, 0, 3)])],
    "pack": [("/out/stages/1.3", 0, [0, 1], 2048, {"geometry_digest": "g"})],
}
ALLOWED = {
    "beam:transform:impulse:v1",
    "beam:transform:pardo:v1",
    "beam:transform:group_by_key:v1",
    "beam:transform:flatten:v1",
}
ELEMENT_BYTES = 4096
JOB_SERVICE = "apache_beam.runners.portability.local_job_service_main"
WORKER_POOL = "apache_beam.runners.worker.worker_pool_main"


def assembled(name: str) -> beam.Pipeline:
    pipeline = beam.Pipeline(runner=FnApiRunner())
    GRAPHS[name](ITEMS[name])(pipeline)
    return pipeline


def test_every_graph_is_looked_at_here() -> None:
    assert set(ITEMS) == set(GRAPHS) == set(WORTH_A_PROCESS)


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_is_made_of_transforms_that_every_engine_has(name: str) -> None:
    proto = assembled(name).to_runner_api()
    every = [
        each for each in proto.components.transforms.values() if not each.subtransforms and each.spec.urn
    ]
    leaves = [
        each for each in every if set(each.outputs.values()) - set(each.inputs.values())
    ]  # others do nothing
    assert {leaf.spec.urn for leaf in leaves} <= ALLOWED
    groupings = sum(leaf.spec.urn == "beam:transform:group_by_key:v1" for leaf in leaves)
    assert groupings == (2 if name in ("catalog", "meet", "select") else 1)
    for leaf in leaves:
        if leaf.spec.urn == "beam:transform:pardo:v1":
            payload = beam_runner_api_pb2.ParDoPayload.FromString(leaf.spec.payload)
            assert not payload.side_inputs and not payload.state_specs and not payload.timer_family_specs
            assert not payload.restriction_coder_id and not payload.requests_finalization
            assert len(leaf.outputs) == 1
    assert not any("reshuffle" in each.spec.urn for each in proto.components.transforms.values())


@pytest.mark.parametrize("name", GRAPHS)
def test_no_function_of_a_graph_keeps_anything_between_elements(name: str) -> None:
    functions: list[beam.DoFn] = []

    class Functions(PipelineVisitor):
        def visit_transform(self, transform_node: Any) -> None:
            if isinstance(transform_node.transform, beam.ParDo):
                functions.append(transform_node.transform.fn)

    assembled(name).visit(Functions())
    assert functions
    for function in functions:
        for method in ("start_bundle", "finish_bundle"):
            assert getattr(type(function), method) is getattr(beam.DoFn, method)


def _note(path: str, element: Any) -> Any:
    """Leaves what is about to be shuffled in a file; the element passes."""
    with open(path, "ab") as stream:
        pickle.dump((len(pickle.dumps(element)), element), stream)
    return element


def _spied(real: Any, path: str) -> type[beam.PTransform]:
    class Spied(beam.PTransform):
        def expand(self, pcoll: Any) -> Any:
            return pcoll | "Note" >> beam.Map(functools.partial(_note, path)) | "Really" >> real()

    return Spied


def plain(value: Any) -> bool:
    """Whether a value is made of text, numbers and containers of them."""
    if isinstance(value, dict):
        return all(plain(each) for item in value.items() for each in item)
    if isinstance(value, (tuple, list)):
        return all(plain(each) for each in value)
    return value is None or type(value) in (str, int, bool)


def test_only_small_plain_tuples_that_name_files_cross_a_shuffle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    monkeypatch.setattr(beam, "GroupByKey", _spied(beam.GroupByKey, str(notes)))
    mixture = two_sources(tmp_path)
    run_build(mixture, tmp_path / "out")
    shuffled = []
    with notes.open("rb") as stream:
        while stream.peek(1):  # type: ignore[attr-defined]
            shuffled.append(pickle.load(stream))
    assert len(shuffled) > 12
    for size, (key, value) in shuffled:
        assert size < ELEMENT_BYTES
        assert type(key) in (str, int)
        assert plain(value), value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "the service ended by itself"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nothing listens on {port}")


@pytest.fixture
def portable(tmp_path: Path) -> Iterator[RunnerChoice]:
    """Beam's Job API with external workers, on this machine, gone with the test."""
    job, pool = free_port(), free_port()
    commands = {
        job: [JOB_SERVICE, "-p", str(job), "--staging_dir", str(tmp_path / "staging")],
        pool: [WORKER_POOL, f"--service_port={pool}", "--container_executable="],
    }  # fmt: skip
    bin_ = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).parents[2]), environment.get("PYTHONPATH", "")]
    )
    started = {
        port: subprocess.Popen(
            [sys.executable, "-m", *command],
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=(tmp_path / f"{port}.log").open("wb"),
        )
        for port, command in commands.items()
    }
    try:
        for port, process in started.items():
            wait_for(port, process)
        external = ("--environment_type=EXTERNAL", f"--environment_config=127.0.0.1:{pool}")
        yield RunnerChoice("portable", 1, f"127.0.0.1:{job}", external)
    finally:
        for process in started.values():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.slow
def test_a_build_through_the_portable_job_api_gives_the_same_bytes(
    tmp_path: Path, portable: RunnerChoice
) -> None:
    mixture = two_sources(tmp_path)
    run_build(mixture, tmp_path / "here")
    run_build(mixture, tmp_path / "there", runner=portable)
    assert shard_digests(tmp_path / "there/stages/1.3") == shard_digests(tmp_path / "here/stages/1.3")
