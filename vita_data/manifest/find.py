"""Cards by name: beside the mixture that asks, then in --manifests DIR, then in the package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeVar

from manifests import ROOT
from vita_data.errors import ManifestError
from vita_data.manifest.bind import bind
from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.nodes import Node
from vita_data.manifest.parse import read_card, shown_path
from vita_data.manifest.source import SourceCard
from vita_data.manifest.stage import StageCard
from vita_data.manifest.words import closest

Kind = Literal["sources", "stages", "mixtures"]
T = TypeVar("T")


def find_card(kind: Kind, name: str, beside: Path | None = None, manifests: Path | None = None) -> Path:
    """The file of a card; raises ManifestError with the closest names and the folders that were searched.

    `beside` is the mixture file that asks: its folder is searched first, itself excepted. `manifests` is a
    folder laid out like the packaged one.
    """
    for folder in _folders(kind, beside, manifests):
        path = folder / f"{name}.yaml"
        if path.is_file() and not (beside is not None and path.absolute() == beside.absolute()):
            return path
    raise ManifestError(_not_found(kind, name, beside, manifests))


def load_source(name: str, beside: Path | None = None, manifests: Path | None = None) -> SourceCard:
    """A source card by name or file."""
    path = _path_of("sources", name, beside, manifests)
    origin = "package" if path.absolute().is_relative_to(ROOT) else "file"
    node = read_card(path)
    card = bind(node, SourceCard, path=path, origin=origin)
    return _named(card, "source", card.source, node, path, name)


def load_stage(name: str, beside: Path | None = None, manifests: Path | None = None) -> StageCard:
    """A stage card by id or file."""
    path = _path_of("stages", name, beside, manifests)
    node = read_card(path)
    card = bind(node, StageCard)
    return _named(card, "stage", card.stage, node, path, name)


def load_mixture(name: str, manifests: Path | None = None) -> MixtureCard:
    """A mixture card by name or file, each of whose sources has a card somewhere."""
    path = _path_of("mixtures", name, None, manifests)
    node = read_card(path)
    card = bind(node, MixtureCard, path=path)
    for line, place in zip(card.sources, _lines(node), strict=True):
        try:
            find_card("sources", line.source, path, manifests)
        except ManifestError as error:
            raise place.wrong(str(error)) from None
    return _named(card, "mixture", card.mixture, node, path, name)


def load_sources(mixture: MixtureCard, manifests: Path | None = None) -> dict[str, SourceCard]:
    """The source cards of a mixture, by name, in its order; ManifestError for one that is counted in another unit."""
    cards = {line.source: load_source(line.source, mixture.path, manifests) for line in mixture.sources}
    for line in mixture.sources:
        card = cards[line.source]
        if getattr(line, card.unit) is None:
            raise ManifestError(
                f"{shown_path(mixture.path)}: source {line.source} is counted in {card.unit}, since its row has type "
                f"{card.row.type}; write `{card.unit}:` with a number or all"
            )
    return cards


def all_sources(manifests: Path | None = None) -> list[SourceCard]:
    """Every source card of `manifests` and the package, by name; the former hides its namesakes."""
    return [load_source(name, None, manifests) for name in _names("sources", None, manifests)]


def all_stages(manifests: Path | None = None) -> list[StageCard]:
    """Every stage card of `manifests` and the package, by id; the former hides its namesakes."""
    return [load_stage(name, None, manifests) for name in _names("stages", None, manifests)]


def _folders(kind: Kind, beside: Path | None, manifests: Path | None) -> Iterator[Path]:
    if beside is not None:
        yield beside.parent
        yield beside.parent / kind
    if manifests is not None:
        yield manifests / kind
    yield ROOT / kind


def _names(kind: Kind, beside: Path | None, manifests: Path | None) -> list[str]:
    return sorted(
        {path.stem for folder in _folders(kind, beside, manifests) for path in folder.glob("*.yaml")}
    )


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) or "/" in name


def _path_of(kind: Kind, name: str, beside: Path | None, manifests: Path | None) -> Path:
    if not _is_file(name):
        return find_card(kind, name, beside, manifests)
    path = Path(name)
    if not path.is_file():
        raise ManifestError(
            f"{name}: there is no such file; give the path of a card, or a name without .yaml"
        )
    return path


def _not_found(kind: Kind, name: str, beside: Path | None, manifests: Path | None) -> str:
    names = _names(kind, beside, manifests)
    near = closest(name, names)
    advice = f"write {near}" if near else f"write one of {', '.join(names) or '(no card is there)'}"
    where = ", ".join(shown_path(folder) for folder in _folders(kind, beside, manifests))
    return f"there is no {kind.removesuffix('s')} card {name} (looked in {where}); {advice}"


def _named(card: T, key: str, stated: str, node: Node, path: Path, name: str) -> T:
    """The card, when the name in it is the one it was found under."""
    if _is_file(name) or stated == name:
        return card
    place = node.value[key] if isinstance(node.value, dict) else node
    raise place.wrong(f"the card calls itself {stated} but its file is {path.name}; make the two names equal")


def _lines(node: Node) -> list[Node]:
    """The nodes of a mixture's `sources`, each at its `source:` line."""
    sources = node.value["sources"].value if isinstance(node.value, dict) else []
    return [
        item.value["source"] for item in sources if isinstance(item, Node) and isinstance(item.value, dict)
    ]
