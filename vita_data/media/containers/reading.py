"""Files whose failing to be read is never mistaken for their being damaged.

Decoders report damage as OSError too. A disk or a network that fails must not make an archive pass for a cut
one, which a card may allow.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import IO, Any, cast

from vita_data.errors import SourceError
from vita_data.media.containers.parts import open_parts


class _Reading:
    """A stream that is read only, with SourceError in place of OSError."""

    closed = False

    def __init__(self, stream: IO[bytes], path: str) -> None:
        self._stream, self._path = stream, path

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise SourceError(
                f"{self._path} cannot be read ({error.strerror or error}); mend that and run again."
            ) from error

    def seek(self, *where: int) -> int:
        return self._stream.seek(*where)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


@contextlib.contextmanager
def open_reading(path: str) -> Iterator[IO[bytes]]:
    """An archive for a decoder, which raises SourceError where it cannot be read."""
    with open_parts(path) as stream:
        yield cast(IO[bytes], cast(Any, _Reading(stream, path)))
