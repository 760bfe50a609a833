"""The bytes of a sound: a path, bytes or an open file, read in one way by every decoder."""

from __future__ import annotations

import errno
import io
import os
import stat
from contextlib import ExitStack
from typing import IO

from vita_data import files
from vita_data.errors import RecordError


class SoundSource:
    """A seekable file as decoders see it: without its name, from which they would guess, and without its errors.

    A decoder written in C cannot pass a failed read on; it is kept here, and the file seems to end.
    RecordError `media_missing` or `media_unreadable`.
    """

    def __init__(self, source: str | bytes | IO[bytes], name: str = "") -> None:
        self._stack = ExitStack()
        self._file: IO[bytes]
        if isinstance(source, str):
            name = name or source
            try:
                if not (files.is_url(source) or stat.S_ISREG(os.stat(source).st_mode)):
                    raise OSError(
                        errno.EINVAL, "it is a folder, a pipe or a device"
                    )  # a pipe would never end
                self._file = self._stack.enter_context(files.open_read(source))
            except FileNotFoundError as error:
                raise RecordError("media_missing", "the sound file is not there.") from error
            except OSError as error:
                raise _unreadable(error) from error
        else:
            self._file = io.BytesIO(source) if isinstance(source, bytes) else source
        self.suffix = os.path.splitext(name)[1].lower()
        self._error: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes from where the file stands."""
        try:
            return self._file.read(size)
        except OSError as error:
            self._error = self._error or error
            return b""

    def readinto(self, buffer: bytearray) -> int:
        """Fills a buffer as far as the file reaches; the number of bytes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a byte; the place that is reached, the old one where a broken header leads before the file."""
        try:
            return self._file.seek(offset, whence)
        except ValueError:
            return self._file.tell()

    def tell(self) -> int:
        """Where the file stands."""
        return self._file.tell()

    def check(self) -> None:
        """Raises the refusal that a failed read stands for, if there was one."""
        if self._error is not None:
            raise _unreadable(self._error) from self._error

    def close(self) -> None:
        """Closes the file if it was opened here."""
        self._stack.close()


def _unreadable(error: OSError) -> RecordError:
    words = error.strerror or type(error).__name__  # without the path, which differs from machine to machine
    return RecordError("media_unreadable", f"the sound file cannot be read ({words}).", words)
