"""Reading and writing files by path or URL, so that what stands under its name is always whole.

Local files are written under a temporary name in the same folder, synced and renamed; on object
stores one put is atomic by itself. Every other part reads and writes through here.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import io
import json
import os
import shutil
import stat
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from vita_data.errors import SourceError, UsageError, VitaError

if TYPE_CHECKING:
    import pyarrow as pa

OPEN_FILES = 64
TEMPORARY = ".tmp-"
LOCK = ".lock"
_CANNOT_WRITE = (
    errno.ENOSPC,
    errno.EROFS,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EFBIG,
    errno.ENOTDIR,
    errno.EEXIST,
)
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP)


def is_url(path: str) -> bool:
    """Whether a path names a remote file system (or `file://`), for which fsspec is asked."""
    return "://" in path


def plain_path(path: str) -> str:
    """A path as the rest of the project wants it: `file://` URLs become plain paths, all else stays.

    Plain paths have what URLs lack: locks, atomic renames, checks of links and pipes.
    """
    return path.removeprefix("file://").removeprefix("localhost") if path.startswith("file://") else path


def join(base: str, *parts: str) -> str:
    """`base` with parts below it, for paths and URLs alike."""
    return "/".join([base.rstrip("/") or "/", *(part.strip("/") for part in parts)]) if parts else base


def _filesystem(url: str) -> tuple[Any, str]:
    import fsspec

    try:
        fs, inner = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise VitaError(
            f"{url} cannot be opened: {error}; install the fsspec driver of its scheme."
        ) from error
    return fs, inner


def exists(path: str) -> bool:
    """Whether a file or folder is there."""
    if is_url(path):
        fs, inner = _filesystem(path)
        return bool(fs.exists(inner))
    return os.path.exists(path)


def make_folder(path: str) -> None:
    """Makes a folder and its parents; object stores need none."""
    if not is_url(path):
        try:
            os.makedirs(path, exist_ok=True)
        except OSError as error:
            raise _write_error(path, error) from error


# The size of a file in bytes, and a stamp that changes with what it holds.
Identity = dict[str, Any]


def identity(path: str) -> Identity:
    """What tells one version of a source file from another: its size and its mtime or etag."""
    if is_url(path):
        fs, inner = _filesystem(path)
        info = fs.info(inner)
        stamp = info.get("etag") or info.get("ETag") or info.get("md5Hash") or info.get("mtime") or ""
        return {"size": info["size"], "stamp": str(stamp)}
    return _identity(os.stat(path))


def _identity(status: os.stat_result) -> Identity:
    return {"size": status.st_size, "stamp": str(status.st_mtime_ns)}


def matching(root: str, pattern: str) -> list[str]:
    """Paths below `root` that match a glob, sorted, relative to `root`; a plain name matches itself."""
    if is_url(root):
        fs, inner = _filesystem(root)
        base = inner.rstrip("/") + "/"
        if fs.exists(base + pattern):
            return [pattern]
        found = fs.glob(glob.escape(base) + pattern)
        return sorted(str(name)[len(base) :] for name in found if not fs.isdir(name))
    return list(identities(root, pattern))


def identities(root: str, pattern: str) -> dict[str, Identity]:
    """What `matching` finds with the identity of each file, in the same order; each is looked at once."""
    if is_url(root):
        return {name: identity(join(root, name)) for name in matching(root, pattern)}
    itself = _regular(os.path.join(root, pattern))  # corpora do have folders called "ai2d(gpt4v)[1]"
    if itself is not None:
        return {pattern: _identity(itself)}
    names = sorted(str(path.relative_to(root)) for path in Path(root).glob(pattern))
    found = ((name, _regular(os.path.join(root, name))) for name in names)
    return {name: _identity(status) for name, status in found if status is not None}


def _regular(path: str) -> os.stat_result | None:
    """What the system says of a file; None for what is none, or is there no more."""
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in (*_NOT_THERE, None):
            return None
        raise
    return status if stat.S_ISREG(status.st_mode) else None


@contextmanager
def open_read(path: str) -> Iterator[IO[bytes]]:
    """A file opened for reading bytes."""
    if is_url(path):
        fs, inner = _filesystem(path)
        with fs.open(inner, "rb") as stream:
            yield io.BufferedReader(stream)  # whose reads by line take a size, as those of fsspec do not
    else:
        with open(path, "rb") as stream:
            yield stream


def read_bytes(path: str) -> bytes:
    """The whole of a small file."""
    with open_read(path) as stream:
        return stream.read()


class RangeReader:
    """Reads (path, offset, length) with a bounded number of files kept open; one per thread is not needed."""

    def __init__(self, limit: int = OPEN_FILES) -> None:
        self._open: OrderedDict[str, int] = OrderedDict()
        self._limit = limit
        self._lock = threading.Lock()

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; fewer are an error, since a cut file must not pass for a whole one."""
        if is_url(path):
            fs, inner = _filesystem(path)
            data = fs.cat_file(inner, start=offset, end=offset + length)
        else:
            with self._lock:
                data = os.pread(self._descriptor(path), length, offset)
        if len(data) != length:
            raise SourceError(
                f"{path} ends before byte {offset + length}; it changed since it was catalogued."
            )
        return bytes(data)

    def _descriptor(self, path: str) -> int:
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path]
        descriptor = os.open(
            path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        )  # a pipe there now must not wait
        self._open[path] = descriptor
        if len(self._open) > self._limit:
            os.close(self._open.popitem(last=False)[1])
        return descriptor

    def close(self) -> None:
        """Closes every file that is still open."""
        with self._lock:
            while self._open:
                os.close(self._open.popitem()[1])


def _write_error(path: str, error: OSError) -> VitaError:
    return VitaError(
        f"{path} cannot be written ({error.strerror or error}); "
        "free space or choose another --out, then run the same command again: it goes on from here."
    )


@contextmanager
def atomic_write(path: str) -> Iterator[IO[bytes]]:
    """A stream whose bytes appear under `path` only when the block ends well."""
    if is_url(path):
        fs, inner = _filesystem(path)
        fs.makedirs(inner.rsplit("/", 1)[0], exist_ok=True)
        with _one_put(fs.open(inner, "wb", autocommit=False)) as stream:
            yield stream
        return
    temporary = f"{path}{TEMPORARY}{os.getpid()}-{threading.get_ident()}"
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(temporary, "wb", buffering=1 << 20) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno in _CANNOT_WRITE:  # others come from whatever the block reads
            raise _write_error(path, error) from error
        raise
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


@contextmanager
def _one_put(stream: Any) -> Iterator[IO[bytes]]:
    """A remote file that comes into being when the block ends well; several may be open at a time."""
    try:
        yield stream
    except BaseException:
        with contextlib.suppress(OSError):  # the error on its way says more
            stream.close()
            stream.discard()
        raise
    stream.close()
    stream.commit()


def remove(path: str) -> None:
    """Removes a file; nothing to do where there is none."""
    if is_url(path):
        fs, inner = _filesystem(path)
        if fs.exists(inner):
            fs.rm_file(inner)
    elif os.path.exists(path):
        try:
            os.unlink(path)
        except OSError as error:
            raise _write_error(path, error) from error


def remove_tree(path: str) -> None:
    """Removes a folder with all that is below it; nothing to do where there is none."""
    if is_url(path):
        fs, inner = _filesystem(path)
        if fs.exists(inner):
            fs.rm(inner, recursive=True)
    else:
        shutil.rmtree(path, ignore_errors=True)


def remove_unfinished(folder: str) -> None:
    """Removes what writers that were killed left below a folder; nobody may be writing there now."""
    if not is_url(folder):
        for name in matching(folder, f"**/*{TEMPORARY}*"):
            remove(join(folder, name))


def write_bytes(path: str, data: bytes) -> None:
    """Writes a small file in one go, whole or not at all."""
    with atomic_write(path) as stream:
        stream.write(data)


def write_json(path: str, value: object) -> None:
    """Writes readable JSON with sorted keys, whole or not at all."""
    write_bytes(path, (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def read_json(path: str) -> Any:
    """The value of a JSON file that this project wrote; raises VitaError for one that is damaged."""
    try:
        return json.loads(read_bytes(path))
    except ValueError as error:
        raise VitaError(
            f"{path} is damaged ({error}); remove it and run the command that wrote it again."
        ) from error


def write_table(path: str, table: pa.Table) -> None:
    """Writes a parquet file, whole or not at all; equal tables give equal bytes."""
    with atomic_write(path) as stream:
        put_table(stream, table)


def put_table(stream: IO[bytes], table: pa.Table) -> None:
    """Writes a table into a stream as `write_table` does."""
    import pyarrow.parquet as pq

    pq.write_table(table, stream, compression="zstd", store_schema=True)


def read_table(path: str, columns: list[str] | None = None) -> pa.Table:
    """A parquet file as a table."""
    import pyarrow.parquet as pq

    with open_read(path) as stream:  # without Arrow's threads: one that still runs when Python ends aborts it
        return pq.ParquetFile(stream, pre_buffer=False).read(columns=columns, use_threads=False)


def _take(descriptor: int, folder: str, who: str) -> None:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
    except BlockingIOError as error:
        raise UsageError(
            f"another {who} is writing to {folder}; wait for it, or choose another --out."
        ) from error


@contextmanager
def locked(folder: str, who: str = "build") -> Iterator[None]:
    """Keeps a local folder to one process, a `who`; UsageError when another has it. Remote ones are not locked."""
    if is_url(folder):
        yield
        return
    make_folder(folder)
    path = join(folder, LOCK)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _write_error(path, error) from error
    try:
        _take(descriptor, folder, who)
        yield
    finally:
        os.close(descriptor)
