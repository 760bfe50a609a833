"""The named alternatives that a command takes: looked for among those of the stage and of the mixture at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from vita_data.errors import UsageError
from vita_data.manifest.mixture import MixtureCard, MixtureOption
from vita_data.manifest.stage import StageCard, StageOption
from vita_data.manifest.words import closest

_NO_VALUES = ("reason", "half")


def with_options(
    stage: StageCard, mixture: MixtureCard, names: Iterable[str]
) -> tuple[StageCard, MixtureCard]:
    """The two cards as a command takes them: with the named alternatives, and the stage as the mixture has it.

    A name that both cards have is taken in both. The order of the names does not matter: two that give one key
    different values are refused, with a UsageError, as is a name that neither card has.
    """
    wanted = set(names)
    for name in sorted(wanted - {*stage.options, *mixture.options}):
        near = closest(name, [*stage.options, *mixture.options])
        raise UsageError(
            f"neither stage {stage.stage} nor mixture {mixture.mixture} has an option {name}; the stage has "
            f"{', '.join(stage.options) or 'none'}, the mixture {', '.join(mixture.options) or 'none'}"
            + (f"; write {near}" if near else "")
        )
    of_stage = {name: option for name, option in stage.options.items() if name in wanted}
    of_mixture = {name: option for name, option in mixture.options.items() if name in wanted}
    _refuse_clash(of_stage)
    _refuse_clash(of_mixture)
    for name in of_stage:
        stage = stage.with_option(name)
    for name in of_mixture:
        mixture = mixture.with_option(name)
    return mixture.settle(stage), mixture


def _refuse_clash(options: Mapping[str, StageOption] | Mapping[str, MixtureOption]) -> None:
    said: dict[str, tuple[str, Any]] = {}
    for name, option in options.items():
        for key, value in _changes(option).items():
            other, before = said.setdefault(key, (name, value))
            if before != value:
                raise UsageError(f"options {other} and {name} both change {key}; take one of the two")


def _changes(option: StageOption | MixtureOption) -> dict[str, Any]:
    """What an option changes, by dotted keys."""
    half = f"halves.{option.half}." if isinstance(option, StageOption) and option.half else ""
    changes: dict[str, Any] = {}
    for each in fields(option):
        value = getattr(option, each.name)
        if each.name in _NO_VALUES or value is None:
            continue
        inner = {f".{key}": item for key, item in value.items()} if isinstance(value, dict) else {"": value}
        changes |= {f"{half}{each.name}{key}": item for key, item in inner.items()}
    return changes
