"""Small archives that tests share, and the way from them to members found by name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from vita_data.catalog.repack import list_container
from vita_data.media.containers.listing import Listed
from vita_data.media.containers.walk import container_items
from vita_data.media.members import Members, gather_members
from vita_data.records.places import MediaPlaces, Place

Pairs = Iterable[tuple[str, bytes]]
COMPRESSORS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,  # as the command line tool does
}


def zip_of(pairs: Pairs, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip as the standard library writes it; duplicate names stay."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as archive:
        warnings.simplefilter("ignore")  # of duplicates
        for name, data in pairs:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def tar_of(pairs: Pairs, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar as the standard library writes it; duplicate names stay."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in pairs:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def parquet_of(pairs: Pairs, **how: Any) -> bytes:
    """A parquet file with `image_id` and `image`, the struct of bytes and path that Hugging Face writes."""
    pairs = list(pairs)
    table = pa.table(
        {
            "image_id": pa.array([name for name, _ in pairs], pa.string()),
            "image": pa.array(
                [{"bytes": data, "path": None} for _, data in pairs],
                pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
            ),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out, **how)
    return out.getvalue()


def listed(media: MediaPlaces, root: str | Path, folder: str | Path) -> list[Listed]:
    """Every archive of a source, listed."""
    return [list_container(*item) for item in container_items(media, str(root), str(folder))]


def opened(media: MediaPlaces, root: str | Path, folder: str | Path) -> Members:
    """The members of a source, listed, merged and opened as a worker does."""
    listed(media, root, folder)
    return Members(gather_members(media, str(root), str(folder)), str(root), str(folder))


def members_of(tmp_path: Path, name: str, data: bytes, **place: Any) -> Members:
    """The members of one archive with these bytes."""
    (tmp_path / "root").mkdir(exist_ok=True)
    (tmp_path / "root" / name).write_bytes(data)
    return opened(MediaPlaces((Place(name, **place),)), tmp_path / "root", tmp_path / "catalog")


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """The bytes with some of them replaced."""
    return data[:at] + new + data[at + len(new) :]


def directory_of(data: bytes) -> int:
    """Where the central directory of a small zip begins."""
    return int(struct.unpack_from("<L", data, data.rindex(b"PK\5\6") + 16)[0])
