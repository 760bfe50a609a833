"""Records of a file that cannot be cut itself, copied as lines below the scratch folder, where the slices lie."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources import jsonfiles
from vita_data.sources.base import Slice, Split

SLICE_MEDIA_BYTES = 64 << 20


class Copies:
    """Takes records one by one and keeps no more than a slice of them; `jsonfiles.read_lines` reads them back."""

    def __init__(self, annotation: str, scratch: str) -> None:
        self.count = 0
        self._annotation, self._scratch = annotation, scratch
        self._stem = hashlib.sha256(annotation.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._slices: list[Slice] = []
        self._lines: list[str] = []
        self._held = self._media = self._written = 0

    def add(self, value: Any, media_bytes: int = 0) -> None:
        """One more record, of JSON values; numbers may be Decimal. `media_bytes` are read with it, by its slice."""
        self._media += media_bytes
        try:
            self._add(json.dumps(value, ensure_ascii=False, default=float))
        except RecursionError:
            self.fault(RecordError("not_json", jsonfiles.TOO_DEEP))

    def put(self, value: Any | RecordError) -> None:
        """One more record as it was read: a value or a fault."""
        if isinstance(value, RecordError):
            self.fault(value)
        else:
            self.add(value)

    def fault(self, error: RecordError) -> None:
        """A record that could not be read, in its place."""
        self._add(f"{jsonfiles.FAULT}{error.rule} {' '.join(str(error).split())}")

    def cut(self, path: str, words: str, keep: bool) -> None:
        """The file ends early: a fault in its place where the card keeps what came before, else a SourceError."""
        if not keep:
            raise SourceError(
                f"{path} is cut or damaged after record {self.count} ({words}), so what follows is lost; fetch the "
                "file again, or set `on_cut: keep` in its card to go on with what is readable."
            )
        self.fault(RecordError("annotation_cut", f"the annotation file is cut or damaged here: {words}."))

    def _add(self, line: str) -> None:
        self._lines.append(line)
        self._held += len(line)
        self.count += 1
        full = self._held >= jsonfiles.SLICE_BYTES or self._media >= SLICE_MEDIA_BYTES
        if full or len(self._lines) >= jsonfiles.SLICE_RECORDS:
            self._flush()

    def _flush(self) -> None:
        if not self._lines:
            return
        copy = files.join(self._scratch, f"{self._stem}-{len(self._slices):05d}.jsonl")
        data = "\n".join(self._lines).encode("utf-8", "surrogatepass")
        files.write_bytes(copy, data)
        self._written += len(data)
        self._slices.append(Slice(self._annotation, copy, 0, len(data), self.count - len(self._lines)))
        self._lines.clear()
        self._held = self._media = 0

    def split(self, sha256: str, text_bytes: int | None = None) -> Split:
        """The slices of all that was added; its text is about as long as the lines, unless `text_bytes` says more."""
        self._flush()
        return Split(self._slices, sha256, self._written if text_bytes is None else text_bytes, self.count)
