"""What annotation files may be: JSON in its forms, tables, parquet and tars, each from its first records."""

from __future__ import annotations

import itertools
import json
import posixpath
import re
from collections.abc import Iterator
from typing import Any

import ijson

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.media.containers import tars
from vita_data.media.containers.compressed import walk_compressed
from vita_data.media.containers.entry import Entry
from vita_data.media.containers.walk import kind_of as kind_of_archive
from vita_data.sources import delimited, jsonfiles, jsonvalues
from vita_data.sources.below import Below
from vita_data.sources.guess_base import Rows, Shape, kind_of
from vita_data.sources.guess_records import shapes
from vita_data.sources.tar_members import KINDS

LOOKED_AT = 60
EVENTS = 3_000_000  # of a document, in which a list of records must begin
LINE_BYTES = 8 << 20
MEMBERS = 200
CAPTIONED = r"(?P<image>[^#\t]+\.[A-Za-z]{3,4})#(?:\w+#)?\d+\s(?P<caption>.*)"  # Flickr8k and its kin
_MAGIC = (
    (b"\xff\xd8\xff", "image"),
    (b"\x89PNG", "image"),
    (b"GIF8", "image"),
    (b"fLaC", "audio"),
    (b"OggS", "audio"),
    (b"ID3", "audio"),
    (b"\x1aE\xdf\xa3", "video"),
)


def of_file(root: str, name: str, below: Below) -> Iterator[Shape]:
    """What a file may be, the likeliest first; nothing for what is not read as annotations."""
    path, low = files.join(root, name), name.lower()
    try:
        if low.endswith((".jsonl", ".ndjson", ".list")) or (low.endswith(".json") and _is_lines(path)):
            yield from _lines(path, below, {} if not low.endswith(".json") else {"format": "jsonl"})
        elif low.endswith((".jsonl.gz", ".json.gz")):
            yield from _zipped(path, below)
        elif low.endswith(".json"):
            yield from _document(path, below)
        elif low.endswith((".csv", ".tsv")):
            yield from _table(path, name, below)
        elif low.endswith((".txt", ".lst")):
            yield from _text(path, below)
        elif low.endswith(".parquet"):
            yield from _parquet(path, below)
        elif low.endswith((".tar", ".tar.gz", ".tgz")):
            yield from _tar(path)
    except (OSError, SourceError, ijson.JSONError, ArithmeticError, ValueError, LookupError, TypeError):
        return  # what cannot be sampled is no annotation file


def _objects(values: Iterator[Any], most: int = LOOKED_AT) -> list[dict[str, Any]]:
    return [value for value in itertools.islice(values, most) if isinstance(value, dict)]


def _is_lines(path: str) -> bool:
    with files.open_read(path) as stream:
        first, second = (stream.readline(LINE_BYTES) for _ in range(2))
    return all(
        isinstance(jsonfiles.parse_line(line), dict) for line in (first, second) if line.strip()
    ) and bool(second.strip())


def _parsed(path: str) -> Iterator[Any]:
    with files.open_read(path) as stream:
        while line := stream.readline(LINE_BYTES):
            if line.strip():
                yield jsonfiles.parse_line(line)


def _lines(path: str, below: Below, options: dict[str, Any]) -> Iterator[Shape]:
    values = _objects(_parsed(path))
    if values:
        for shape in shapes(Rows(values, "lines", below)):
            own = options if shape.adapter in ("llava_json", "qa_rows") else {}
            yield Shape(shape.adapter, {**own, **shape.options}, shape.why)


def _zipped(path: str, below: Below) -> Iterator[Shape]:
    values = _objects(value for value in jsonvalues.values(path) if not isinstance(value, RecordError))
    if values:
        yield from (shape for shape in shapes(Rows(values, "lines", below)) if shape.adapter == "manifest")


def _document(path: str, below: Below) -> Iterator[Shape]:
    """A JSON array, lists inside an object, or an object of records."""
    with files.open_read(path) as stream:
        start = stream.read(64).removeprefix(delimited.BOM).lstrip()[:1]
    if start == b"[":
        values = _objects(_items(path, "item"))
        yield from shapes(Rows(values, "array", below)) if values else ()
        return
    lists, objects = _inside(path)
    for key in lists:
        values = _objects(_items(path, f"{key}.item"))
        if not values:
            continue
        if any("segments" in value for value in values):
            texts = [
                each for value in values for each in value.get("segments") or [] if isinstance(each, dict)
            ]
            text = next((key for key in ("text_tn", "text") if any(key in each for each in texts)), "text")
            options = {"audios_path": key, "text_key": text}
            yield Shape("segmented_json", options, f"recordings with segments under '{key}'", "asr")
            continue
        yield from shapes(Rows(values, "items", below, items_path=key))
    if not objects or objects >= len(lists):
        yield from _keyed(path, below)


def _keyed(path: str, below: Below) -> Iterator[Shape]:
    with files.open_read(path) as stream:
        entries = list(
            itertools.islice(ijson.kvitems(jsonfiles.Utf8Stream(stream), "", use_float=True), LOOKED_AT)
        )
    values = [
        {**value, "id": name} if isinstance(value, dict) else {"id": name, "value": value}
        for name, value in entries
    ]
    if values:
        yield from shapes(Rows(values, "keyed", below))


def _items(path: str, prefix: str) -> Iterator[Any]:
    with files.open_read(path) as stream:
        yield from ijson.items(jsonfiles.Utf8Stream(stream), prefix, use_float=True)


def _inside(path: str) -> tuple[list[str], int]:
    """The keys of an object's lists, and how many objects it holds by name; looks no further than some events."""
    lists, objects = [], 0
    with files.open_read(path) as stream:
        for prefix, event, _ in itertools.islice(ijson.parse(jsonfiles.Utf8Stream(stream)), EVENTS):
            if prefix and "." not in prefix and event in ("start_array", "start_map"):
                if event == "start_array":
                    lists.append(prefix)
                else:
                    objects += 1
                if len(lists) + objects >= LOOKED_AT:
                    break
    known = ("annotations", "data_list", "audios", "data")
    return sorted(lists, key=lambda key: (key not in known, key)) if len(lists) < LOOKED_AT else [], objects


def _table(path: str, name: str, below: Below) -> Iterator[Shape]:
    delimiter = "," if name.lower().endswith(".csv") else "\t"
    with files.open_read(path) as stream:
        form = delimited.Form(delimiter)
        columns = delimited.column_names(path, stream, form)
        start = stream.tell()
        rows = [
            delimited.parse_row(row, delimited.Form(delimiter, columns=columns))
            for _, row in itertools.islice(
                delimited.physical_rows(stream, start, 1 << 62, form.quoting), LOOKED_AT
            )
            if not isinstance(row, RecordError)
        ]
    values = [row for row in rows if isinstance(row, dict)]
    if values and len(columns) > 1:
        yield from shapes(Rows(values, "table", below))


def _text(path: str, below: Below) -> Iterator[Shape]:
    """JSON lines by another name, or a picture's name with its labels behind a tab."""
    with files.open_read(path) as stream:
        line = stream.readline(LINE_BYTES).decode("utf-8-sig")
    if line.startswith("{"):
        yield from _lines(path, below, {"format": "jsonl"})
    _, tab, labels = line.partition("\t")
    if tab and labels.startswith("[{"):
        options = {"layout": "tabbed", "image_suffix": ""}
        yield Shape(
            "ocr_json", options, "lines of a picture's name, a tab, and its labels, as PPOCRLabel writes them"
        )
    if found := re.fullmatch(CAPTIONED, line.rstrip("\r\n")):
        for shape in shapes(Rows([found.groupdict()], "table", below)):
            yield Shape(
                shape.adapter, {"pattern": CAPTIONED, **shape.options}, "lines of picture#number caption"
            )


def _parquet(path: str, below: Below) -> Iterator[Shape]:
    import pyarrow.parquet as pq

    with files.open_read(path) as stream:
        file = pq.ParquetFile(stream)
        batch = next(file.iter_batches(8), None)
        values: list[dict[str, Any]] = [] if batch is None else batch.to_pylist()
    cells: dict[str, str] = {}
    for value in values:
        for column, cell in value.items():
            kind = _cell_kind(cell)
            if kind is not None and cells.get(kind) not in (kind,):
                cells[kind] = column
    plain = [{key: cell for key, cell in value.items() if key not in cells.values()} for value in values]
    if values:
        yield from shapes(Rows(plain, "parquet", below, cells=cells))


def _cell_kind(cell: Any) -> str | None:
    """The kind of the medium in a cell, by its first bytes, or by its name."""
    if isinstance(cell, list):
        return next((kind for each in cell if not isinstance(each, str) and (kind := _cell_kind(each))), None)
    if isinstance(cell, dict):
        name = cell.get("path")
        return _cell_kind(cell.get("bytes")) or (kind_of(name) if isinstance(name, str) else None)
    if not isinstance(cell, bytes):
        return None
    if cell[:4] == b"RIFF":
        return "image" if cell[8:12] == b"WEBP" else "audio"
    if cell[4:8] == b"ftyp":
        return "video"
    return next((kind for magic, kind in _MAGIC if cell.startswith(magic)), None)


def _tar(path: str) -> Iterator[Shape]:
    """Members that share their names, of which one is a text or JSON and another a medium."""
    extensions: dict[str, int] = {}
    first: dict[str, Any] = {}
    for entry, data in _members(path):
        extension = posixpath.splitext(entry.name or "")[1].lower().lstrip(".")
        extensions[extension] = extensions.get(extension, 0) + 1
        if extension == "json" and not first:
            first = json.loads(data)
    kinds = {KINDS[extension] for extension in extensions if extension in KINDS}
    if not kinds or not ({"txt", "json"} & set(extensions)):
        return
    options: dict[str, Any] = {}
    if "txt" not in extensions:
        key = next((key for key in ("conversations", "text", "caption", "txt") if first.get(key)), None)
        if key is None:
            return
        options = {"turns_key": key} if key == "conversations" else {"text_key": key}
        options |= {f"{key}_key": key for key in ("id", "speaker", "language") if first.get(key)}
    asr = kinds == {"audio"} and "turns_key" not in options
    said = "a tar of members that share names: " + ", ".join(sorted(extensions))
    yield Shape("tar_members", options, said, "asr" if asr else None)


def _members(path: str) -> Iterator[tuple[Entry, bytes]]:
    """The first members of a tar, with the bytes of small ones."""
    if kind_of_archive(path) != "tar":
        yield from itertools.islice(walk_compressed(path, LINE_BYTES), MEMBERS)
        return
    with files.open_read(path) as stream, files.open_read(path) as again:
        entries = tars.walk(stream, path, files.identity(path)["size"])
        for entry in itertools.islice(entries, MEMBERS):
            again.seek(entry.offset)
            yield entry, again.read(entry.length) if entry.length < LINE_BYTES else b""
