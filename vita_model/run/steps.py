"""A run as a list of steps, each one command: build a stage, encode its speech, train it, score it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vita_data import files
from vita_data.errors import UsageError
from vita_data.manifest.find import load_benchmarks, load_sources
from vita_data.manifest.mixture import MixtureCard
from vita_data.records.key import digest_of
from vita_model.config.presets import preset
from vita_model.run import made
from vita_model.run.asked import Asked
from vita_model.run.graph import Node
from vita_model.run.starts import TRAIN, Start, starts_of
from vita_model.train import folder

CODES, CODEC = "codec-tokens", "codec"
LENGTH = "steps"  # the input of a training that can grow without a new beginning
ALL = "all"
Inputs = dict[str, str]


@dataclass(frozen=True)
class Step:
    """A command with what it reads and makes.

    `after` are the steps of this run whose output it reads, `inputs` says what it reads once they are done, and
    `output` is the digest of what lies there, None where it is not whole. `needless` says why there is nothing to do.
    `run` is the folder of a training, which can be gone on with.
    """

    name: str
    command: list[str]
    after: tuple[str, ...]
    inputs: Callable[[], Inputs]
    output: Callable[[], str | None]
    run: Path | None = None
    needless: Callable[[], str | None] = lambda: None


def steps_of(nodes: Sequence[Node], codecs: frozenset[str], mixture: MixtureCard, asked: Asked) -> list[Step]:
    """All steps of a run in their order; `codecs` are the trainings that make a codec.

    Raises UsageError where a training has nothing to start from.
    """
    starts = starts_of(nodes, asked)
    steps: dict[str, Step] = {}
    for node in nodes:
        mine = [_build(node, mixture, asked), _train(node, starts[node.name], asked), _score(node, asked)]
        if node.training.loss == CODES:
            mine.insert(1, _encode(node, starts[node.name], codecs, asked))
        steps |= {step.name: step for step in mine}
    return [
        replace(step, after=tuple(name for name in step.after if name in steps)) for step in steps.values()
    ]


def _build(node: Node, mixture: MixtureCard, asked: Asked) -> Step:
    for name in node.options:
        mixture = mixture.with_option(name) if name in mixture.options else mixture
    flags = [*_flag("--data-root", asked.data_root), *_flag("--against", asked.against)]
    flags += [*_flag("--manifests", asked.manifests), *_flag("--workers", asked.workers)]
    flags += [word for name in node.options for word in ("--option", name)]
    flags += ["--allow-short"] * asked.allow_short
    words = ["build", "--stage", node.stage, "--mixture", asked.mixture, "--out", str(asked.data)]
    return Step(
        f"build-{node.stage}",
        [*_python("vita_data"), *words, "--seed", str(asked.seed), *flags, "--json"],
        (),
        partial(_built_from, node, mixture, asked),
        partial(made.stage_made, asked.stage_folder(node.stage)),
    )


def _built_from(node: Node, mixture: MixtureCard, asked: Asked) -> Inputs:
    read = made.sources_read(node.card, load_sources(mixture, asked.manifests).values())
    against = load_benchmarks(mixture.benchmarks, mixture.path, asked.manifests) if asked.against else {}
    flags = [asked.seed, asked.allow_short, asked.data_root, asked.against]
    return {
        "cards": made.cards_said(node.card, mixture, read, against.values()),
        "files": made.files_there(read, mixture, asked.data_root),
        "options": digest_of("options", flags, node.options),
    }


def _encode(node: Node, starts: Sequence[Start], codecs: frozenset[str], asked: Asked) -> Step:
    trained = [start for start in starts if start.stage in codecs]
    codec = next(iter(trained or [start for start in starts if start.stage is None]), None)
    if codec is None:
        raise UsageError(
            f"stage {node.name} needs a codec, and none of its starts has one; see `needs` in its card."
        )
    home = asked.stage_folder(node.stage)
    flags = [*_flag("--voice", asked.voice), *_flag("--workers", asked.workers)]

    def inputs() -> Inputs:
        voice = "ordinary" if asked.voice is None else digest_of("voice", files.identity(asked.voice))
        return {"speech": made.spoken(home), "codec": codec.digest(asked), "voice": voice}

    return Step(
        f"encode-{node.name}",
        [
            *_python("vita_model"),
            "encode",
            "--codec",
            str(codec.place),
            "--data",
            str(home),
            *flags,
            "--json",
        ],
        (f"build-{node.stage}", f"{TRAIN}{codec.stage}"),
        inputs,
        partial(made.codes_made, home),
    )


def _train(node: Node, starts: Sequence[Start], asked: Asked) -> Step:
    run, home = asked.run_of(node.name), asked.stage_folder(node.stage)
    launch = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(asked.processes), "-m"]
    several = launch if asked.processes > 1 else []
    words = [
        "train",
        "--stage",
        node.name,
        "--data",
        str(asked.data),
        "--preset",
        asked.preset,
        "--out",
        str(run),
    ]
    words += [word for start in starts for word in ("--init", str(start.place))]

    def inputs() -> Inputs:
        said = {
            "data": made.taught(home, node.half),
            "model": digest_of("model", preset(asked.preset).to_json()),
            LENGTH: ALL if asked.max_steps is None else str(asked.max_steps),
            "options": " ".join(asked.train),
        }
        if node.training.loss == CODES:
            said["codes"] = str(made.codes_made(home))
        return said | {f"start {start.stage or start.place}": start.digest(asked) for start in starts}

    return Step(
        f"{TRAIN}{node.name}",
        [
            *_python(*several, "vita_model"),
            *words,
            *_flag("--max-steps", asked.max_steps),
            *asked.train,
            "--json",
        ],
        (
            f"build-{node.stage}",
            f"encode-{node.name}",
            *(f"{TRAIN}{start.stage}" for start in starts if start.ours),
        ),
        inputs,
        partial(made.run_made, run),
        run,
    )


def _score(node: Node, asked: Asked) -> Step:
    run, home, out = asked.run_of(node.name), asked.stage_folder(node.stage), asked.scores_of(node.name)
    trained = Start(run, node.name, ours=True)

    def inputs() -> Inputs:
        limit = ALL if asked.limit is None else str(asked.limit)
        return {"held out": str(made.held_out(home)), "run": trained.digest(asked), "limit": limit}

    words = ["eval", str(run), "--data", str(asked.data), "--stage", node.name, "--out", str(out)]
    return Step(
        f"eval-{node.name}",
        [*_python("vita_model"), *words, *_flag("--limit", asked.limit), "--json"],
        (f"build-{node.stage}", f"{TRAIN}{node.name}"),
        inputs,
        partial(made.json_made, out / folder.EVAL),
        needless=lambda: "nothing is held out of it" if made.held_out(home) is None else None,
    )


def _python(*module: str) -> list[str]:
    return [sys.executable, "-m", *module]


def _flag(name: str, value: object) -> list[str]:
    return [] if value is None else [name, str(value)]
