"""Any archive as named members: which kind it is, and which part of its members' names counts."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO, Literal

from vita_data import files
from vita_data.errors import SourceError
from vita_data.media.containers import tars, zips
from vita_data.media.containers.cells import walk_cells
from vita_data.media.containers.compressed import walk_compressed
from vita_data.media.containers.entry import MAGIC, Entry
from vita_data.media.containers.names import NAME_BYTES, clean_name, is_litter
from vita_data.media.containers.parts import first_parts, names_of, open_parts
from vita_data.records.places import MediaPlaces, Names, Place

# Members of the first two lie in the file as they are or deflated; the others must be copied out once.
Kind = Literal["zip", "tar", "compressed tar", "parquet"]
# What one work item lists: root, archive below it, place, folder of the listings, whether to keep a cut one.
Item = tuple[str, str, Place, str, bool]
_VOLUME = re.compile(r"\.z[0-9]{2,3}$", re.IGNORECASE)


def container_items(media: MediaPlaces, root: str, folder: str) -> list[Item]:
    """One work item for every archive of a source; raises SourceError for a place where nothing matches."""
    return list(
        dict.fromkeys(
            (root, container, _naming(container, place), folder, media.on_cut == "keep")
            for place in media.places
            for container in containers_of(root, place)
        )
    )


def _naming(container: str, place: Place) -> Place:
    """The place as far as a listing depends on it, so that two places in one archive share a listing."""
    return Place(container, "", "", place.names, place.name_column, place.bytes_column)


def containers_of(root: str, place: Place) -> list[str]:
    """The archives of a place, sorted, relative to the root; one that is in parts is named by the first."""
    found = files.matching(root, place.inside)
    if not found:
        raise SourceError(
            f"no file matches {place.inside} below {root}; fetch the archives, or mend the card's `media`."
        )
    return first_parts(root, found)


def files_of(root: str, place: Place) -> list[str]:
    """The files that the archives of a place are in, relative to the root."""
    return [name for container in containers_of(root, place) for name in names_of(root, container)]


def _volume(path: str) -> str:
    whole = re.sub(_VOLUME, ".zip", path)
    return (
        f"{path} is one disk of a zip of many; join them with `zip -s 0 {whole} --out joined.zip`, and name the joined "
        "one in the card's `media`."
    )


def kind_of(path: str) -> Kind:
    """What an archive is, by its bytes and not by its name; raises SourceError for what is none."""
    if _VOLUME.search(path):
        raise SourceError(_volume(path))
    with open_parts(path) as stream:
        start = stream.read(tars.BLOCK)
        if tars.is_header(start) or start == bytes(tars.BLOCK):
            return "tar"
        if start.startswith(tuple(MAGIC)):
            return "compressed tar"
        if start.startswith(b"PAR1"):
            return "parquet"
        if start.startswith((b"PK\3\4", b"PK\5\6")) or zips.has_end(stream):
            return "zip"
    raise SourceError(
        f"{path} is no zip, tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst or parquet file; fetch it again, or join its "
        "parts."
    )


def walk_in_place(stream: IO[bytes], path: str, kind: Kind) -> Iterator[Entry]:
    """The members of a zip or tar, where they lie in it."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return zips.walk(stream, path, size) if kind == "zip" else tars.walk(stream, path, size)


def walk_out(path: str, place: Place, kind: Kind, limit: int) -> Iterator[tuple[Entry, bytes]]:
    """The members of what is not addressable, with their bytes, in one reading; offsets mean nothing."""
    return walk_cells(path, place, limit) if kind == "parquet" else walk_compressed(path, limit)


def key_of(name: str | None, names: Names) -> tuple[str | None, str]:
    """The part of a member's name that counts, or None and why the member is left out."""
    if name is None:
        return None, "name_not_utf8"
    clean = clean_name(name)
    if clean is None:
        return None, "name_leads_out" if name else "no_name"
    if len(clean.encode("utf-8", "surrogatepass")) > NAME_BYTES:
        return None, "name_too_long"
    if is_litter(clean):
        return None, "litter"
    return (clean.rpartition("/")[2] if names == "base" else clean), ""


def keyed(entries: Iterable[Entry], names: Names, left_out: Counter[str]) -> Iterator[tuple[str, Entry]]:
    """Members under the part of their name that counts; what is left out is counted by reason."""
    for entry in entries:
        key, why = key_of(entry.name, names)
        if key is None:
            left_out[why] += 1
        else:
            yield key, entry
