"""The first records of a source, read in a bounded time however large its files are.

A file that an adapter would parse as a whole is read from a copy of its beginning instead. Parquet and tars are
split where they lie, which costs no parsing, until enough bytes of them were looked through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vita_data import files
from vita_data.errors import SourceError
from vita_data.records.key import keyed_hash
from vita_data.sources.base import Adapter, Fault, Native, Split
from vita_data.sources.registry import blaming, make_adapter

HEAD_BYTES, GROWTH = 8 << 20, 4
WHOLE_BYTES = 2 << 30  # of files that only a whole look splits; no other one is begun after these
FILES_AT_ONCE = 8
UNWANTED_TIMES = 20  # records of other splits that are read for one that is wanted
UNWANTED = ("other_split", "other_subset")
# Formats whose beginning is a file of the same format, and those that say so in an option.
_LINES = ("donut", "transcript_tree", "vlmeval_tsv")
_KEPT = ("llava_json", "qa_rows", "ocr_json", "segmented_json", "manifest")


@dataclass(frozen=True)
class Looked:
    """How far an annotation file of `size` bytes was split: `records` in its first `length` bytes."""

    annotation: str
    size: int
    length: int
    records: int


@dataclass(frozen=True)
class Source:
    """What is read: an adapter with its options, a root, and a folder for what the reading leaves."""

    adapter: str
    options: dict[str, Any]
    root: str
    scratch: str


class Reading:
    """The first `wanted` records of some annotation files: an equal share of each of up to eight.

    Files after the first come in the order of a keyed hash, so that a corpus of many is seen all over. When
    the records are read, `looked` tells of the files, `errors` of those that could not be read (as SourceError's
    words by annotation), and `whole` whether nothing is left unread.
    """

    def __init__(self, source: Source, annotations: list[str], wanted: int) -> None:
        self._source = source
        self._wanted = wanted
        self._annotations = annotations[:1] + sorted(
            annotations[1:], key=lambda name: keyed_hash(0, "check-file", name)
        )
        self.looked: list[Looked] = []
        self.errors: dict[str, str] = {}
        self.whole = False
        self._got = self._read = 0

    def records(self) -> Iterator[tuple[str, Native | Fault]]:
        """Yields (annotation, record); a fault of another split or subset does not count as one of the wanted."""
        share = -(-self._wanted // max(1, min(FILES_AT_ONCE, len(self._annotations))))
        begun: list[tuple[str, Iterator[Native | Fault]]] = []
        left_out = 0
        for number, annotation in enumerate(self._annotations):
            if self._got >= self._wanted or self._too_much():
                left_out = len(self._annotations) - number
                break
            records = _headed(self._source, annotation, self._wanted, self)
            yield from self._some(annotation, records, share)
            begun.append((annotation, records))
        for annotation, records in begun:
            yield from self._some(annotation, records, self._wanted)
        ended = all(next(records, None) is None for _, records in begun)
        self.whole = ended and not left_out and all(each.length == each.size for each in self.looked)

    def _too_much(self) -> bool:
        return sum(each.length for each in self.looked) >= WHOLE_BYTES

    def _some(
        self, annotation: str, records: Iterator[Native | Fault], share: int
    ) -> Iterator[tuple[str, Native | Fault]]:
        got = read = 0
        while got < share and self._got < self._wanted and read < share * UNWANTED_TIMES:
            record = next(records, None)
            if record is None:
                return
            read += 1
            if not (isinstance(record, Fault) and record.error.rule in UNWANTED):
                got += 1
                self._got += 1
            yield annotation, record


def _headed(source: Source, annotation: str, wanted: int, reading: Reading) -> Iterator[Native | Fault]:
    """The records of a file, or of its beginning where it is long; notes what was looked at."""
    try:
        size = files.identity(files.join(source.root, annotation))["size"]
        split, adapter, length = _split(source, annotation, wanted, size)
        whole = length == size
        # Of a beginning the last record is cut.
        records = split.records if whole else split.records - 1
        reading.looked.append(Looked(annotation, size, length, records))
        with blaming(source.adapter, annotation):
            for part in split.slices:
                for record in adapter.read(source.root, part):
                    if not whole and record.position >= records:
                        return
                    yield record
    except (SourceError, OSError) as error:
        reading.errors[annotation] = str(error)


def _split(source: Source, annotation: str, wanted: int, size: int) -> tuple[Split, Adapter, int]:
    """The split of a file with the adapter to read it, and how many bytes it is about."""
    options, length = source.options, HEAD_BYTES
    # What is joined with another file cannot be begun with.
    if source.adapter in _KEPT and not options.get("recordings"):
        options = {**options, "on_cut": "keep"}
    elif source.adapter not in _LINES or annotation.endswith(".parquet"):
        length = size
    while length < size:
        head = _head(source, annotation, length)
        if head:
            folder = files.join(source.scratch, f"head-{length}")
            files.write_bytes(files.join(folder, annotation), head)
            adapter = make_adapter(source.adapter, options)
            with blaming(source.adapter, annotation):
                split = adapter.split(folder, annotation, folder)
            if split.records > wanted:
                return split, adapter, len(head)
        length *= GROWTH
    adapter = make_adapter(source.adapter, source.options)
    with blaming(source.adapter, annotation):
        return adapter.split(source.root, annotation, source.scratch), adapter, size


def _head(source: Source, annotation: str, length: int) -> bytes:
    """The beginning of a file, up to the end of a line where it has lines."""
    with files.open_read(files.join(source.root, annotation)) as stream:
        data = stream.read(length)
    cut = -1 if annotation.endswith(".gz") else data.rfind(b"\n")
    return data[: cut + 1] if cut >= 0 else data
