"""A stage card: what a stage takes of each kind of data, what it trains and where it starts."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any, Literal

from vita_data.errors import ManifestError, UsageError
from vita_data.manifest.bind import known_path
from vita_data.manifest.loss import Loss, complaint_about_weights
from vita_data.manifest.schedule import Schedule, ScheduleChange
from vita_data.manifest.values import Part, Positive, Share, StageId, Start, Text
from vita_data.manifest.words import closest

Modality = Literal["image", "video", "text", "audio"]
Trainable = Literal[
    "projector",
    "vision_tower",
    "language_model",
    "speech_encoder",
    "speech_adapter",
    "prompt_embeddings",
    "state_head",
    "codec",
    "speech_decoder",
]
NoiseAnswer = Literal["keep", "end"]
Tolerance = Part | Literal["off"]  # of what earlier stages had learned
_RUN = ("trains", "loss", "loss_weights", "needs", "schedule")  # keys of one training run


@dataclass(frozen=True)
class Shares:
    """The part of each kind that a stage draws, exactly: caption and qa by questions, asr and tts by hours."""

    caption: Share = Fraction(0)
    qa: Share = Fraction(0)
    asr: Share = Fraction(0)
    tts: Share = Fraction(0)


@dataclass(frozen=True)
class Training:
    """One training run: the parts that learn, the loss, the checkpoints it starts from, the schedule."""

    trains: tuple[Trainable, ...]
    loss: Loss
    needs: tuple[Start, ...]
    schedule: Schedule
    title: Text | None = None
    loss_weights: dict[str, Positive] = field(default_factory=dict)

    def complaint(self) -> tuple[str, str] | None:
        """The weights are of terms that the loss has."""
        return complaint_about_weights(self.loss, self.loss_weights)


@dataclass(frozen=True)
class StageOption:
    """A named alternative to what the card says, with its reason; what it leaves out stays."""

    reason: Text
    half: Text | None = None
    shares: Shares | None = None
    pure_text: bool | None = None
    spoken_share: Share | None = None
    negatives: Share | None = None
    state_tokens: bool | None = None
    noise_answer: NoiseAnswer | None = None
    forgetting: Tolerance | None = None
    trains: tuple[Trainable, ...] | None = None
    loss: Loss | None = None
    loss_weights: dict[str, Positive] | None = None
    needs: tuple[Start, ...] | None = None
    schedule: ScheduleChange | None = None


@dataclass(frozen=True)
class StageCard:
    """A stage as data; `manifests/README.md` explains the keys.

    A stage that trains in one run has `trains`, `loss`, `needs` and `schedule`; one that trains in two has
    `halves` instead (2.1: a and b). `why` gives the reason for the value of a key, by its dotted name.
    """

    stage: StageId
    title: Text
    unit: Literal["questions", "hours"]
    reads: tuple[Modality, ...]
    shares: Shares
    pure_text: bool = True
    spoken_share: Share | None = None
    negatives: Share = Fraction(0)
    state_tokens: bool = False
    noise_answer: NoiseAnswer = "keep"
    forgetting: Tolerance = 0.02
    trains: tuple[Trainable, ...] = ()
    loss: Loss | None = None
    loss_weights: dict[str, Positive] = field(default_factory=dict)
    needs: tuple[Start, ...] = ()
    schedule: Schedule | None = None
    halves: dict[str, Training] = field(default_factory=dict)
    options: dict[str, StageOption] = field(default_factory=dict)
    why: dict[str, Text] = field(default_factory=dict)

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        return (
            self._wrong_run()
            or complaint_about_weights(self.loss, self.loss_weights)
            or self._wrong_shares()
            or self._wrong_option()
            or self._wrong_reason()
        )

    @property
    def noise_ends(self) -> bool:
        """Whether an answer to what was not meant for the model is over once it has said so."""
        return self.noise_answer == "end"

    @property
    def hears(self) -> bool:
        """Whether the stage reads sound; samples with some are no part of one that does not."""
        return "audio" in self.reads

    def training(self, half: str | None = None) -> Training:
        """The training run of the stage, or of one of its halves; raises UsageError naming the halves."""
        if half in self.halves:
            return self.halves[half]
        if half is not None or self.schedule is None or self.loss is None:
            there = (
                f"write {' or '.join(self.stage + name for name in self.halves)}"
                if self.halves
                else "it has none"
            )
            raise UsageError(f"stage {self.stage} has no half {half or 'of that name'}; {there}")
        return Training(
            self.trains, self.loss, self.needs, self.schedule, self.title, loss_weights=self.loss_weights
        )

    def with_option(self, name: str) -> StageCard:
        """The card with one of its named alternatives in place."""
        option = self.options[name]
        said = {f.name: getattr(option, f.name) for f in fields(option) if f.name not in ("reason", "half")}
        changes = {key: value for key, value in said.items() if value is not None}
        if option.half is None:
            return replace(self, **_changed(self.schedule, changes))
        half = self.halves[option.half]
        return replace(
            self, halves={**self.halves, option.half: replace(half, **_changed(half.schedule, changes))}
        )

    def _wrong_run(self) -> tuple[str, str] | None:
        whole = [key for key in ("trains", "loss", "schedule") if getattr(self, key)]
        beside = [key for key in ("needs", "loss_weights") if getattr(self, key)]
        if self.halves and (whole or beside):
            return (whole or beside)[0], "a stage in halves trains in them only; move this key below halves"
        if not self.halves and len(whole) < 3:
            return "title", "the stage does not say how it trains; add trains, loss and schedule, or halves"
        return None

    def _wrong_shares(self) -> tuple[str, str] | None:
        wanted, other = ("caption", "qa"), ("asr", "tts")
        if self.unit == "hours":
            wanted, other = other, wanted
        for kind in other:
            if getattr(self.shares, kind):
                return (
                    f"shares.{kind}",
                    f"shares.{kind} is not counted in {self.unit}; write {' or '.join(wanted)}",
                )
        if self.negatives and not self.spoken_share:
            return "negatives", "negatives are a part of the spoken questions; add spoken_share"
        if self.noise_ends and not self.state_tokens:
            return (
                "noise_answer",
                "an answer that ends at once says nothing but its state; add state_tokens: true",
            )
        if not any(getattr(self.shares, kind) for kind in wanted):
            return "shares", f"the stage draws nothing; give a share to {' or '.join(wanted)}"
        return None

    def _wrong_option(self) -> tuple[str, str] | None:
        for name, option in self.options.items():
            if option.half is not None and option.half not in self.halves:
                return (
                    f"options.{name}.half",
                    f"half {option.half} is not there; write one of the keys of halves",
                )
            runs = [key for key in _RUN if getattr(option, key) is not None]
            if self.halves and option.half is None and runs:
                return (
                    f"options.{name}.{runs[0]}",
                    f"{runs[0]} belongs to one half; add `half:` with its name",
                )
        return None

    def _wrong_reason(self) -> tuple[str, str] | None:
        for key in self.why:
            if not known_path(type(self), key):
                near = closest(key, (f.name for f in fields(self)))
                return f"why.{key}", f"why names no key {key}; write {near or 'a key such as shares.caption'}"
        return None


def _changed(schedule: Schedule | None, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes with a partial schedule filled up from the one it changes."""
    part = changes.get("schedule")
    if not isinstance(part, dict):
        return changes
    if schedule is None:
        raise ManifestError("an option changes the schedule of a stage that has none; name its half")
    return {**changes, "schedule": replace(schedule, **part)}


def split_stage(text: str) -> tuple[str, str | None]:
    """`2.1a` as stage `2.1` and half `a`; an id that does not end in a letter is a whole stage."""
    return (
        (text[:-1], text[-1]) if len(text) > 1 and text[-1].isalpha() and text[-2].isdigit() else (text, None)
    )
