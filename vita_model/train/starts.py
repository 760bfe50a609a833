"""What a stage starts from: checkpoints of the stages before it, or released weights.

Stages form a graph, so a stage can start from two runs (2.1b from 1.3 and 2.1a). Each gives the parts that it, or
a stage before it, has trained; what nobody has trained comes from the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from vita_data import files
from vita_data.errors import UsageError
from vita_model.config.language import LanguageConfig
from vita_model.config.model import ModelConfig
from vita_model.nets.codec.codec import Codec
from vita_model.nets.codec.identity import codec_digest
from vita_model.nets.vita import Vita
from vita_model.train import checkpoint
from vita_model.train.given import lora_in
from vita_model.train.tensors import Tensors
from vita_model.weights.release import load_part, load_release
from vita_model.weights.shape import release_config

CODEC, HEAD, LANGUAGE = "codec", "state_head", "language_model"
# What of the config is as large as the part that was loaded, whatever the preset.
SIZES = {
    "encoder": "speech_encoder",
    "adapter": "speech_adapter",
    "decoder": "speech_decoder",
    "codec": "codec",
}
# model_type in a folder's config.json -> the part it holds; a whole VITA holds every part.
FOLDERS = {
    "qwen2": "language_model",
    "intern_vit_6b": "vision_tower",
    "internvl_vision": "vision_tower",
    "vita-Qwen2": None,
}


class Asks(Protocol):
    """A stage that says where it starts from and what it trains."""

    @property
    def name(self) -> str:
        """The stage, or one half of it."""
        ...

    @property
    def stages_before(self) -> tuple[str, ...]:
        """The stages whose checkpoints it starts from."""
        ...

    @property
    def trains(self) -> tuple[str, ...]:
        """The parts that learn."""
        ...


@dataclass(frozen=True)
class Start:
    """Something to start from: a checkpoint with what it says of itself, or a folder of released weights."""

    place: Path
    said: dict[str, Any] | None = None

    @property
    def trained(self) -> dict[str, str]:
        """The parts that were trained on the way to a checkpoint, and the stage that did so last."""
        return {} if self.said is None else dict(self.said["trained"])

    @property
    def states(self) -> int | None:
        """The classes of a checkpoint's state head."""
        return None if self.said is None else int(self.said["model"]["states"])

    def parts_there(self) -> set[str]:
        """The parts that a checkpoint holds."""
        return {name.partition(".")[0] for name in Tensors(self.place, "model").names()}

    @property
    def is_release(self) -> bool:
        """Whether it is a folder of a whole released model, with every part but the heads of single stages."""
        return self.said is None and part_in(self.place) is None

    @property
    def stage(self) -> str | None:
        """The stage that a checkpoint is of; None for released weights, which any stage may start from."""
        return None if self.said is None else str(self.said["stage"])


def find(place: Path) -> Start:
    """What lies at a place: a checkpoint, the last one of a run, or a folder of released weights."""
    if not (place / "config.json").exists():
        found = checkpoint.find(place)
        return Start(found, checkpoint.facts(found))
    kind = files.read_json(str(place / "config.json")).get("model_type")
    if kind not in FOLDERS:
        raise UsageError(f"{place} holds a model of type {kind!r}; give one of {', '.join(FOLDERS)}.")
    return Start(place)


def check(starts: Sequence[Start], task: Asks) -> None:
    """UsageError unless every stage that the task needs is there, once, and no checkpoint is of another."""
    given = [start.stage for start in starts if start.stage is not None]
    odd = [start for start in starts if start.stage and start.stage not in task.stages_before]
    if odd and task.stages_before:
        raise UsageError(
            f"{odd[0].place} was trained in stage {odd[0].stage} and stage {task.name} starts from stage "
            f"{' and '.join(task.stages_before)}; name a run of that stage with --init."
        )
    twice = [stage for stage in dict.fromkeys(given) if given.count(stage) > 1]
    if twice:
        raise UsageError(
            f"--init names {given.count(twice[0])} checkpoints of stage {twice[0]}; name the one to start from."
        )
    missing = [name for name in task.stages_before if name not in given]
    if missing and len(given) == len(starts):
        raise UsageError(
            f"stage {task.name} starts from stage {' and '.join(task.stages_before)}; name the run that trained "
            f"{' and '.join(missing)} with --init."
        )


def config_of(starts: Sequence[Start], config: ModelConfig) -> ModelConfig:
    """The config of the model that comes of them: what hears and speaks is as large as what was loaded of it.

    UsageError for a model that sees, reads or is fed otherwise than the preset's.
    """
    stated = [(start, said) for start in starts if (said := _stated(start, config)) is not None]
    for start, theirs in stated:
        if any(getattr(theirs, name) != getattr(config, name) for name in ("vision", "language", "geometry")):
            raise UsageError(
                f"{start.place} holds another model than preset {config.preset}; give the preset it was made with."
            )
    sizes: dict[str, Any] = {}
    for name, part in SIZES.items():
        having = [said for start, said in stated if part in start.trained] or [said for _, said in stated[:1]]
        if having:
            sizes[name] = getattr(having[0], name)
    learned = [said.characters for _, said in stated if said.characters]
    return replace(config, **sizes, characters=(config.characters or [*learned, 0][0]))


def states_of(starts: Sequence[Start], config: ModelConfig, asked: int | None = None) -> int:
    """How many classes the state head has: as many as it has learned, else as asked, as loaded, or the preset's.

    UsageError where it has learned others than are asked for.
    """
    learned = [start for start in starts if HEAD in start.trained]
    if learned and asked not in (None, learned[0].states):
        raise UsageError(
            f"the state head of {learned[0].place} has learned {learned[0].states} classes; leave --states out, or "
            "start from a run before stage 2.2."
        )
    offers = [*(start.states for start in learned), asked, *(start.states for start in starts), config.states]
    return next(states for states in offers if states is not None)


def _stated(start: Start, config: ModelConfig) -> ModelConfig | None:
    """The model that a checkpoint or a released VITA says it is; None for a folder of one part."""
    if start.said is not None:
        return ModelConfig.from_json(start.said["model"])
    if part_in(start.place) is not None:
        return None
    theirs = release_config(start.place, config.vision, config.geometry)
    adapter = replace(theirs.adapter, prompts=config.adapter.prompts)  # which a release has dropped
    return replace(theirs, adapter=adapter, language=_alike(theirs.language, config.language))


def _alike(theirs: LanguageConfig, wanted: LanguageConfig) -> LanguageConfig:
    """The released language model, where it says nothing else, as long as the preset's."""
    return replace(theirs, positions=wanted.positions)


def owners(starts: Sequence[Start], parts: Sequence[str], states: int | None = None) -> dict[str, Start]:
    """Which checkpoint each part comes from; parts of released weights, and random ones, are not among them.

    Nor is a state head that has learned nothing yet, where the model's is to have other `states`.
    """
    checkpoints = [start for start in starts if start.said is not None]
    found: dict[str, Start] = {}
    for part in parts:
        having = [start for start in checkpoints if part in start.trained]
        having += [start for start in checkpoints[:1] if part != HEAD or start.states in (states, None)]
        if having and part in having[0].parts_there():
            found[part] = having[0]
    return found


def places(starts: Sequence[Start], model: Vita) -> dict[str, Path]:
    """The checkpoint of each part of a model that comes from one."""
    return {part: start.place for part, start in owners(starts, model.parts, model.config.states).items()}


def load(model: Vita, starts: Sequence[Start], apart: bool = False) -> list[str]:
    """Puts the weights of all of them into the model; a line for each that says what it gave.

    What LoRA has added to some goes along in them, unless it is to stay `apart`.
    """
    lines = []
    for start in starts:
        if start.said is None:
            lines.append(_load_released(model, start.place))
    given = owners(starts, model.parts, model.config.states)
    for start in starts:
        parts = tuple(part for part, owner in given.items() if owner is start)
        if parts and start.said is not None:
            checkpoint.load_weights(model, start.place, parts, apart)
            end = "the end" if start.said["final"] else "in the midst"
            lines.append(f"{', '.join(parts)} of {start.place}, {end} of stage {start.stage}")
            if not apart and LANGUAGE in parts and (lora := lora_in(start.place)):
                lines.append(f"what LoRA of rank {lora.rank} has learned there is now part of {LANGUAGE}")
    return lines


def part_in(place: Path) -> str | None:
    """The part that a folder of released weights holds; None for a whole VITA."""
    return FOLDERS[files.read_json(str(place / "config.json"))["model_type"]]


def _load_released(model: Vita, place: Path) -> str:
    part = part_in(place)
    if part is None:
        load_release(model, place)
    else:
        load_part(model, part, place)
    return f"{part or 'released weights'} of {place}"


def codec_of(starts: Sequence[Start], config: ModelConfig) -> str | None:
    """The digest of the codec that a checkpoint among them holds; None where none does."""
    owner = owners(starts, (CODEC,)).get(CODEC)
    if owner is None:
        return None
    stored, codec = Tensors(owner.place, "model"), Codec(config.codec)
    prefix = f"{CODEC}."
    own = [name for name in stored.names() if name.startswith(prefix)]
    codec.load_state_dict({name.removeprefix(prefix): stored.read(name) for name in own})
    return codec_digest(codec)


def lineage(starts: Sequence[Start], task: Asks) -> dict[str, str]:
    """The parts that have been trained once this task is done, and in which stage last."""
    before: dict[str, str] = {}
    for start in starts:
        before |= start.trained
    return before | dict.fromkeys(task.trains, task.name)


def carried(starts: Sequence[Start]) -> dict[str, Any]:
    """What goes along from checkpoint to checkpoint: {scores: how each stage did, characters: what 2.1a writes}."""
    said = [start.said for start in starts if start.said is not None]
    scores: dict[str, Any] = {}
    for one in said:
        scores |= one.get("scores", {})
    return {
        "scores": scores,
        "characters": next((one["characters"] for one in said if one.get("characters")), None),
    }
