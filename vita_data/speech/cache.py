"""The cache of what was spoken: tars of sounds, each with a table of its clips by text and voice; only ever added to.

A tar is written before its table, so a table vouches for its tar. Its name says which range of clips it
holds, so that whoever wants a range opens few. A clip that could not be made is in a table with its reason,
and is not tried again: another engine, or another version of it, has a cache of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.records.canon import canonical
from vita_data.records.key import digest_of
from vita_data.shards.tar import TarWriter
from vita_data.speech.task import CLIP, bucket_of

SPEECH_VERSION = 1
_SAID = ("text", "language", "voice", "speed", "noise")
SPEECH = pa.schema(
    [
        *CLIP,
        ("message", pa.string()),
        ("text", pa.string()),
        ("language", pa.string()),
        ("voice", pa.string()),
        ("speed", pa.int32()),
        ("noise", pa.float64()),
    ]
)
_NAME = re.compile(r"(\d+)-of-(\d+)-[0-9a-f]+\.parquet")


class SpeechCache:
    """The clips of one engine below a folder, as one bucket of `buckets` sees them."""

    def __init__(self, folder: str, bucket: int, buckets: int) -> None:
        self._folder = folder
        self._bucket, self._buckets = bucket, buckets

    def known(self) -> dict[bytes, dict[str, Any]]:
        """Rows of CLIP for every clip of the bucket that was made or could not be, by its name."""
        found: dict[bytes, dict[str, Any]] = {}
        for name in sorted(files.matching(self._folder, "*.parquet")):
            for row in self._rows(name):
                if bucket_of(row["clip"], self._buckets) == self._bucket:
                    found.setdefault(row["clip"], row)
        return found

    def _rows(self, name: str) -> Iterator[dict[str, Any]]:
        match = _NAME.fullmatch(name)
        if match is None:
            return
        bucket, buckets = int(match[1]), int(match[2])
        if bucket * self._buckets >= (self._bucket + 1) * buckets:
            return
        if self._bucket * buckets >= (bucket + 1) * self._buckets:
            return
        table = files.read_table(files.join(self._folder, name), CLIP.names)
        size = json.loads(table.schema.metadata[b"vita"])["tar"]
        tar = files.join(self._folder, _tar_of(name))
        if size is None or (files.exists(tar) and files.identity(tar)["size"] == size):
            yield from table.to_pylist()

    def add(
        self, made: Iterator[tuple[dict[str, Any], bytes | None]], wanted: list[bytes]
    ) -> list[dict[str, Any]]:
        """Writes clips (row of SPEECH, sound) as one more tar and table; returns the rows. `wanted` names them."""
        stem = f"{self._bucket}-of-{self._buckets}-{digest_of([clip.hex() for clip in wanted])}"
        rows: list[dict[str, Any]] = []
        tar_path = files.join(self._folder, f"{stem}.tar")
        with files.atomic_write(tar_path) as stream:
            tar = TarWriter(stream)
            for row, sound in made:
                if sound is not None:
                    offset = tar.add(f"{row['clip'].hex()}.flac", sound)
                    row |= {"path": f"{stem}.tar", "offset": offset, "length": len(sound)}
                rows.append(row)
            tar.close()
        said = {"version": SPEECH_VERSION, "tar": tar.size}
        table = pa.Table.from_pylist(rows, SPEECH.with_metadata({"vita": canonical(said)}))
        files.write_table(files.join(self._folder, f"{stem}.parquet"), table)
        return [{name: row.get(name) for name in CLIP.names} for row in rows]


def _tar_of(name: str) -> str:
    return f"{name.removesuffix('.parquet')}.tar"


def orphans(folder: str) -> list[str]:
    """The tars of a cache that no table vouches for, as a build leaves them that was stopped; relative to it."""
    tables = {_tar_of(name) for name in files.matching(folder, "*.parquet")}
    return [name for name in files.matching(folder, "*.tar") if name not in tables]


def row_of(question: dict[str, Any]) -> dict[str, Any]:
    """What the cache notes of a question's clip before it is made."""
    return {"clip": question["clip"], **{name: question[name] for name in _SAID}}
