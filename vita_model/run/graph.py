"""The stages of a mixture and their halves, in the order that their cards' `needs` give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vita_data.errors import ManifestError, UsageError
from vita_data.manifest.find import all_stages, load_stage
from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.options import with_options
from vita_data.manifest.plan import share_of
from vita_data.manifest.source import SourceCard
from vita_data.manifest.stage import StageCard, Training, split_stage
from vita_data.manifest.words import closest

WEIGHTS = "weights:"


@dataclass(frozen=True)
class Node:
    """One training: a stage with its card as the mixture has it, or one of its halves."""

    card: StageCard
    half: str | None
    options: tuple[str, ...]

    @property
    def stage(self) -> str:
        """The stage whose data it reads."""
        return self.card.stage

    @property
    def name(self) -> str:
        """The stage, or the half: 1.3 or 2.1a."""
        return self.stage + (self.half or "")

    @property
    def training(self) -> Training:
        """What it trains, how, and from where."""
        return self.card.training(self.half)

    @property
    def before(self) -> tuple[str, ...]:
        """The trainings that it starts from."""
        return tuple(need for need in self.training.needs if not need.startswith(WEIGHTS))

    @property
    def wants_weights(self) -> bool:
        """Whether it starts from weights that no stage makes."""
        return len(self.before) < len(self.training.needs)


def read_graph(
    mixture: MixtureCard, stages: str | None, options: Iterable[str], manifests: Path | None
) -> list[Node]:
    """All trainings in an order in which each comes after those it needs.

    Those of every packaged card and of `manifests`, and single ones that `stages` names. An option goes to the stages
    that have it; UsageError for one that neither a stage nor the mixture has, and for a stage that is nowhere.
    """
    ids = {card.stage for card in all_stages(manifests)} | _named(stages)
    cards = [load_stage(name, mixture.path, manifests) for name in sorted(ids)]
    wanted = set(options)
    known = {*mixture.options, *(name for card in cards for name in card.options)}
    for name in sorted(wanted - known):
        near = closest(name, known)
        raise UsageError(
            f"no stage and no mixture here has an option {name}; write {near or 'one that has'}."
        )
    nodes: list[Node] = []
    for card in cards:
        here = tuple(sorted(wanted & {*card.options, *mixture.options}))
        settled, _ = with_options(card, mixture, here)
        halves: list[str | None] = [*sorted(settled.halves)] or [None]
        nodes += [Node(settled, half, here) for half in halves]
    return _in_order(nodes)


def choose(nodes: list[Node], stages: str) -> list[Node]:
    """The trainings that a text such as `1.1-2.1a,2.2` names; a hyphen stands between a first and a last one."""
    by_id = sorted(nodes, key=lambda node: node.name)
    taken: set[str] = set()
    for part in stages.split(","):
        first, hyphen, last = (text.strip() for text in part.partition("-"))
        begin, end = _places(by_id, first), _places(by_id, last if hyphen else first)
        if end[-1] < begin[0]:
            raise UsageError(f"--stages {part} ends before it begins; write {last}-{first}.")
        taken |= {node.name for node in by_id[begin[0] : end[-1] + 1]}
    return [node for node in nodes if node.name in taken]


def drawable(nodes: list[Node], mixture: MixtureCard, sources: Mapping[str, SourceCard]) -> list[Node]:
    """The trainings whose stage takes something of the mixture, and which need none of those that take nothing."""
    left: set[str] = set()
    for node in nodes:
        drawn = any(share_of(node.card, sources[line.source]) for line in mixture.sources)
        if not drawn or left & set(node.before):
            left.add(node.name)
    return [node for node in nodes if node.name not in left]


def _named(stages: str | None) -> set[str]:
    """The single stages that a choice names; a user's own have cards beside the mixture, where none is looked for."""
    listed = [] if stages is None else [part for part in stages.split(",") if "-" not in part]
    return {split_stage(part.strip())[0] for part in listed}


def _in_order(nodes: list[Node]) -> list[Node]:
    rest = {node.name: node for node in nodes}
    ordered: list[Node] = []
    while rest:
        ready = [node for node in rest.values() if not set(node.before) & set(rest)]
        if not ready:
            raise ManifestError(
                f"stages {', '.join(rest)} need each other in a circle; mend `needs` in their cards"
            )
        ordered.append(ready[0])
        del rest[ready[0].name]
    return ordered


def _places(nodes: list[Node], name: str) -> list[int]:
    found = [place for place, node in enumerate(nodes) if name in (node.name, node.stage)]
    if not found:
        known = sorted({text for node in nodes for text in (node.name, node.stage)})
        near = closest(name, known)
        raise UsageError(f"there is no stage {name or '(nothing)'}; write {near or ', '.join(known)}.")
    return found
