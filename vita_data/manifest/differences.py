"""What a mixture does otherwise than the packaged cards say, key by key, with who says so and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from manifests import ROOT
from vita_data.manifest.change import changed, flat, reasons
from vita_data.manifest.find import load_mixture, load_stage
from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.options import with_options
from vita_data.manifest.stage import StageCard
from vita_data.manifest.values import number

PAPER = "paper"
# The keys of a mixture that are no list of what to take, and so can differ from the paper's.
RULES = ("geometry", "holdout", "hours", "speech", "curate")


@dataclass(frozen=True)
class Difference:
    """A key whose value is not the packaged card's: `by` says which part of which card has changed it."""

    key: str
    card: Any
    value: Any
    by: str
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        """The difference as plain values."""
        return {**vars(self), "card": _plain(self.card), "value": _plain(self.value)}

    @property
    def words(self) -> str:
        """One line for people."""
        said = self.to_json()
        return f"{self.key}: {_shown(said['card'])} -> {_shown(said['value'])} ({self.reason or self.by})"


def differences(
    stage: str, mixture: MixtureCard, options: Iterable[str] = (), manifests: Path | None = None
) -> list[Difference]:
    """Where a stage of a mixture differs from the packaged card of that stage; from its own where there is none."""
    own = load_stage(stage, mixture.path, manifests)
    packaged = load_stage(stage) if (ROOT / "stages" / f"{stage}.yaml").is_file() else own
    layers = list(_layers(packaged, own, mixture, tuple(options)))
    (_, first, _), *rest = layers
    card, found = flat(first), {}
    values = dict(card)
    for by, layer, why in rest:
        now = flat(layer)
        for key in values.keys() | now.keys():
            if values.get(key) != now.get(key):
                found[key] = (by, _reason(why, key))
        values = now
    return [
        Difference(key, card.get(key), values.get(key), *found[key])
        for key in sorted(found)
        if card.get(key) != values.get(key)
    ]


def rule_differences(mixture: MixtureCard) -> list[Difference]:
    """Where what a mixture says of samples and their making differs from the paper's mixture."""
    paper = load_mixture(PAPER)
    theirs, ours = (flat({name: getattr(card, name) for name in RULES}) for card in (paper, mixture))
    return [
        Difference(key, theirs.get(key), ours.get(key), "mixture", None)
        for key in sorted(theirs.keys() | ours.keys())
        if theirs.get(key) != ours.get(key)
    ]


def _layers(
    packaged: StageCard, own: StageCard, mixture: MixtureCard, options: tuple[str, ...]
) -> Iterator[tuple[str, StageCard, dict[str, str]]]:
    """The stage from its packaged card to what is built and trained: who changes it, into what, and why."""
    yield "package", packaged, {}
    yield "card", own, own.why
    bare, stage = replace(mixture, training={}, stages={}), own
    taken: list[str] = []
    for name in sorted(set(options)):
        taken.append(name)
        stage, _ = with_options(own, bare, taken)
        option = own.options.get(name) or mixture.options[name]
        yield f"option {name}", stage, {"": option.reason}
    stage, _ = with_options(own, replace(mixture, stages={}), taken)
    yield "training", stage, {}
    change = mixture.stages.get(own.stage, {})
    yield "stages", changed(stage, change), reasons(change)


def _reason(why: dict[str, str], key: str) -> str | None:
    """The reason of a key, else that of the nearest part it stands in."""
    while key and key not in why:
        key = key.rpartition(".")[0]
    return why.get(key)


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return number(value)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return ", ".join(map(_shown, value)) or "nothing" if isinstance(value, list) else str(value)
