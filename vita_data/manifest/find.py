"""Cards by name: beside the mixture that asks, then in --manifests DIR, then in the package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

from manifests import ROOT
from vita_data.errors import ManifestError
from vita_data.manifest.benchmark import BenchmarkCard
from vita_data.manifest.bind import bind, descend
from vita_data.manifest.change import complaint_about
from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.nodes import Node
from vita_data.manifest.parse import read_card, shown_path
from vita_data.manifest.source import SourceCard
from vita_data.manifest.stage import StageCard
from vita_data.manifest.words import closest

Kind = Literal["sources", "stages", "mixtures", "benchmarks"]
T = TypeVar("T")
MADE = "sample-"  # the names of what `vita-data sample` makes begin so


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
    """A mixture card by name or file; each of its sources and benchmarks, those of its options too, has a card.

    So has every stage that it changes, and what it changes fits that card.
    """
    path = _path_of("mixtures", name, None, manifests)
    node = read_card(path)
    card = bind(node, MixtureCard, path=path)
    for place in (*_sources_in(node, "sources"), *_others(node)):
        _check_there("sources", place, path, manifests)
    for place in _list_below(node, "benchmarks"):
        _check_there("benchmarks", place, path, manifests)
    for name_of, place in _below(node, "stages").items():
        _check_change(place, name_of, card, manifests)
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


def load_benchmark(name: str, beside: Path | None = None, manifests: Path | None = None) -> BenchmarkCard:
    """A benchmark card by name or file, each of whose guards names a source that has a card somewhere."""
    path = _path_of("benchmarks", name, beside, manifests)
    origin = "package" if path.absolute().is_relative_to(ROOT) else "file"
    node = read_card(path)
    card = bind(node, BenchmarkCard, path=path, origin=origin)
    for place in _sources_in(node, "guards"):
        _check_there("sources", place, beside or path, manifests)
    return _named(card, "benchmark", card.benchmark, node, path, name)


def load_benchmarks(
    names: Literal["all"] | Iterable[str], beside: Path | None = None, manifests: Path | None = None
) -> dict[str, BenchmarkCard]:
    """The benchmark cards that a mixture's `benchmarks` names, in its order; all there are, by name, for `all`.

    Those of the sample corpus are no one's results, and looked for where they are named alone.
    """
    if names == "all":
        names = [name for name in _names("benchmarks", beside, manifests) if not name.startswith(MADE)]
    return {name: load_benchmark(name, beside, manifests) for name in names}


def all_sources(manifests: Path | None = None) -> list[SourceCard]:
    """Every source card of `manifests` and the package, by name; the former hides its namesakes."""
    return [load_source(name, None, manifests) for name in _names("sources", None, manifests)]


def all_stages(manifests: Path | None = None) -> list[StageCard]:
    """Every stage card of `manifests` and the package, by id; the former hides its namesakes."""
    return [load_stage(name, None, manifests) for name in _names("stages", None, manifests)]


def _folders(kind: Kind, beside: Path | None, manifests: Path | None) -> Iterator[Path]:
    if beside is not None:
        if kind != "benchmarks":  # all of a folder may be asked for, and beside a mixture lie other cards too
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


def _check_there(kind: Kind, place: Node, beside: Path, manifests: Path | None) -> None:
    """Raises ManifestError, at the line that names it, for a card that is nowhere."""
    try:
        find_card(kind, str(place.value), beside, manifests)
    except ManifestError as error:
        raise place.wrong(str(error)) from None


def _check_change(place: Node, name: str, mixture: MixtureCard, manifests: Path | None) -> None:
    """Raises ManifestError, at its line, for what a mixture sets of a stage that is nowhere or that does not fit."""
    try:
        stage = load_stage(name, mixture.path, manifests)
    except ManifestError as error:
        raise place.wrong(str(error)) from None
    said = complaint_about(stage, mixture.stages[name]) or mixture.settle(stage).complaint()
    if said is not None:
        raise descend(place, said[0]).wrong(f"stage {name}: {said[1]}")


def _named(card: T, key: str, stated: str, node: Node, path: Path, name: str) -> T:
    """The card, when the name in it is the one it was found under."""
    if _is_file(name) or stated == name:
        return card
    place = node.value[key] if isinstance(node.value, dict) else node
    raise place.wrong(f"the card calls itself {stated} but its file is {path.name}; make the two names equal")


def _sources_in(node: Node, key: str) -> list[Node]:
    """The nodes of the sources that a list of keys and values names, each at its `source:` line."""
    return [item.value["source"] for item in _list_below(node, key) if isinstance(item.value, dict)]


def _others(node: Node) -> list[Node]:
    """The nodes of the sources that a mixture's options put into its lines."""
    options = _below(node, "options")
    return [place for option in options.values() for place in _below(option, "sources").values()]


def _below(node: Node, key: str) -> dict[str, Node]:
    found = node.value.get(key) if isinstance(node.value, dict) else None
    return found.value if found is not None and isinstance(found.value, dict) else {}


def _list_below(node: Node, key: str) -> list[Node]:
    found = node.value.get(key) if isinstance(node.value, dict) else None
    return found.value if found is not None and isinstance(found.value, list) else []
