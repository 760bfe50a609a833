"""A compressed tar as a stream that is read forward once, in bounded memory and to a bounded length."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from typing import IO, Any, cast

from vita_data.errors import SourceError
from vita_data.media.containers import tars
from vita_data.media.containers.entry import MAGIC, CutError, Entry, Way
from vita_data.media.containers.parts import identity_of
from vita_data.media.containers.reading import open_reading

# Media hardly shrink. A tar that grows more than this is a bomb, or holds what is no medium.
RATIO, SLACK = 200, 256 << 20
XZ_MEMORY = 512 << 20
_BLOCK = 1 << 18
_DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)


def walk_compressed(path: str, limit: int) -> Iterator[tuple[Entry, bytes]]:
    """Yields every file of a .tar.gz, .tar.bz2, .tar.xz or .tar.zst with its bytes; those above `limit` are refused.

    Raises CutError where the compressed stream or the tar in it ends early or is damaged, SourceError for one
    that unpacks to more than RATIO times its size.
    """
    most = RATIO * identity_of(path)["size"] + SLACK
    members = 0
    with open_reading(path) as raw:
        stream = _Forward(_decompressor(raw), most, path)
        entries = tars.walk(cast(IO[bytes], stream), path)
        try:
            for entry in entries:
                if entry.way is Way.PLAIN and entry.length > limit:
                    entry = entry._replace(way=Way.TOO_LARGE)
                data = stream.read(entry.length) if entry.way is Way.PLAIN else b""
                if entry.way is Way.PLAIN and len(data) < entry.length:
                    raise CutError(path, "it ends in the middle of a member", members)
                yield entry, data
                members += 1
            while stream.read(_BLOCK):  # up to the checksum of the whole
                pass
        except _DAMAGE as error:
            raise CutError(path, str(error), members) from error


def _decompressor(raw: IO[bytes]) -> Any:
    start = raw.read(8)
    raw.seek(0)
    kind = next(kind for magic, kind in MAGIC.items() if start.startswith(magic))
    return {
        "gzip": lambda: gzip.GzipFile(fileobj=raw),
        "bzip2": lambda: bz2.BZ2File(raw),
        "xz": lambda: _Xz(raw),
        "zstd": lambda: _zstd(raw),
    }[kind]()


def _zstd(raw: IO[bytes]) -> Any:
    """Frames of zstd one behind the other; their windows stay below 128 MiB, the library's own bound."""
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")


class _Forward:
    """A stream that can skip forward and refuses to give more than `most` bytes in all."""

    def __init__(self, stream: Any, most: int, path: str) -> None:
        self._stream, self._left, self._path = stream, most, path
        self._position = 0

    def read(self, size: int) -> bytes:
        parts = []
        while size and (part := self._stream.read(min(size, _BLOCK))):
            size -= len(part)
            self._left -= len(part)
            self._position += len(part)
            parts.append(part)
            if self._left < 0:
                raise SourceError(
                    f"{self._path} unpacks to more than {RATIO} times its size, as a bomb does; "
                    "unpack it by hand if you trust it."
                )
        return b"".join(parts)

    def seek(self, position: int) -> None:
        while self._position < position and self.read(min(position - self._position, _BLOCK)):
            pass


class _Xz:
    """xz streams with a bound on the decoder's memory, which lzma.LZMAFile does not offer."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._engine = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)

    def read(self, size: int) -> bytes:
        while True:
            data = b""
            if self._engine.eof:
                data = self._engine.unused_data.lstrip(b"\0") or self._stream.read(_BLOCK).lstrip(b"\0")
                if not data:
                    return b""
                self._engine = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)
            elif self._engine.needs_input:
                data = self._stream.read(_BLOCK)
                if not data:
                    raise EOFError("the compressed data end early")
            out = self._engine.decompress(data, size)
            if out:
                return out
