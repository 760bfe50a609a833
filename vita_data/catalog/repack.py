"""One archive made addressable: listed where it lies, or copied out once into a tar beside the catalog.

Members of zips and plain tars can be read by range; those of compressed tars and of parquet cells cannot, so
they are written once, in one reading, and referred to from then on.
"""

from __future__ import annotations

import posixpath
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeVar

from vita_data import files
from vita_data.errors import SourceError
from vita_data.media.containers.entry import CutError, Entry, Way
from vita_data.media.containers.listing import (
    FOLDER,
    Listed,
    listing_stem,
    load_listed,
    save_listed,
    write_listing,
)
from vita_data.media.containers.parts import identity_of, open_parts
from vita_data.media.containers.walk import Kind, key_of, keyed, kind_of, walk_in_place, walk_out
from vita_data.records.places import Place
from vita_data.shards.tar import TarWriter

MEMBER_BYTES = 1 << 30  # of what is copied out: a member is held in memory once
T = TypeVar("T")


def list_container(root: str, container: str, place: Place, folder: str, keep_cut: bool = False) -> Listed:
    """Lists an archive below the catalog's `folder`, or finds that it was listed before.

    Raises SourceError when it is no archive or damaged; one that is cut is kept as far as it goes if `keep_cut`.
    """
    path = files.join(root, container)
    try:
        identity = identity_of(path)
        stem = listing_stem(container, identity, place)
        listed = load_listed(folder, stem)
        if listed is None:
            listed = _Listing(path, container, identity["size"], place, folder, stem).make(keep_cut)
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read ({error.strerror or error}); mend that and run again."
        ) from error
    if listed.cut is not None and not keep_cut:
        raise SourceError(listed.cut)
    return listed


class _Listing:
    """One listing while it is made."""

    def __init__(self, path: str, container: str, size: int, place: Place, folder: str, stem: str) -> None:
        self._path, self._container, self._size = path, container, size
        self._place, self._folder, self._stem = place, folder, stem
        self._left_out: Counter[str] = Counter()
        self._cut: str | None = None

    def make(self, keep_cut: bool) -> Listed:
        """Writes the listing and, last, its summary."""
        kind = kind_of(self._path)
        if kind in ("zip", "tar"):
            name, size, members = f"root:{self._container}", self._size, self._in_place(kind, keep_cut)
        else:
            tar = f"{FOLDER}/{self._stem}.tar"
            size, members = self._copied_out(kind, keep_cut, files.join(self._folder, tar))
            name = f"catalog:{tar}"
        left_out = dict(sorted(self._left_out.items()))
        listed = Listed(name, size, f"{self._stem}.arrow", members, left_out, self._cut)
        return save_listed(self._folder, self._stem, listed)

    def _out(self) -> str:
        return files.join(self._folder, FOLDER, f"{self._stem}.arrow")

    def _in_place(self, kind: Kind, keep_cut: bool) -> int:
        with open_parts(self._path) as archive, files.atomic_write(self._out()) as out:
            entries = self._until_cut(walk_in_place(archive, self._path, kind), keep_cut)
            return write_listing(out, keyed(entries, self._place.names, self._left_out))

    def _copied_out(self, kind: Kind, keep_cut: bool, path: str) -> tuple[int, int]:
        """Writes the tar, then the listing: object stores put one file at a time."""
        with tempfile.TemporaryFile() as listing:
            with files.atomic_write(path) as out:
                tar = TarWriter(out)
                pairs = self._until_cut(walk_out(self._path, self._place, kind, MEMBER_BYTES), keep_cut)
                members = write_listing(listing, self._appended(tar, pairs))
                tar.close()
            listing.seek(0)
            with files.atomic_write(self._out()) as out:
                shutil.copyfileobj(listing, out)
        return tar.size, members

    def _appended(self, tar: TarWriter, pairs: Iterable[tuple[Entry, bytes]]) -> Iterator[tuple[str, Entry]]:
        """Members under their names and where they lie in the tar, which itself numbers them: names may be long."""
        for number, (entry, data) in enumerate(pairs):
            key, why = key_of(entry.name, self._place.names)
            if key is None:
                self._left_out[why] += 1
                continue
            if entry.way is Way.PLAIN:
                extension = posixpath.splitext(key)[1].lower()
                short = extension if extension.isascii() and len(extension) <= 8 else ""
                entry = entry._replace(offset=tar.add(f"{number:09d}{short}", data))
            yield key, entry

    def _until_cut(self, walked: Iterable[T], keep_cut: bool) -> Iterator[T]:
        try:
            yield from walked
        except CutError as error:
            if not keep_cut:
                raise
            self._cut = str(error)
