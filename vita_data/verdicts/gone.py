"""Samples whose media were not there when they were measured: listed beside the table, and measured again next time.

A disk that was not mounted must not be taken for a picture without features for ever. The table of a part is
written all the same, so that a build goes on; it is whole when no list lies beside it. Rows are numbers in the part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.records.key import digest_of

# What a medium says that was moved or changed; any other trouble of a disk ends the step, which is tried again.
GONE = (FileNotFoundError, NotADirectoryError, SourceError, RecordError)


def rows_to_measure(path: str) -> list[int] | None:
    """The rows of a part that its table at this path lacks: None for all, since there is no table."""
    if not files.exists(path):
        return None
    return list(files.read_json(_list_of(path))) if files.exists(_list_of(path)) else []


def incomplete(folder: str, name: Callable[[int], str], parts: list[int]) -> list[int]:
    """The parts with something to measure; unfinished files of an earlier run are removed."""
    missing = [part for part in parts if rows_to_measure(files.join(folder, name(part))) != []]
    if missing:
        files.remove_unfinished(folder)
    return missing


@contextmanager
def written(path: str, gone: list[int]) -> Iterator[IO[bytes]]:
    """A stream for the table of a part; `gone`, which may fill up meanwhile, are the rows that it lacks."""
    with files.atomic_write(path) as stream:
        yield stream
        if gone and not files.exists(_list_of(path)):  # before the table stands under its name
            files.write_json(_list_of(path), gone)
    if gone:
        files.write_json(_list_of(path), gone)
    else:
        files.remove(_list_of(path))


def digest_of_measured(folder: str, name: Callable[[int], str], parts: list[int]) -> str:
    """Names what was measured of a source: the digest in the folder's path, and another where something was gone.

    What is made of incomplete tables is then never taken for what comes of whole ones.
    """
    digest = digest_in(folder)
    lacking = [(part, rows_to_measure(files.join(folder, name(part)))) for part in parts]
    lacking = [(part, rows) for part, rows in lacking if rows]
    return digest_of("gone", digest, lacking) if lacking else digest


def digest_in(folder: str) -> str:
    """The digest in the path of a source's folder, which names what the folder holds."""
    return folder.split("/")[-2]


def _list_of(path: str) -> str:
    return f"{path}.gone.json"
