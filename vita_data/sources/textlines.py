"""Transcript files: a record a line, cut into slices at line ends and decoded line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from vita_data import files
from vita_data.errors import RecordError
from vita_data.sources.base import Slice, worker_died

# A line of a compressed file may be a bomb; no record of a corpus comes near.
LINE_BYTES = 32 << 20


def decoded(data: bytes) -> str | RecordError:
    """A line without its end and its byte order mark; a RecordError where it is not UTF-8."""
    try:
        return data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        return RecordError(
            "not_utf8", f"byte {error.start} of the line is not UTF-8.", value=f"0x{data[error.start]:02x}"
        )


def read_text(part: Slice) -> Iterator[tuple[int, str | RecordError]]:
    """Yields (position, line) for every line of a slice that is not blank; positions are line numbers."""
    with files.open_read(part.path) as stream:
        stream.seek(part.start)
        position, left = part.first, part.stop - part.start
        while left > 0 and (data := stream.readline(left)):
            left -= len(data)
            if position in part.aside:
                yield position, worker_died()
            else:
                line = decoded(data)
                if isinstance(line, RecordError) or line.strip():
                    yield position, line
            position += 1


def bounded_lines(stream: IO[bytes]) -> Iterator[bytes | RecordError]:
    """Lines of a stream, which may be unpacked on the way; one beyond all measure is an error and is not kept."""
    while data := stream.readline(LINE_BYTES):
        if len(data) < LINE_BYTES or data.endswith(b"\n"):
            yield data
            continue
        while data and not data.endswith(b"\n"):
            data = stream.readline(LINE_BYTES)
        yield RecordError("not_a_record", "the line is longer than any record.", threshold=LINE_BYTES)
