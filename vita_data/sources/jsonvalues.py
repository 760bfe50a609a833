"""Values of JSON files that must be read through from the start: gzip files, and documents that are joined."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

import ijson

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources import jsonfiles, textlines
from vita_data.sources.base import Split
from vita_data.sources.copies import Copies

# Manifests shrink to a tenth; what shrinks to less than this part is a bomb.
RATIO, SLACK = 200, 64 << 20
_LOOKED_AT = 64  # bytes; a byte order mark and white space before the first bracket


class CutError(Exception):
    """The file ends early or is damaged; what came before it was whole."""


def digest(path: str) -> str:
    """The sha256 of a file as it lies on disk."""
    with files.open_read(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def values(path: str) -> Iterator[Any | RecordError]:
    """Yields the values of JSON Lines or of one JSON array, either of them gzipped (.gz) or not.

    A line that is no JSON is a RecordError in its place; raises CutError where the file cannot be read on.
    """
    try:
        with _unpacked(path) as stream:
            start = stream.read(_LOOKED_AT).removeprefix(codecs.BOM_UTF8).lstrip()
        with _unpacked(path) as stream:
            if start.startswith(b"["):
                yield from jsonfiles.items(jsonfiles.Utf8Stream(stream), "item")
                return
            for line in textlines.bounded_lines(stream):
                if isinstance(line, RecordError):
                    yield line
                elif line.strip(b"\xef\xbb\xbf \t\r\n"):
                    yield jsonfiles.parse_line(line)
    except FileNotFoundError:
        raise
    except (OSError, EOFError, zlib.error, ijson.JSONError, ArithmeticError, ValueError) as error:
        raise CutError(str(error).strip().split("\n")[0]) from error


@contextmanager
def _unpacked(path: str) -> Iterator[IO[bytes]]:
    with files.open_read(path) as raw:
        if not path.endswith(".gz"):
            yield raw
            return
        most = RATIO * files.identity(path)["size"] + SLACK
        yield cast(IO[bytes], _Bounded(gzip.GzipFile(fileobj=raw), most, path))


class _Bounded:
    """A gzip stream that refuses to give more than `most` bytes in all."""

    def __init__(self, stream: gzip.GzipFile, most: int, path: str) -> None:
        self._stream, self._left, self._path = stream, most, path

    def read(self, size: int = -1) -> bytes:
        return self._counted(self._stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._counted(self._stream.readline(size))

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise SourceError(
                f"{self._path} unpacks to more than {RATIO} times its size, as a bomb does; "
                "unpack it by hand if you trust it."
            )
        return data


def copied(path: str, annotation: str, scratch: str, keep_cut: bool) -> Split:
    """The values of a file copied as lines, in slices."""
    copies = Copies(annotation, scratch)
    try:
        for value in values(path):
            copies.put(value)
    except CutError as error:
        copies.cut(path, str(error), keep_cut)
    return copies.split(digest(path))
