"""Archives that were cut into files, byte by byte: `x.tar.gz.aa`, `x.zip.001`, `x.part-00`.

The first part stands for the whole archive wherever one is named; the others are found beside it. What `split`
and 7-Zip leave is meant; a zip of many disks (`.z01`) is another thing.
"""

from __future__ import annotations

import glob
import io
import posixpath
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import pairwise
from typing import IO, Any, NamedTuple, cast

from vita_data import files
from vita_data.errors import SourceError
from vita_data.media.containers import tars
from vita_data.media.containers.entry import MAGIC
from vita_data.media.containers.window import Window, block_of

_ARCHIVE = r"\.(?:tar(?:\.(?:gz|bz2|xz|zst))?|tgz|tbz2?|txz|tzst|zip)"
_PART = re.compile(
    rf"(?P<stem>.*{_ARCHIVE}[._-](?:part[._-]?)?|.*[._-]part[._-]?)(?P<number>[0-9]{{1,5}}|[a-z]{{2,3}})",
    re.I,
)
_STARTS = (*MAGIC, b"PK\3\4")
_COMPRESSIONS = ("gz", "xz", "bz", "lz", "br")  # x.tar.gz beside x.tar.aa is no part of it


class Part(NamedTuple):
    """A file that holds some of an archive's bytes, and how many."""

    path: str
    bytes: int


def first_parts(root: str, names: Sequence[str]) -> list[str]:
    """Names of archives below a root, in order, with the first part of each that is in parts in place of them all.

    Raises SourceError where a part is missing between two others.
    """
    known: dict[tuple[str, int], list[str]] = {}
    found: dict[str, None] = {}
    for name in names:
        key = _key(name)
        if key is None:
            found[name] = None
            continue
        if key not in known:
            known[key] = _together(root, key)
        found[known[key][0] if name in known[key] else name] = None
    return list(found)


def names_of(root: str, first: str) -> list[str]:
    """The files of an archive below a root, in the order of their bytes; most are in one."""
    key = _key(first)
    names = [] if key is None else _together(root, key)
    return names if names[:1] == [first] else [first]


def parts_of(path: str) -> list[Part]:
    """The files of the archive whose first part lies at a path or URL; one that is whole is its only part."""
    folder, name = posixpath.split(path)
    names = names_of(folder or ".", name)
    paths = [path] if len(names) == 1 else [posixpath.join(folder, each) for each in names]
    return [Part(each, files.identity(each)["size"]) for each in paths]


def identity_of(path: str) -> dict[str, Any]:
    """What tells one version of an archive from another: its size and stamp, or the size and stamps of its parts."""
    parts = parts_of(path)
    facts = [files.identity(part.path) for part in parts]
    if len(facts) == 1:
        return facts[0]
    return {"size": sum(one["size"] for one in facts), "stamp": [one["stamp"] for one in facts]}


@contextmanager
def open_parts(path: str) -> Iterator[IO[bytes]]:
    """An archive opened for reading, as if its parts had been put one behind the other."""
    parts = parts_of(path)
    if len(parts) == 1:
        with files.open_read(path) as stream:
            yield stream
        return
    size = sum(part.bytes for part in parts)
    with closing(files.RangeReader()) as reader:
        yield cast(IO[bytes], Window(partial(read_range, reader, parts), size, block_of(path)))


def read_range(reader: files.RangeReader, parts: Sequence[Part], offset: int, length: int) -> bytes:
    """Exactly `length` bytes of an archive; SourceError where it ends before them."""
    if len(parts) == 1:
        return reader.read(parts[0].path, offset, length)
    found = []
    for part in parts:
        if offset < part.bytes and length:
            found.append(reader.read(part.path, offset, min(length, part.bytes - offset)))
            length -= len(found[-1])
        offset = max(0, offset - part.bytes)
    if length:
        raise SourceError(
            f"{parts[-1].path} ends before the archive does; it changed since it was catalogued."
        )
    return b"".join(found)


def place_in(parts: Sequence[Part], offset: int, length: int) -> tuple[int, int] | None:
    """(number of the part, offset in it) where a range lies, or None where it lies in more than one."""
    for number, part in enumerate(parts):
        if offset + length <= part.bytes:
            return number, offset
        if offset < part.bytes:
            return None
        offset -= part.bytes
    return None


def _key(name: str) -> tuple[str, int] | None:
    """What the parts of one archive share: all before their number, and of how many letters that is (0: digits)."""
    match = _PART.fullmatch(name)
    if match is None:
        return None
    return match["stem"], len(match["number"]) if match["number"].isalpha() else 0


def _together(root: str, key: tuple[str, int]) -> list[str]:
    """The files of an archive in parts, in order; none where there is no first part, or each is a whole archive."""
    stem, letters = key
    if letters and not any(files.exists(files.join(root, stem + a * letters)) for a in "aA"):
        return []
    numbered = sorted(
        (_number(name[len(stem) :]), name)
        for name in files.matching(root, f"{glob.escape(stem)}*")
        if _key(name) == key
    )
    if not numbered or numbered[0][0] > 1 - bool(letters):
        return []
    gap = next((n for n, (a, b) in enumerate(pairwise(numbered), 1) if b[0] != a[0] + 1), len(numbered))
    if any(name[len(stem) :].lower() not in _COMPRESSIONS for _, name in numbered[gap:]):
        raise SourceError(
            f"{files.join(root, numbered[gap][1])} does not follow {numbered[gap - 1][1]}, the part before it; fetch "
            "those between them, or move away what is no part."
        )
    names = [name for _, name in numbered[:gap]]
    return [] if len(names) > 1 and _stand_alone(root, names) else names


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    return sum((ord(letter) - ord("a")) * 26**place for place, letter in enumerate(reversed(text.lower())))


def _stand_alone(root: str, names: list[str]) -> bool:
    """Whether the files are archives of their own that are only numbered like parts.

    The second begins as an archive. A tar that was cut may do so too, between two members, but what is before
    the cut then ends in no end mark.
    """
    with files.open_read(files.join(root, names[1])) as stream:
        start = stream.read(tars.BLOCK)
    if not tars.is_header(start):
        return start.startswith(_STARTS)
    with files.open_read(files.join(root, names[0])) as stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(max(0, size - 2 * tars.BLOCK))
        return stream.read() == bytes(2 * tars.BLOCK)
