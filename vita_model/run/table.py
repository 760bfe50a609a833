"""What a mixture does otherwise than the packaged cards, over all stages, as one table."""

from __future__ import annotations

from typing import Any

from vita_data.manifest.differences import Difference, differences, rule_differences
from vita_data.manifest.find import load_mixture, load_sources
from vita_data.manifest.mixture import MixtureCard
from vita_model.run.asked import Asked
from vita_model.run.graph import Node, choose, drawable, read_graph

ALL = "all"


def difference_rows(asked: Asked) -> list[tuple[dict[str, Any], Difference]]:
    """The differences of the mixture itself, of stage `all`, then those of each stage in the order of training."""
    mixture = load_mixture(asked.mixture, asked.manifests)
    options = {node.stage: node.options for node in _nodes(mixture, asked)}
    found = [(ALL, each) for each in rule_differences(mixture)]
    for stage, taken in options.items():
        found += [(stage, each) for each in differences(stage, mixture, taken, asked.manifests)]
    return [({"stage": stage, **each.to_json()}, each) for stage, each in found]


def _nodes(mixture: MixtureCard, asked: Asked) -> list[Node]:
    graph = read_graph(mixture, asked.stages, asked.option, asked.manifests)
    if asked.stages is not None:
        return choose(graph, asked.stages)
    return drawable(graph, mixture, load_sources(mixture, asked.manifests))
