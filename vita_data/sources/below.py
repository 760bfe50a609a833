"""What lies below a folder: its files and the members of its archives, found by names that are nearly theirs.

Listed once and with an end; on remote storage, where listing is dear, nothing is.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

from vita_data import files
from vita_data.errors import VitaError
from vita_data.media.containers.names import EXTENSIONS, clean_name, fold, is_litter
from vita_data.media.containers.walk import kind_of, walk_in_place

MOST_FILES, MOST_MEMBERS, MOST_ARCHIVES, MOST_ALIKE = 200_000, 200_000, 8, 8
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")


class Below:
    """The files below a folder: `names` in order, `archives` among them, members of which are found as well."""

    def __init__(self, root: str) -> None:
        self.names: list[str] = []
        self.archives: list[str] = []
        self._by_stem: dict[str, list[tuple[str, str]]] = {}  # stem -> (archive or nothing, name)
        self._is_listed = False
        self._root = root
        if files.is_url(root):
            return
        for number, name in enumerate(_walk(root)):
            if number >= MOST_FILES:
                break
            self.names.append(name)
            self._add("", name)
            if name.lower().endswith(ARCHIVES):
                self.archives.append(name)

    def find(self, name: str, kind: str | None = None) -> tuple[str, str] | None:
        """(archive or nothing, name) of the file most like a name: one stem, and most of its folders from the end.

        Where `kind` (image, video, audio) is given, only files that end as such do come into question.
        """
        found = self._find(name, kind)
        if found is None and not self._is_listed:
            self._is_listed = True
            for archive in self.archives[:MOST_ARCHIVES]:
                for member in _members(files.join(self._root, archive)):
                    self._add(archive, member)
            found = self._find(name, kind)
        return found

    def _find(self, name: str, kind: str | None) -> tuple[str, str] | None:
        known = self._by_stem.get(stem(name), [])
        if kind is not None:
            known = [each for each in known if posixpath.splitext(each[1])[1].lower() in EXTENSIONS[kind]]
        return max(known, key=lambda each: (_likeness(each[1], name), not each[0]), default=None)

    def _add(self, archive: str, name: str) -> None:
        known = self._by_stem.setdefault(stem(name), [])
        if len(known) < MOST_ALIKE:
            known.append((archive, name))


def parted(name: str, found: str) -> tuple[str, str]:
    """What stands before the folders that two names have in common, counted from their ends."""
    a, b = name.split("/")[:-1], found.split("/")[:-1]
    while a and b and a[-1] == b[-1]:
        a.pop()
        b.pop()
    return "/".join(a), "/".join(b)


def stem(name: str) -> str:
    """The last part of a name without its extension, folded."""
    return fold(posixpath.splitext(posixpath.basename(name))[0])


def _likeness(found: str, name: str) -> int:
    """How little two names differ: folders that are not shared count against them, another extension as well."""
    wanted = parted(name, found)[0]
    apart = len(wanted.split("/")) if wanted else 0
    alike = fold(posixpath.splitext(found)[1]) == fold(posixpath.splitext(name)[1])
    return (posixpath.basename(found) == posixpath.basename(name)) + 2 * alike - 3 * apart


def _walk(root: str) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        base = os.path.relpath(folder, root).replace(os.sep, "/")
        for name in sorted(names):
            path = name if base == "." else f"{base}/{name}"
            if not is_litter(path) and not name.startswith("."):
                yield path


def _members(path: str) -> Iterator[str]:
    """Names in a zip or a plain tar; nothing where they cannot be had cheaply."""
    try:
        kind = kind_of(path)
        if kind not in ("zip", "tar"):
            return
        with files.open_read(path) as stream:
            for number, entry in enumerate(walk_in_place(stream, path, kind)):
                name = None if entry.name is None else clean_name(entry.name)
                if number >= MOST_MEMBERS:
                    return
                if name is not None and not is_litter(name):
                    yield name
    except (VitaError, OSError):
        return
