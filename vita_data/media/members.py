"""The media of a source that lie in archives: found by name, read, opened or pointed to, never unpacked.

A worker opens what `gather_members` left, by path. Untrusted: a member's bytes are checked against what its
archive says, are never more than the caller allows, and never come from a name that was not asked for.
"""

from __future__ import annotations

import io
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import IO, Any, cast

from vita_data import files
from vita_data.errors import SourceError, VitaError
from vita_data.media.containers import zips
from vita_data.media.containers.entry import Way
from vita_data.media.containers.index import NameIndex, write_index
from vita_data.media.containers.left_out import left_out_facts
from vita_data.media.containers.listing import FOLDER, Listed, listing_stem, load_listed
from vita_data.media.containers.names import clean_name, fold, other_extensions
from vita_data.media.containers.parts import identity_of, names_of, parts_of, place_in, read_range
from vita_data.media.containers.walk import containers_of, key_of
from vita_data.media.containers.window import Window
from vita_data.media.inflate import inflated, spooled
from vita_data.media.member import Archive, Member, archive_at
from vita_data.records.key import digest_of
from vita_data.records.places import MediaPlaces, Place

_HEAD = zips.LOCAL_BYTES + 1024  # a local header with the names and extra fields that most have
# Up to here a medium is read at once, also where a file is asked for: one request, and no second reading.
HELD_BYTES = 4 << 20
# Of a film that is deflated, and so must be inflated before one can go to and fro in it.
SPOOLED_BYTES = 4 << 30
_VERIFIED = 64  # films whose checksum need not be looked at again when another part of them is wanted


def gather_members(media: MediaPlaces, root: str, folder: str) -> str:
    """Merges the finished listings of a source, a file a place; returns the path that workers open.

    Raises SourceError when an archive changed, or came, since the listings were made.
    """
    places = []
    every: list[tuple[str, Listed]] = []
    for place in media.places:
        containers = containers_of(root, place)
        listed = [_listed(root, container, place, folder) for container in containers]
        digest = digest_of([one.listing for one in listed])
        index = files.join(folder, FOLDER, f"index-{digest}.arrow")
        if not files.exists(index):
            write_index([files.join(folder, FOLDER, one.listing) for one in listed], index)
        archives = [(name, _files(root, name, one)) for name, one in zip(containers, listed, strict=True)]
        every += zip(containers, listed, strict=True)
        places.append({"place": asdict(place), "index": f"index-{digest}.arrow", "archives": archives})
    facts = {"places": places, "fallback": list(media.fallback), "left_out": left_out_facts(every)}
    path = files.join(folder, FOLDER, f"places-{digest_of(facts)}.json")
    if not files.exists(path):
        files.write_json(path, facts)
    return path


def left_out_of(path: str | None) -> list[dict[str, Any]]:
    """What the archives of a source lack, from the path that `gather_members` returned; nothing without archives."""
    return [] if path is None else list(files.read_json(path)["left_out"])


def _listed(root: str, container: str, place: Place, folder: str) -> Listed:
    identity = identity_of(files.join(root, container))
    listed = load_listed(folder, listing_stem(container, identity, place))
    if listed is None:
        raise SourceError(
            f"{files.join(root, container)} changed while it was listed; run the same command again."
        )
    return listed


def _files(root: str, container: str, listed: Listed) -> list[tuple[str, int]]:
    """(place, bytes) of the files that hold the members."""
    if listed.container != f"root:{container}":
        return [(listed.container, listed.bytes)]
    sizes = [part.bytes for part in parts_of(files.join(root, container))]
    return [(f"root:{name}", size) for name, size in zip(names_of(root, container), sizes, strict=True)]


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
                [archive_at(name, found, root, folder) for name, found in one["archives"]],
            )
            for one in facts["places"]
        ]
        self._reader = files.RangeReader()
        self._last: tuple[Member, int] | None = None  # whose local header was read last, and its length
        self._verified: deque[tuple[str, int]] = deque(maxlen=_VERIFIED)

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
        member.check(limit)
        if hit.way is Way.PLAIN:
            return self._bytes(member, hit.offset, hit.length)
        head, behind = self._head(member, hit.length)
        data = head[behind : behind + hit.length]
        if len(data) < hit.length:
            data = self._bytes(member, hit.offset + behind, hit.length)
        if hit.way is Way.DEFLATED:
            try:
                data = b"".join(inflated([data], hit.size))
            except ValueError as error:
                raise member.unreadable(str(error)) from error
        if len(data) != hit.size or zlib.crc32(data) != hit.crc:
            raise member.unreadable("is not what its archive's checksum says")
        return data

    @contextmanager
    def stream(self, member: Member, limit: int) -> Iterator[IO[bytes]]:
        """The same as a seekable file, in the memory of a few blocks however large it is; the same errors.

        A large member that lies as it is gives a window over its archive; one that is deflated is inflated into a
        temporary file. Where there is a checksum it is verified first, in a reading of its own. A read that fails
        raises OSError.
        """
        member.check(limit)
        hit = member.hit
        if max(hit.size, hit.length) <= HELD_BYTES:
            yield io.BytesIO(self.read(member, limit))
        elif hit.way is Way.DEFLATED:
            with self._inflated(member) as file:
                yield file
        else:
            start = hit.offset if hit.way is Way.PLAIN else self._verified_start(member)
            yield cast(IO[bytes], Window(partial(self._range, member, start), hit.length, member.block))

    def _inflated(self, member: Member) -> IO[bytes]:
        member.check(SPOOLED_BYTES)
        start = member.hit.offset + self._head(member, 0)[1]
        try:
            return spooled(self._blocks(member, start), member.hit.size, member.hit.crc)
        except ValueError as error:
            raise member.unreadable(str(error)) from error

    def _verified_start(self, member: Member) -> int:
        """Where the bytes of a stored zip member begin, once they are known to be what the checksum says."""
        hit = member.hit
        start, known = hit.offset + self._head(member, 0)[1], (member.archive.places[0], hit.offset)
        if known not in self._verified:
            crc = 0
            for block in self._blocks(member, start):
                crc = zlib.crc32(block, crc)
            if hit.length != hit.size or crc != hit.crc:
                raise member.unreadable("is not what its archive's checksum says")
            self._verified.append(known)
        return start

    def _blocks(self, member: Member, start: int) -> Iterator[bytes]:
        """The bytes of a member as they lie in its archive, a block at a time."""
        end, step = start + member.hit.length, member.block
        return (self._bytes(member, at, min(step, end - at)) for at in range(start, end, step))

    def locate(self, member: Member) -> tuple[str, int, int] | None:
        """(archive, offset, length) of bytes that lie in the archive as they are, else None.

        The archive is named as catalogs name files: `root:` or `catalog:` and a path. Costs no reading right
        after `read`.
        """
        hit = member.hit
        if hit.way is Way.PLAIN:
            return self._place(member, hit.offset)
        if hit.way is Way.STORED and hit.size == hit.length:
            last = self._last
            header = last[1] if last is not None and last[0] is member else self._head(member, 0)[1]
            return self._place(member, hit.offset + header)
        return None

    def _place(self, member: Member, offset: int) -> tuple[str, int, int] | None:
        """None for bytes that lie in more than one part of an archive."""
        found = place_in(member.archive.parts, offset, member.hit.length)
        return None if found is None else (member.archive.places[found[0]], found[1], member.hit.length)

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
            raise member.unreadable(f"cannot be read: {error}") from error
        stated = (hit.size, hit.length, hit.crc)
        agrees = local.way is hit.way and local.facts in (None, stated)
        if not agrees or key_of(local.name, member.place.names)[0] != hit.name:
            raise member.unreadable("is another file in its local header than in its archive's directory")
        self._last = (member, local.header)
        return head, local.header

    def _bytes(self, member: Member, offset: int, length: int) -> bytes:
        try:
            return self._range(member, 0, offset, length)
        except VitaError as error:
            raise member.unreadable("lies behind the end of its archive") from error
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or error
            raise member.unreadable(f"cannot be read ({words})") from error

    def _range(self, member: Member, start: int, offset: int, length: int) -> bytes:
        return read_range(self._reader, member.archive.parts, start + offset, length)

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
