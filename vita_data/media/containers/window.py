"""A part of a file as a file of its own, read in blocks of which a few are kept."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from vita_data import files
from vita_data.errors import VitaError

# A decoder goes to and fro between a few places of a film. Of a remote one each block is a request.
BLOCK, REMOTE_BLOCK, BLOCKS = 1 << 18, 1 << 21, 4

Fetch = Callable[[int, int], bytes]  # (offset, length): exactly these bytes, or an error


class Window(io.RawIOBase):
    """Seekable, for reading; `fetch` is asked for nothing outside of its `length` bytes.

    It has a position of its own, so that many may stand over one file, and holds BLOCKS blocks. OSError where
    the bytes cannot be had: decoders know it, and do not take it for damage.
    """

    def __init__(self, fetch: Fetch, length: int, block: int = BLOCK) -> None:
        super().__init__()
        self._fetch, self._length, self._size = fetch, length, block
        self._block = lru_cache(maxsize=BLOCKS)(self._fetched)
        self._at = 0

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer as far as the window reaches; the number of bytes."""
        out = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(out) and self._at < self._length:
            number, start = divmod(self._at, self._size)
            part = memoryview(self._block(number))[start : start + len(out) - filled]
            out[filled : filled + len(part)] = part
            filled += len(part)
            self._at += len(part)
        return filled

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a byte, as io.BytesIO does: behind the end as well, and never before the start."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        if whence == io.SEEK_SET and offset < 0:
            raise ValueError(f"negative seek position {offset}")
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Where it stands."""
        return self._at

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def close(self) -> None:
        """Lets go of the blocks; the file is not its own."""
        self._block.cache_clear()
        super().close()

    def _fetched(self, number: int) -> bytes:
        start = number * self._size
        try:
            return self._fetch(start, min(self._size, self._length - start))
        except VitaError as error:
            raise OSError(errno.EIO, "it lies behind the end of its file") from error
        except ValueError as error:  # of a remote file system
            raise OSError(errno.EIO, str(error)) from error


def block_of(path: str) -> int:
    """The size of the blocks in which a file is read."""
    return REMOTE_BLOCK if files.is_url(path) else BLOCK
