"""YAML text to nodes: what is no card is refused with the line and with what to write instead."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from vita_data.errors import ManifestError
from vita_data.manifest.nodes import Node

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD_TAG = "tag:yaml.org,2002:"
_DEEPEST = 30


def shown_path(path: Path) -> str:
    """A path as messages print it: relative when it lies below the current folder."""
    here = os.path.join(os.getcwd(), "")
    text = os.path.abspath(path)
    return text.removeprefix(here)


def read_card(path: Path) -> Node:
    """The card in a file; raises ManifestError naming the line when it is no YAML mapping."""
    name = shown_path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ManifestError(
            f"{name}: the card cannot be read ({error.strerror}); give the path of a YAML file"
        ) from error
    return parse_card(data, name)


def parse_card(data: bytes, name: str) -> Node:
    """The mapping that the bytes of a card hold; `name` is what messages call the file."""
    text = _decode(data, name)
    try:
        tree = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise _no_yaml(error, text, name) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ManifestError(
            f"{name}:{line}: a control character that YAML does not allow; remove it"
        ) from error
    except RecursionError as error:
        raise ManifestError(f"{name}:1: nested too deeply to be a card; write keys and values") from error
    if tree is None:
        raise ManifestError(
            f"{name}:1: the card is empty; write keys and values, as manifests/README.md shows"
        )
    node = _converted(tree, name, {}, 0)
    if not isinstance(node.value, dict):
        raise node.wrong(f"the card is {_kind(node)}; write keys and values, such as `title: My corpus`")
    return node


def _kind(node: Node) -> str:
    return "a list" if isinstance(node.value, list) else "a single text"


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ManifestError(f"{name}:{line}: bytes that are not UTF-8; save the card as UTF-8") from error


def _no_yaml(error: yaml.MarkedYAMLError, text: str, name: str) -> ManifestError:
    """The parser's complaint in one sentence, with the advice that fits the usual slips."""
    mark = error.problem_mark or error.context_mark
    lines = text.rstrip().split("\n")
    line = min(mark.line if mark is not None else 0, len(lines) - 1)
    problem = error.problem or "it cannot be parsed"
    if "\t" in lines[line]:
        what, advice = "a tab where YAML wants spaces", "indent with spaces"
    elif "another document" in problem:
        what, advice = "a second document begins", "write one card per file and remove the `---`"
    elif "undefined alias" in problem:
        what, advice = (
            "an alias (*name) without its anchor (&name)",
            "define the anchor above, or quote the text",
        )
    elif "mapping values" in problem:
        what, advice = "a second `: ` or a stray indent", "put text that holds a colon in quotes"
    else:
        what, advice = f"this is not YAML ({problem})", "look for an open quote, a bracket or an indent"
    return ManifestError(f"{name}:{line + 1}: {what}; {advice}")


def _converted(tree: Any, name: str, done: dict[int, Node], depth: int) -> Node:
    """Our node for a composed one; aliases share theirs, merge keys (`<<`) are spread out."""
    if id(tree) in done:
        return done[id(tree)]
    line = tree.start_mark.line + 1
    if depth > _DEEPEST:
        raise ManifestError(f"{name}:{line}: nested too deeply, or within itself; write the values out")
    if not tree.tag.startswith(_STANDARD_TAG) or tree.tag.startswith(_STANDARD_TAG + "python"):
        raise ManifestError(f"{name}:{line}: the tag {tree.tag} means nothing in a card; remove it")
    value: str | list[Node] | dict[str, Node]
    if isinstance(tree, yaml.SequenceNode):
        value = [_converted(item, name, done, depth + 1) for item in tree.value]
    elif isinstance(tree, yaml.MappingNode):
        value = _mapping(tree, name, done, depth)
    else:
        value = tree.value
    quoted = isinstance(tree, yaml.ScalarNode) and bool(tree.style)
    done[id(tree)] = node = Node(value, line, name, quoted)
    return node


def _mapping(tree: Any, name: str, done: dict[int, Node], depth: int) -> dict[str, Node]:
    found: dict[str, Node] = {}
    merged: list[Node] = []
    for key, item in tree.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ManifestError(f"{name}:{line}: a key that is no text; write `key: value`")
        node = _converted(item, name, done, depth + 1)
        if key.value == "<<" and not key.style:
            merged += node.value if isinstance(node.value, list) else [node]
            continue
        if key.value in found:
            first = found[key.value].line
            raise ManifestError(f"{name}:{line}: {key.value} stands twice (before on line {first}); keep one")
        # A block value begins on the line below its key; people look for the key.
        found[key.value] = Node(node.value, line, name, node.quoted)
    for node in merged:
        if not isinstance(node.value, dict):
            raise node.wrong("`<<` merges keys and values only; give it an alias of a mapping")
        for text, value in node.value.items():
            found.setdefault(text, value)
    return found
