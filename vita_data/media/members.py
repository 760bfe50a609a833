"""The media of a source that lie in archives: found by name, read or pointed to, never unpacked.

A worker opens what `gather_members` left, by path. Untrusted: a member's bytes are checked against what its
archive says, are never more than the caller allows, and never come from a name that was not asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from vita_data import files
from vita_data.errors import RecordError, SourceError, VitaError
from vita_data.media.containers import zips
from vita_data.media.containers.entry import REFUSED, Way
from vita_data.media.containers.index import Hit, NameIndex, write_index
from vita_data.media.containers.listing import FOLDER, Listed, listing_stem, load_listed
from vita_data.media.containers.names import clean_name, fold, other_extensions
from vita_data.media.containers.walk import containers_of, key_of
from vita_data.records.key import digest_of
from vita_data.records.places import MediaPlaces, Place

_HEAD = zips.LOCAL_BYTES + 1024  # a local header with the names and extra fields that most have


@dataclass(frozen=True)
class Archive:
    """The file that holds a member's bytes: `place` is `root:` or `catalog:` and a path below the one or the other.

    `name` is the archive as its publisher gave it, which is another file where members were copied out.
    """

    name: str
    place: str
    path: str
    bytes: int


@dataclass(frozen=True)
class Member:
    """A medium in an archive: `length` bytes at `offset`, `size` once inflated."""

    archive: Archive
    place: Place
    hit: Hit

    @property
    def name(self) -> str:
        """The part of its name that counts in its place."""
        return self.hit.name


def gather_members(media: MediaPlaces, root: str, folder: str) -> str:
    """Merges the finished listings of a source, a file a place; returns the path that workers open.

    Raises SourceError when an archive changed, or came, since the listings were made.
    """
    places = []
    for place in media.places:
        containers = containers_of(root, place)
        listed = [_listed(root, container, place, folder) for container in containers]
        digest = digest_of([one.listing for one in listed])
        index = files.join(folder, FOLDER, f"index-{digest}.arrow")
        if not files.exists(index):
            write_index([files.join(folder, FOLDER, one.listing) for one in listed], index)
        archives = [(name, one.container, one.bytes) for name, one in zip(containers, listed, strict=True)]
        places.append({"place": asdict(place), "index": f"index-{digest}.arrow", "archives": archives})
    facts = {"places": places, "fallback": list(media.fallback)}
    path = files.join(folder, FOLDER, f"places-{digest_of(facts)}.json")
    if not files.exists(path):
        files.write_json(path, facts)
    return path


def _listed(root: str, container: str, place: Place, folder: str) -> Listed:
    identity = files.identity(files.join(root, container))
    listed = load_listed(folder, listing_stem(container, identity, place))
    if listed is None:
        raise SourceError(
            f"{files.join(root, container)} changed while it was listed; run the same command again."
        )
    return listed


class Members:
    """Finds and reads media by the names that annotations use; one serves all threads of a worker."""

    def __init__(self, path: str, root: str, folder: str) -> None:
        """Opens what `gather_members` wrote; `folder` is the catalog's, where the listings lie."""
        facts = files.read_json(path)
        self._fallback: list[str] = facts["fallback"]
        self._places = [
            _OpenPlace(
                Place(**one["place"]),
                NameIndex(files.join(folder, FOLDER, one["index"])),
                [Archive(name, at, _path(at, root, folder), size) for name, at, size in one["archives"]],
            )
            for one in facts["places"]
        ]
        self._reader = files.RangeReader()
        self._last: tuple[Member, int] | None = None  # whose local header was read last, and its length

    def find(self, name: str, kind: str = "image", exact: bool = False) -> Member | None:
        """The member that a medium's name (relative to the root) means, or None when no archive has it.

        The exact name is looked for in every place before the card's fallbacks are tried in their order;
        `kind` (image, video, audio) says which other extensions come into question. `exact` tries none.
        """
        clean = clean_name(name)
        if clean is None:
            return None
        for candidate, any_case in self._candidates(clean, kind, exact):
            for place in self._places:
                member = place.find(candidate, any_case)
                if member is not None:
                    return member
        return None

    def _candidates(self, name: str, kind: str, exact: bool) -> Iterator[tuple[str, bool]]:
        yield name, False
        any_case = "case" in self._fallback
        for fallback in () if exact else self._fallback:
            if fallback == "case":
                yield name, True
            else:
                yield from ((other, any_case) for other in other_extensions(name, kind))

    def read(self, member: Member, limit: int) -> bytes:
        """The bytes of a member, checked against its archive's checksum where it has one.

        Raises RecordError: media_too_large above `limit` bytes, media_unreadable when they cannot be had.
        """
        hit = member.hit
        if hit.way in REFUSED:
            raise _unreadable(member, REFUSED[hit.way])
        largest = max(hit.size, hit.length)
        if largest > limit:
            raise RecordError("media_too_large", f"{member.name} has {largest} bytes.", largest, limit)
        if hit.way is Way.PLAIN:
            return self._bytes(member, hit.offset, hit.length)
        head, behind = self._head(member, hit.length)
        data = head[behind : behind + hit.length]
        if len(data) < hit.length:
            data = self._bytes(member, hit.offset + behind, hit.length)
        if hit.way is Way.DEFLATED:
            data = _inflated(member, data)
        if len(data) != hit.size or zlib.crc32(data) != hit.crc:
            raise _unreadable(member, "is not what its archive's checksum says")
        return data

    def locate(self, member: Member) -> tuple[str, int, int] | None:
        """(archive, offset, length) of bytes that lie in the archive as they are, else None.

        The archive is named as catalogs name files: `root:` or `catalog:` and a path. Costs no reading right
        after `read`.
        """
        hit = member.hit
        if hit.way is Way.PLAIN:
            return member.archive.place, hit.offset, hit.length
        if hit.way is Way.STORED and hit.size == hit.length:
            last = self._last
            header = last[1] if last is not None and last[0] is member else self._head(member, 0)[1]
            return member.archive.place, hit.offset + header, hit.length
        return None

    def _head(self, member: Member, more: int) -> tuple[bytes, int]:
        """The bytes from a zip's local header on, and the length of the header, which agrees with the directory."""
        hit = member.hit
        head = self._bytes(member, hit.offset, min(_HEAD + more, member.archive.bytes - hit.offset))
        try:
            local = zips.read_local(head)
            if local.header > len(head) - more:
                head = self._bytes(
                    member, hit.offset, min(local.header + more, member.archive.bytes - hit.offset)
                )
                local = zips.read_local(head)
        except (ValueError, UnicodeDecodeError) as error:
            raise _unreadable(member, f"cannot be read: {error}") from error
        stated = (hit.size, hit.length, hit.crc)
        agrees = local.way is hit.way and local.facts in (None, stated)
        if not agrees or key_of(local.name, member.place.names)[0] != hit.name:
            raise _unreadable(member, "is another file in its local header than in its archive's directory")
        self._last = (member, local.header)
        return head, local.header

    def _bytes(self, member: Member, offset: int, length: int) -> bytes:
        try:
            return self._reader.read(member.archive.path, offset, length)
        except VitaError as error:
            raise _unreadable(member, "lies behind the end of its archive") from error
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or error
            raise _unreadable(member, f"cannot be read ({words})") from error

    def close(self) -> None:
        """Closes the archives."""
        self._reader.close()


@dataclass(frozen=True)
class _OpenPlace:
    place: Place
    index: NameIndex
    archives: list[Archive]

    def find(self, name: str, any_case: bool) -> Member | None:
        start = name[: len(self.place.prefix)]
        if start != self.place.prefix and not (any_case and fold(start) == fold(self.place.prefix)):
            return None
        hit = self.index.find(self.place.strip + name[len(start) :], any_case)
        return None if hit is None else Member(self.archives[hit.container], self.place, hit)


def _path(place: str, root: str, folder: str) -> str:
    base, _, rest = place.partition(":")
    return files.join(root if base == "root" else folder, rest)


def _unreadable(member: Member, what: str) -> RecordError:
    return RecordError("media_unreadable", f"{member.name} in {member.archive.name} {what}.", member.name)


def _inflated(member: Member, data: bytes) -> bytes:
    """Raw deflate data inflated to no more than the stated size and a byte."""
    engine: Any = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        out: bytes = engine.decompress(data, member.hit.size + 1)
    except zlib.error as error:
        raise _unreadable(member, f"cannot be inflated ({error})") from error
    if len(out) > member.hit.size:
        raise _unreadable(member, "inflates to more than its archive says")
    return out
