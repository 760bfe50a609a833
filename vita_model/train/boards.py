"""Where a run's numbers are shown beside its own files: TensorBoard's always, Weights & Biases when asked for.

RUN/tensorboard/    event files, one for each start; what a resumed run does again is purged from those before
RUN/wandb.json      {project, id} of the run over there, so that --resume goes on in it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from vita_data import files
from vita_data.errors import UsageError

TENSORBOARD, WANDB = "tensorboard", "wandb.json"
FLUSH_SECONDS = 10
SPEED = (
    "seconds",
    "waiting_seconds",
    "tokens_per_second",
    "samples_per_second",
    "share_of_peak",
    "memory",
    "tokens",
    "samples",
    "labelled",
    "operations",
)
GROUPS = {"sources": "loss_by_source", "modalities": "loss_by_modality"}


class Board(Protocol):
    """Something that shows numbers over steps."""

    def show(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by name, after so many updates."""
        ...

    def flush(self) -> None:
        """Everything shown so far is kept when the call returns."""
        ...

    def close(self, failed: bool) -> None:
        """Nothing more comes; `failed` where the training broke off."""
        ...


class EventFiles:
    """TensorBoard's event files by tensorboardX, which writes them without TensorBoard or what it needs."""

    def __init__(self, run: Path, first: int) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(
            str(run / TENSORBOARD),
            purge_step=first,
            flush_secs=FLUSH_SECONDS,
            filename_suffix=f".from-{first}",
        )

    def show(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by name, after so many updates."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def flush(self) -> None:
        """Everything shown so far is in the file when the call returns."""
        self._writer.flush()

    def close(self, failed: bool) -> None:
        """Nothing more comes; `failed` where the training broke off."""
        self._writer.close()


class WeightsAndBiases:
    """One run of a W&B project, the same one however often it is resumed; steps done again stay as they were."""

    def __init__(self, run: Path, project: str, asked: dict[str, Any]) -> None:
        wandb = _wandb()
        stated = run / WANDB
        before = files.read_json(str(stated)) if stated.exists() else {}
        if before and before["project"] != project:
            raise UsageError(
                f"{run} is shown in the W&B project {before['project']}, not {project}; give --wandb "
                f"{before['project']}, or delete {stated} to begin anew."
            )
        try:
            made = wandb.init(
                project=project,
                id=before.get("id"),
                resume="allow" if before else None,
                name=f"{asked['stage']}-{run.resolve().name}",
                config=asked,
                dir=str(run),
            )
        except wandb.Error as error:
            reason = " ".join(str(error).split())
            raise UsageError(
                f"W&B does not take the run ({reason}); `wandb login`, or set WANDB_MODE=offline."
            ) from error
        files.write_json(str(stated), {"project": project, "id": made.id})
        self._run: Any = made

    def show(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by name, after so many updates."""
        self._run.log(dict(values), step=step)

    def flush(self) -> None:
        """W&B writes by itself."""

    def close(self, failed: bool) -> None:
        """Nothing more comes; `failed` where the training broke off."""
        self._run.finish(exit_code=int(failed))


def check_wandb(project: str | None) -> None:
    """UsageError where W&B is asked for and is not installed."""
    if project is not None:
        _wandb()


def _wandb() -> Any:
    try:
        import wandb
    except ModuleNotFoundError as error:
        if error.name != "wandb":
            raise
        raise UsageError("wandb is not installed; `pip install wandb`, or leave --wandb out.") from None
    return wandb


class Boards:
    """All boards of a run as one; without any it shows nothing."""

    def __init__(self, boards: Sequence[Board] = ()) -> None:
        self._boards = boards

    def step(self, values: dict[str, Any]) -> None:
        """The metrics of a step, where its number says: its loss is that after as many updates."""
        self._show(values["step"], _named(values))

    def held_out(self, found: dict[str, Any]) -> None:
        """A validation."""
        losses = {source: said["loss"] for source, said in found["sources"].items()}
        named = {"validation/loss": found["loss"], **_grouped("validation_by_source", losses)}
        self._show(found["step"], {name: value for name, value in named.items() if value is not None})

    def flush(self) -> None:
        """Everything shown so far is kept."""
        for board in self._boards:
            board.flush()

    def close(self, failed: bool) -> None:
        """Nothing more comes; `failed` where the training broke off."""
        for board in self._boards:
            board.close(failed)

    def _show(self, step: int, named: Mapping[str, float]) -> None:
        for board in self._boards:
            board.show(step, named)


def opened(run: Path, first: int, project: str | None, asked: dict[str, Any]) -> Boards:
    """The boards of a run that goes on at step `first`; called by the first rank alone."""
    boards: list[Board] = [EventFiles(run, first)]
    if project is not None:
        boards.append(WeightsAndBiases(run, project, asked))
    return Boards(boards)


def _named(values: dict[str, Any]) -> dict[str, float]:
    """The numbers of a step by the names that boards group them by."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _grouped(GROUPS.get(name, name), value)
        elif isinstance(value, int | float) and name != "step":
            found[_place(name)] = value
    return found


def _grouped(group: str, values: Mapping[str, float]) -> dict[str, float]:
    return {f"{group}/{name}": value for name, value in values.items()}


def _place(name: str) -> str:
    if name == "loss":
        return "loss/all"
    if name.startswith("loss_"):
        return f"loss/{name.removeprefix('loss_')}"
    return f"speed/{name}" if name in SPEED else f"training/{name}"
