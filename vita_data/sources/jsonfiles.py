"""JSON arrays, JSON objects and JSON Lines, cut into slices and read record by record in bounded memory.

An array or object is one unsplittable file (up to 1.5 GB in Table 1's corpora), so it is parsed once,
incrementally, and copied as lines into the scratch folder, where the slices lie. Lines that are not
UTF-8 or not JSON are faults of that line alone.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Iterator
from typing import IO, Any

import ijson

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources import nonfinite
from vita_data.sources.base import Slice, Split, worker_died

SLICE_BYTES = 8 << 20
SLICE_RECORDS = 2000
READ_BYTES = 256 << 10
# A noncharacter marks bytes that were not UTF-8, so that only the record that holds them is refused.
NOT_UTF8 = "\ufdd0"
# Another one begins a line that stands for a fault, as no JSON text does: its rule, a space, and words.
FAULT = "\ufdd1"
TOO_DEEP = "the record is nested too deeply to be read."
_READ = 1 << 20
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
# Whole numbers that Python will not compute; the parser, which asks it to, ends the process over them.
_DIGITS = 600
_HUGE_NUMBER = re.compile(rf'(?<![\w."\\])-?\d{{{_DIGITS},}}', re.ASCII)
# A text that ends in none of these ends in no half escape and in no part of a word for no number.
_MID_TOKEN = "\\u0123456789abcdefABCDEF" + nonfinite.LETTERS


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return NOT_UTF8, error.end


codecs.register_error("vita-mark", _mark)


class Utf8Stream:
    """Bytes of a file with everything that is not UTF-8 marked, its BOM dropped, and all of it digested.

    Marked too are what the parser is not safe with: half a surrogate pair, written as an escape, of which
    it would make a question mark, and whole numbers of hundreds of digits. What is no number becomes one that
    stands for it; `items`, `entries` and `events` give it back.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("vita-mark")
        self._held = ""
        self._nonfinite = nonfinite.NonFinite()
        self.hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes; about a megabyte whatever is asked, but nothing when nothing is asked."""
        while size != 0:
            block = self._stream.read(_READ)
            self.hash.update(block)
            self.size += len(block)
            text = self._held + self._decoder.decode(block, final=not block)
            whole = len(text.rstrip(_MID_TOKEN)) if block else len(text)
            text, self._held = text[:whole], text[whole:]
            if "\\ud" in text or "\\uD" in text:
                text = _ESCAPES.sub(_mark_half_pair, text)
            if _has_huge_number(text):
                text = _HUGE_NUMBER.sub(NOT_UTF8, text)
            text = self._nonfinite.replaced(text)
            if text or not block:
                return text.encode("utf-8")
        return b""

    def restored(self, value: Any) -> Any:
        """A value that the parser made of this stream, with NaN and infinities where they were."""
        return nonfinite.restored(value) if self._nonfinite.seen else value

    def drain(self) -> None:
        while self.read():
            pass


def _mark_half_pair(escape: re.Match[str]) -> str:
    return NOT_UTF8 if escape.group(1) else escape.group()


def _has_huge_number(text: str) -> bool:
    """A look at every so many characters: no long run of digits fits between."""
    step = _DIGITS // 2
    return any(text[at].isdecimal() and text[at : at + step].isdecimal() for at in range(0, len(text), step))


def items(stream: Utf8Stream, prefix: str) -> Iterator[Any]:
    """The values of a document at a prefix of the parser's, one by one."""
    for value in ijson.items(stream, prefix):
        yield stream.restored(value)


def entries(stream: Utf8Stream, prefix: str) -> Iterator[tuple[str, Any]]:
    """The entries of the objects of a document at a prefix, one by one."""
    for name, value in ijson.kvitems(stream, prefix):
        yield name, stream.restored(value)


def events(stream: Utf8Stream) -> Iterator[tuple[str, str, Any]]:
    """The parser's events: (prefix, event, value)."""
    for prefix, event, value in ijson.parse(stream):
        yield prefix, event, stream.restored(value)


def _elements(stream: Utf8Stream, items_path: str, keyed: bool) -> Iterator[Any]:
    if keyed:
        yield from ({"id": name, "value": value} for name, value in entries(stream, items_path))
    else:
        yield from items(stream, f"{items_path}.item" if items_path else "item")


def split_document(
    path: str,
    annotation: str,
    scratch: str,
    items_path: str = "",
    keyed: bool = False,
    keep_cut: bool = False,
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
        stream = Utf8Stream(raw)
        try:
            for element in _elements(stream, items_path, keyed):
                line = _line(element)
                lines.append(line)
                held += len(line)
                count += 1
                if len(lines) >= SLICE_RECORDS or held >= SLICE_BYTES:
                    flush()
                    held = 0
        except (
            ijson.JSONError,
            ArithmeticError,
            ValueError,
        ) as error:  # the latter two: numbers beyond all measure
            if not keep_cut:
                raise SourceError(_cut_message(path, count, error)) from error
            lines.append(
                f"{FAULT}annotation_cut the annotation file is cut or damaged here: {_brief(error)}."
            )
            count += 1
        stream.drain()
        flush()
        if not count and not _is_empty_document(path):
            raise SourceError(
                f"{path} holds no {'object' if keyed else 'array'} at '{items_path or 'its top'}'; "
                "check the card's adapter options against the file."
            )
        return Split(slices, stream.hash.hexdigest(), stream.size, count)


def _cut_message(path: str, count: int, error: Exception) -> str:
    with files.open_read(path) as stream:
        start = stream.read(16).removeprefix(codecs.BOM_UTF8).lstrip()
    if not count and start.startswith(b"{"):
        return (
            f"{path} is not one JSON document ({_brief(error)}); if every line of it is a record, "
            "set `format: jsonl` in the card's options, else fetch the file again."
        )
    return (
        f"{path} is cut or damaged after record {count} ({_brief(error)}), so what follows is lost; "
        "fetch the file again, or set `on_cut: keep` in its card to go on with what is readable."
    )


def _line(element: Any) -> str:
    try:
        return json.dumps(element, ensure_ascii=False, default=float)  # numbers with a point come as Decimal
    except RecursionError:
        return f"{FAULT}not_json {TOO_DEEP}"


def _is_empty_document(path: str) -> bool:
    with files.open_read(path) as stream:
        return b"".join(stream.read(64).removeprefix(codecs.BOM_UTF8).split()) in (b"[]", b"{}")


def _brief(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def split_lines(path: str, annotation: str) -> Split:
    """Slices a JSON Lines file at line ends; positions are line numbers from 0, blank lines counted."""
    digest = hashlib.sha256()
    slices: list[Slice] = []
    start = position = line = first = 0
    with files.open_read(path) as stream:
        while block := stream.readlines(min(READ_BYTES, SLICE_BYTES)):
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
            if position in part.aside:
                yield position, worker_died()
            elif data.strip(b"\xef\xbb\xbf \t\r\n"):
                yield position, parse_line(data)
            position += 1


def parse_line(data: bytes) -> Any | RecordError:
    """The value of a JSON line, or the error that says what is wrong with it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return RecordError(
            "not_utf8", f"byte {error.start} of the line is not UTF-8.", value=f"0x{data[error.start]:02x}"
        )
    if NOT_UTF8 in text:
        return RecordError(
            "not_utf8",
            "the record holds what is no text: not UTF-8, half a surrogate pair, or digits without end.",
        )
    if text.startswith(FAULT):
        rule, _, words = text[len(FAULT) :].strip().partition(" ")
        return RecordError(rule, words)
    try:
        value = json.loads(text)
    except RecursionError:
        return RecordError("not_json", TOO_DEEP)
    except ValueError as error:
        return RecordError("not_json", f"the line is not JSON: {_brief(error)}.", value=text.strip()[:80])
    return value
