"""Nodes to dataclasses, strictly, driven by the annotations: what a class says is what a card may hold.

Understood are str, int, float, bool, Fraction, Literal, `X | None`, `X | Literal[...]`, list[X],
tuple[X, ...], tuple[X, Y], dict[str, X], nested dataclasses, Options (kept as it is), the kinds of `values`, and
`Annotated[dict[str, Any], SomeOf(Class)]`: any of the keys of Class; with PartOf(Class) any of its keys at any
depth, and a reason. A dataclass may have a method `complaint() -> tuple[key path, sentence] | None` for what no
single key can show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from fractions import Fraction
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from vita_data.manifest.nodes import INTEGER, NUMBER, Node, Options
from vita_data.manifest.words import choices, closest, wanted

T = TypeVar("T")
REASON = "reason"
_TRUE = frozenset(["true", "yes", "on"])
_FALSE = frozenset(["false", "no", "off"])


@dataclass(frozen=True)
class SomeOf:
    """Marks a dict annotation that takes any of the keys of `cls`, checked as they are there."""

    cls: type


@dataclass(frozen=True)
class PartOf:
    """Marks a dict annotation that takes any of the keys of `cls`, those in `but` excepted, and a `reason`.

    So does every value among them that has keys of its own: what is left out there stays too.
    """

    cls: type
    but: frozenset[str] = frozenset()


class _Mismatch(Exception):
    """The node is not of the kind wanted; the caller knows the whole annotation and says so."""


def bind(node: Node, cls: type[T], **given: object) -> T:
    """An instance of the dataclass from the node's keys; `given` fields come from the caller, not the card.

    Raises ManifestError, one sentence with file and line: unknown, missing or wrongly typed key, value out
    of range or not among the choices.
    """
    value = _instance(node, cls, "", given)
    assert isinstance(value, cls)
    return value


def known_path(cls: type, dotted: str) -> bool:
    """Whether `a.b` names a key that a card of this class can have; keys of dicts are free."""
    hint: Any = cls
    for part in dotted.split("."):
        hint = _inner(hint)
        if get_origin(hint) is dict:
            hint = get_args(hint)[1]
        elif is_dataclass(hint) and part in _hints(hint):
            hint = _hints(hint)[part]
        else:
            return False
    return True


@cache
def _cached_hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


def _hints(cls: Any) -> dict[str, Any]:
    return _cached_hints(cls)


def _inner(hint: Any) -> Any:
    """The annotation without Annotated and `| None`."""
    while True:
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif get_origin(hint) in (Union, UnionType):
            hint = next(arg for arg in get_args(hint) if arg is not NoneType)
        else:
            return hint


def _hints_in_part(part: PartOf) -> dict[str, Any]:
    """The keys of a part, by how they may be written."""
    hints = {name: hint for name, hint in _hints(part.cls).items() if name not in part.but}
    return {REASON: str, **{name: _in_part(hint, part.but) for name, hint in hints.items()}}


def _in_part(hint: Any, but: frozenset[str]) -> Any:
    inner = _inner(hint)
    if is_dataclass(inner):
        return Annotated[dict[str, Any], PartOf(inner, but)]  # type: ignore[arg-type]
    if get_origin(inner) is dict and is_dataclass(get_args(inner)[1]):
        return dict[str, Annotated[dict[str, Any], PartOf(get_args(inner)[1], but)]]
    return hint


def _instance(node: Node, cls: Any, path: str, given: dict[str, object]) -> object:
    hints = {name: hint for name, hint in _hints(cls).items() if name not in given}
    values = _present(node, hints, path)
    for field in fields(cls):
        if field.name in given or field.name in values:
            continue
        if hints[field.name] is Options:
            values[field.name] = Options(Node({}, node.line, node.card))
        elif field.default is MISSING and field.default_factory is MISSING:
            raise node.wrong(
                f"the key {path}{field.name} is missing; add `{field.name}:` with {wanted(hints[field.name])}"
            )
    instance = cls(**values, **given)
    complaint = getattr(instance, "complaint", None)
    if complaint is not None and (said := complaint()) is not None:
        raise descend(node, said[0]).wrong(said[1])
    return instance


def _present(node: Node, hints: dict[str, Any], path: str) -> dict[str, Any]:
    """The values of the keys that are there; every key must be known."""
    if not isinstance(node.value, dict):
        raise _Mismatch
    for key, item in node.value.items():
        if key not in hints:
            near = closest(key, hints)
            advice = f"write {near}" if near else f"the keys here are {', '.join(hints)}"
            raise item.wrong(f"unknown key {path}{key}; {advice}")
    return {key: _value(item, hints[key], f"{path}{key}") for key, item in node.value.items()}


def _value(node: Node, hint: Any, path: str) -> object:
    """The node as the annotation wants it; the one place where a mismatch becomes words."""
    try:
        return _read(node, hint, path)
    except _Mismatch:
        near = None
        if isinstance(node.value, str) and not node.empty:
            near = closest(node.value, (str(choice) for choice in choices(hint)))
        raise node.wrong(f"{path} is {node.shown()}; write {near or wanted(hint)}") from None


def _read(node: Node, hint: Any, path: str) -> object:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _checked(node, args[0], args[1:], path)
    if origin in (Union, UnionType):
        return _either(node, args, path)
    if origin is Literal:
        return _choice(node, args)
    if origin is tuple:
        return _items(node, args, path)
    if origin is list:
        return list(_items(node, (args[0], ...), path))
    if origin is dict:
        if not isinstance(node.value, dict):
            raise _Mismatch
        return {key: _value(item, args[1], f"{path}.{key}") for key, item in node.value.items()}
    if hint is Options:
        if not isinstance(node.value, dict):
            raise _Mismatch
        return Options(node)
    if is_dataclass(hint):
        return _instance(node, hint, f"{path}.", {})
    if not isinstance(node.value, str) or node.empty:
        raise _Mismatch
    return _SCALARS[hint](node.value, node.quoted)


def _checked(node: Node, hint: Any, checks: tuple[Any, ...], path: str) -> object:
    if isinstance(checks[0], SomeOf):
        return _present(node, _hints(checks[0].cls), f"{path}.")
    if isinstance(checks[0], PartOf):
        return _present(node, _hints_in_part(checks[0]), f"{path}.")
    value = _read(node, hint, path)
    for check in checks:
        said = check(value)
        if said is not None:
            raise node.wrong(f"{path} {node.value} {said}")
    return value


def _either(node: Node, args: tuple[Any, ...], path: str) -> object:
    if NoneType in args and node.empty:
        return None
    rest = [arg for arg in args if arg is not NoneType]
    for arg in rest:
        if get_origin(arg) is Literal and node.value in get_args(arg):
            return node.value
    other = [arg for arg in rest if get_origin(arg) is not Literal]
    if not other:
        raise _Mismatch
    return _read(node, other[0], path)


def _choice(node: Node, choices: tuple[Any, ...]) -> object:
    if node.value not in choices:
        raise _Mismatch
    return node.value


def _items(node: Node, args: tuple[Any, ...], path: str) -> tuple[object, ...]:
    if not isinstance(node.value, list):
        raise _Mismatch
    hints = [args[0]] * len(node.value) if args[-1] is Ellipsis else list(args)
    if len(hints) != len(node.value):
        raise _Mismatch
    return tuple(
        _value(item, hint, f"{path}[{n}]")
        for n, (item, hint) in enumerate(zip(node.value, hints, strict=True))
    )


def _bool(text: str, quoted: bool) -> bool:
    if quoted or text.lower() not in _TRUE | _FALSE:
        raise _Mismatch
    return text.lower() in _TRUE


def _int(text: str, quoted: bool) -> int:
    if quoted or not INTEGER.fullmatch(text):
        raise _Mismatch
    return int(text)


def _fraction(text: str, quoted: bool) -> Fraction:
    if quoted or not NUMBER.fullmatch(text):
        raise _Mismatch
    return Fraction(text.replace("_", ""))


_SCALARS: dict[Any, Callable[[str, bool], object]] = {
    str: lambda text, quoted: text,
    bool: _bool,
    int: _int,
    float: lambda text, quoted: float(_fraction(text, quoted)),
    Fraction: _fraction,
}


def descend(node: Node, dotted: str) -> Node:
    """The node that a key path such as `sources.3.source` leads to, or the last one on the way."""
    for part in dotted.split("."):
        if isinstance(node.value, dict) and part in node.value:
            node = node.value[part]
        elif isinstance(node.value, list) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
        else:
            break
    return node
