"""What tests of adapters share: a file read through, and a valid file damaged in every way there is."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import strategies as st

from vita_data.errors import SourceError
from vita_data.sources.base import Adapter, Fault, Native

_PIECES = [
    b'"',
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"\\u",
    b"\\ud83d",
    b"9" * 700,
    b"NaN",
    b"-1e999",
    b"null",
    b"\n",
    b"\r",
]
_PIECES += [
    b"\t",
    b" ",
    b"|",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"../",
    b"/",
    b"://",
    b".",
    b"<SIL>",
    b"[" * 3000,
    b"\x1f\x8b",
]


def read_all(
    adapter: Adapter, root: Path, annotation: str, scratch: Path | None = None
) -> list[Native | Fault]:
    """Every record of an annotation, in the order of its slices; positions must grow."""
    split = adapter.split(str(root), annotation, str(scratch or root / "scratch"))
    found = [native for part in split.slices for native in adapter.read(str(root), part)]
    places = [native.position for native in found]
    assert places == sorted(set(places)), "positions name records, in order"
    assert all(part.first <= place for part, place in zip(split.slices[:1], places, strict=False))
    return found


def natives(adapter: Adapter, root: Path, annotation: str) -> list[Native]:
    """The records of an annotation that holds no faults."""
    found = read_all(adapter, root, annotation)
    faults = [native.error for native in found if isinstance(native, Fault)]
    assert not faults, faults[0]
    return [native for native in found if isinstance(native, Native)]


def rules(adapter: Adapter, root: Path, annotation: str) -> list[str]:
    """What came of each record: its text, or the rule that refused it."""
    found = read_all(adapter, root, annotation)
    return [each.error.rule if isinstance(each, Fault) else each.turns[-1]["value"] for each in found]


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """The bytes with a few of them replaced, removed, or followed by others; now and then other bytes altogether."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        piece = draw(st.sampled_from(_PIECES) | st.binary(max_size=3))
        data[at : at + draw(st.integers(0, 3))] = piece
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.integers(0, 4)) == 0 else bytes(data)


def assert_ends_well(adapter: Adapter, files: dict[str, bytes], annotation: str) -> None:
    """Reads files of any bytes: natives and faults come out, or one SourceError, and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        try:
            found = read_all(adapter, Path(folder), annotation)
        except SourceError:
            return
        for each in found:
            assert isinstance(each, Native | Fault)
            if isinstance(each, Native):
                assert all(turn.keys() == {"from", "value"} for turn in each.turns)
                assert all(
                    medium.end is None or 0 <= (medium.start or 0) < medium.end for medium in each.media
                )
