"""Deflated members of a zip, inflated in bounded memory and to no more than their archive states."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any, cast

from vita_data.errors import VitaError

_BLOCK = 1 << 20


def inflated(packed: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Raw deflate data inflated, a block at a time; ValueError for what is none or gives more than `size` bytes."""
    engine: Any = zlib.decompressobj(-zlib.MAX_WBITS)
    left = size
    for some in packed:
        full = False  # more may come of what the engine has taken in
        while (some or full) and not engine.eof:
            most = min(_BLOCK, left + 1)
            try:
                block: bytes = engine.decompress(some, most)
            except zlib.error as error:
                raise ValueError(f"cannot be inflated ({error})") from error
            some, full = engine.unconsumed_tail, len(block) == most
            left -= len(block)
            if left < 0:
                raise ValueError("inflates to more than its archive says")
            yield block


def spooled(packed: Iterable[bytes], size: int, crc: int) -> IO[bytes]:
    """Raw deflate data as an open file without a name, where temporary files lie; ValueError for damaged ones."""
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        found = 0
        for block in inflated(packed, size):
            found = zlib.crc32(block, found)
            with _refusing_to_write(size):
                file.write(block)
        with _refusing_to_write(size):
            file.flush()
        if file.tell() != size or found != crc:
            raise ValueError("is not what its archive's checksum says")
        file.seek(0)
        stack.pop_all()
        return cast(IO[bytes], file)


@contextmanager
def _refusing_to_write(size: int) -> Iterator[None]:
    """A disk without space is nothing that a film could be blamed for."""
    try:
        yield
    except OSError as error:
        raise VitaError(
            f"{tempfile.gettempdir()} cannot take a film of {size} bytes ({error.strerror}); free space there, "
            "or set TMPDIR to a larger folder."
        ) from error
