"""JSON arrays, JSON objects and JSON Lines, cut into slices and read record by record in bounded memory.

An array or object is one unsplittable file (up to 1.5 GB in Table 1's corpora), so it is parsed once,
incrementally, and copied as lines into the scratch folder, where the slices lie. Lines that are not
UTF-8 or not JSON are faults of that line alone.
"""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterator
from typing import IO, Any

import ijson

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources.base import Fault, Slice, Split

SLICE_BYTES = 8 << 20
SLICE_RECORDS = 2000
# A noncharacter marks bytes that were not UTF-8, so that only the record that holds them is refused.
NOT_UTF8 = "\ufdd0"
_READ = 1 << 20


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return NOT_UTF8, error.end


codecs.register_error("vita-mark", _mark)


class _Utf8Stream:
    """Bytes of a file with everything that is not UTF-8 marked, its BOM dropped, and all of it digested."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("vita-mark")
        self.hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes; about a megabyte whatever is asked, but nothing when nothing is asked."""
        while size != 0:
            block = self._stream.read(_READ)
            self.hash.update(block)
            self.size += len(block)
            text = self._decoder.decode(block, final=not block)
            if text or not block:
                return text.encode("utf-8")
        return b""

    def drain(self) -> None:
        while self.read():
            pass


def _elements(stream: _Utf8Stream, items_path: str, keyed: bool) -> Iterator[Any]:
    if keyed:
        yield from ({"id": name, "value": value} for name, value in ijson.kvitems(stream, items_path, use_float=True))
    else:
        prefix = f"{items_path}.item" if items_path else "item"
        yield from ijson.items(stream, prefix, use_float=True)


def split_document(
    path: str, annotation: str, scratch: str, items_path: str = "", keyed: bool = False, keep_cut: bool = False
) -> Split:
    """Copies the elements of a JSON array (or the entries of an object) as lines and slices them.

    Raises SourceError when the file ends early or is damaged, since all that follows is lost; with
    `keep_cut` the records before that point are kept and the cut is a record of its own, a fault.
    """
    lines: list[str] = []
    slices: list[Slice] = []
    count = 0

    def flush() -> None:
        if lines:
            name = f"{hashlib.sha256(annotation.encode()).hexdigest()[:16]}-{len(slices):05d}.jsonl"
            copy = files.join(scratch, name)
            data = "\n".join(lines).encode("utf-8", "surrogatepass")
            files.write_bytes(copy, data)
            slices.append(Slice(annotation, copy, 0, len(data), count - len(lines)))
            lines.clear()

    held = 0
    with files.open_read(path) as raw:
        stream = _Utf8Stream(raw)
        try:
            for element in _elements(stream, items_path, keyed):
                line = json.dumps(element, ensure_ascii=False)
                lines.append(line)
                held += len(line)
                count += 1
                if len(lines) >= SLICE_RECORDS or held >= SLICE_BYTES:
                    flush()
                    held = 0
        except ijson.JSONError as error:
            if not keep_cut:
                raise SourceError(
                    f"{path} is cut or damaged after record {count} ({_brief(error)}), so what follows is lost; "
                    "fetch the file again, or set `on_cut: keep` in its card to go on with what is readable."
                ) from error
            lines.append(json.dumps({"vita_fault": "annotation_cut", "words": _brief(error)}))
            count += 1
        stream.drain()
        flush()
        if not count and not _is_empty_document(path):
            raise SourceError(
                f"{path} holds no {'object' if keyed else 'array'} at '{items_path or 'its top'}'; "
                "check the card's adapter options against the file."
            )
        return Split(slices, stream.hash.hexdigest(), stream.size, count)


def _is_empty_document(path: str) -> bool:
    with files.open_read(path) as stream:
        return stream.read(16).strip() in (b"[]", b"{}")


def _brief(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def split_lines(path: str, annotation: str) -> Split:
    """Slices a JSON Lines file at line ends; positions are line numbers from 0, blank lines counted."""
    digest = hashlib.sha256()
    slices: list[Slice] = []
    start = position = line = first = 0
    with files.open_read(path) as stream:
        while block := stream.readlines(SLICE_BYTES):
            for data in block:
                digest.update(data)
                position += len(data)
            line += len(block)
            if position - start >= SLICE_BYTES or line - first >= SLICE_RECORDS:
                slices.append(Slice(annotation, path, start, position, first))
                start, first = position, line
    if position > start:
        slices.append(Slice(annotation, path, start, position, first))
    return Split(slices, digest.hexdigest(), position, line)


def read_lines(part: Slice) -> Iterator[tuple[int, Any | RecordError]]:
    """Yields (position, value) for every line of a slice that is not blank; a RecordError where it is unreadable."""
    with files.open_read(part.path) as stream:
        stream.seek(part.start)
        position = part.first
        left = part.stop - part.start
        while left > 0:
            data = stream.readline(left)
            if not data:
                return
            left -= len(data)
            if data.strip(b"\xef\xbb\xbf \t\r\n"):
                yield position, parse_line(data)
            position += 1


def parse_line(data: bytes) -> Any | RecordError:
    """The value of a JSON line, or the error that says what is wrong with it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return RecordError("not_utf8", f"byte {error.start} of the line is not UTF-8.", value=f"0x{data[error.start]:02x}")
    if NOT_UTF8 in text:
        return RecordError("not_utf8", "the record holds bytes that are not UTF-8.")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return RecordError("not_json", f"the line is not JSON: {_brief(error)}.", value=text.strip()[:80])
    if isinstance(value, dict) and "vita_fault" in value:
        return RecordError(value["vita_fault"], f"the annotation file is cut or damaged here: {value['words']}.")
    return value


def fault_at(position: int, error: RecordError) -> Fault:
    """A fault of a place where there is no record to name."""
    return Fault(position, error)
