"""Where a graph runs: Beam's embedded runner by name, or an engine behind the Job API or Dataflow.

The default runner of Beam is never used: it downloads a binary when it can. A worker process of the
embedded runner that dies would leave it waiting for ever, so here such a death ends the process with
`WORKER_DIED`, for whoever supervises it to start again; finished files make that cheap.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import ExtendedProvisionInfo, FnApiRunner
from apache_beam.runners.portability.portable_runner import JobServiceHandle

from pipelines.choice import RunnerChoice
from pipelines.graphs import ERROR_MARK, Graph
from vita_data.errors import UsageError, VitaError

WORKER_DIED = 75

RUNNERS = {
    "portable": "PortableRunner",
    "flink": "FlinkRunner",
    "spark": "SparkRunner",
    "dataflow": "DataflowRunner",
}


def beam_options(choice: RunnerChoice, workers: int) -> PipelineOptions:
    """Beam's options; `workers` are local processes. Raises UsageError for a runner that lacks its endpoint."""
    flags = list(choice.beam_options)
    if choice.name == "direct":
        mode = "multi_processing" if workers > 1 else "in_memory"
        flags += [f"--direct_num_workers={workers}", f"--direct_running_mode={mode}"]
        flags.append("--default_sdk_harness_log_level=CRITICAL")
    elif choice.job_endpoint:
        _refuse_silence(choice.job_endpoint)
        flags.append(f"--job_endpoint={choice.job_endpoint}")
    elif choice.name == "portable":
        raise UsageError(
            "--runner portable needs the address of a job service; add --job-endpoint HOST:PORT."
        )
    return PipelineOptions(flags)


def _refuse_silence(endpoint: str) -> None:
    """Raises UsageError when nobody answers at a job endpoint, for which Beam itself would wait for ever."""
    host, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"nobody answers at --job-endpoint {endpoint} ({error}); start the job service, or mend it."
        ) from error


def run_graph(
    graph: Graph,
    choice: RunnerChoice,
    workers: int = 1,
    on_death: Callable[[int], None] = lambda status: None,
) -> None:
    """Runs a graph to its end; a VitaError that a step raised comes out as itself.

    `on_death` is called when a local worker process has died, while the others still live, with its exit
    status: below 0 it is the signal that ended it.
    """
    options = beam_options(choice, workers)
    try:
        with _DyingLoudly(options, on_death):
            runner = _embedded(options) if choice.name == "direct" else RUNNERS[choice.name]
            pipeline = beam.Pipeline(runner=runner, options=options)
            graph(pipeline)
            pipeline.run().wait_until_finish()
    except Exception as error:
        raised = _as_raised(error)
        if choice.name != "direct" and not isinstance(raised, VitaError):
            brief = f"{type(raised).__name__}: {raised}".splitlines()[0][:300]
            raised = VitaError(
                f"the {choice.name} runner failed ({brief}); check its address, options and logs."
            )
        raise raised from error


def _embedded(options: PipelineOptions) -> FnApiRunner:
    """The embedded runner with the options its worker processes should see; by name alone they see none."""
    said = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    provision = beam_provision_api_pb2.ProvisionInfo(pipeline_options=said)
    return FnApiRunner(provision_info=ExtendedProvisionInfo(provision))


def _as_raised(error: Exception) -> Exception:
    found = re.search(f"{ERROR_MARK}(.*?){ERROR_MARK}", str(error), re.DOTALL)
    if found is None:
        return error
    try:
        status, words = json.loads(found.group(1))
    except ValueError:  # the engine printed it escaped once more
        status, words = json.loads(found.group(1).encode().decode("unicode_escape"))
    mended = VitaError(words)
    mended.status = status
    return mended


class _DyingLoudly:
    """While a local multi-process graph runs: the death of a worker process ends this one."""

    def __init__(self, options: PipelineOptions, on_death: Callable[[int], None]) -> None:
        self._on_death = on_death
        self._active = options.view_as(DirectOptions).direct_running_mode == "multi_processing"

    def __enter__(self) -> None:
        self._before = threading.excepthook
        if self._active:
            threading.excepthook = self._hook

    def __exit__(self, *error: Any) -> None:
        threading.excepthook = self._before

    def _hook(self, args: threading.ExceptHookArgs) -> None:
        if "Worker subprocess exited" in str(args.exc_value):
            self._on_death(_status(str(args.exc_value)))
            print(f"a worker process died: {args.exc_value}", file=sys.stderr, flush=True)
            os._exit(WORKER_DIED)
        self._before(args)


def _status(words: str) -> int:
    """The exit status in what Beam says of a dead worker, which a shell may have started: it says 137 for signal 9."""
    found = re.search(r"-?\d+", words)
    status = int(found.group()) if found else WORKER_DIED
    return 128 - status if 128 < status < 192 else status
