"""From a name in an annotation to bytes on disk, never outside the source's root."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from vita_data import files
from vita_data.errors import RecordError


def relative_name(name: str) -> str:
    """A name as it is looked for below the root: forward slashes, no detours."""
    return posixpath.normpath(name.replace("\\", "/"))


def resolve(root: str, name: str) -> str:
    """The path of a medium below `root`; raises RecordError (path_outside_root) for names that lead out of it.

    Absolute names, drive letters, `..` and symbolic links are followed only as far as the root reaches.
    """
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RecordError(
            "not_utf8", f"the name {name!r} holds half a surrogate pair, which no UTF-8 text can."
        ) from error
    clean = relative_name(name)
    if (
        "\0" in name
        or files.is_url(name)
        or posixpath.isabs(clean)
        or clean == ".."
        or clean.startswith("../")
    ):
        raise RecordError("path_outside_root", f"{name!r} leads out of the source's folder.", name)
    path = files.join(root, clean)
    if not files.is_url(root):
        real, top = os.path.realpath(path), os.path.realpath(root)
        if os.path.commonpath([real, top]) != top:
            raise RecordError(
                "path_outside_root", f"{name!r} is a link that leads out of the source's folder.", name
            )
    return path


@contextmanager
def file_of(path: str, name: str, limit: int) -> Iterator[IO[bytes]]:
    """A medium opened for reading; raises RecordError with media_missing, media_too_large or media_unreadable."""
    try:
        if not files.is_url(path) and not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would never end
            raise RecordError(
                "media_unreadable", f"{name} is no file but a folder, a pipe or a device.", name
            )
        size = files.identity(path)["size"]
        if size > limit:
            raise RecordError("media_too_large", f"{name} has {size} bytes.", size, limit)
        with files.open_read(path) as stream:
            yield stream
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RecordError("media_missing", f"{name} is not there.", name) from error
    except OSError as error:
        raise unreadable(name, error) from error


def unreadable(name: str, error: Exception) -> RecordError:
    """The reject of a medium that the system does not let be read, without its path, which differs by machine."""
    words = getattr(error, "strerror", None) or error
    return RecordError("media_unreadable", f"{name} cannot be read ({words}).", name)


def state_of(root: str, name: str) -> str:
    """What stands under a medium's name, as a text that differs when it was put there, mended or let be read."""
    try:
        path = resolve(root, name)
        if not files.is_url(path) and not os.path.isfile(path):
            return "no file"
        facts = files.identity(path)
    except (RecordError, OSError, ValueError):
        return "no file"
    readable = files.is_url(path) or os.access(path, os.R_OK)
    return f"{facts['size']} bytes, {facts['stamp']}{'' if readable else ', not to be read'}"
