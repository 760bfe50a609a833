"""Names of members: cleaned, folded, hashed, and with the other extensions they may stand under."""

from __future__ import annotations

import hashlib
import posixpath
import re
import unicodedata
from collections.abc import Iterator

_DRIVE = re.compile(r"[A-Za-z]:")
NAME_BYTES = 4096  # the longest path that Linux takes

EXTENSIONS: dict[str, tuple[str, ...]] = {
    "image": (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
    "video": (".mp4", ".mkv", ".webm", ".avi", ".mov", ".flv", ".m4v", ".gif"),
    "audio": (".wav", ".flac", ".mp3", ".opus", ".ogg", ".m4a", ".aac", ".wma"),
}
_KNOWN = frozenset(extension for some in EXTENSIONS.values() for extension in some)


def clean_name(name: str) -> str | None:
    """A name with forward slashes and no detours; None for one that is absolute or leads out of its folder."""
    path = name.replace("\\", "/")
    if path.startswith("/") or "\0" in path or _DRIVE.match(path) or ".." in path.split("/"):
        return None
    clean = posixpath.normpath(path)
    return None if clean == "." else clean


def is_litter(path: str) -> bool:
    """Whether a Mac left the file beside the real one: resource forks under `__MACOSX` and `._` names."""
    return path.rpartition("/")[2].startswith("._") or "__MACOSX" in path.split("/")


def fold(name: str) -> str:
    """The name in one case and one Unicode normal form (canonical caseless matching, Unicode 3.13)."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def name_hash(name: str) -> bytes:
    """blake2b-64 of the folded name: little-endian bytes of the number that listings are sorted by."""
    return hashlib.blake2b(fold(name).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def other_extensions(name: str, kind: str) -> Iterator[str]:
    """The same name under every other extension of its kind (image, video, audio), then under none."""
    stem, extension = posixpath.splitext(name)
    extension = extension.lower()
    if extension not in _KNOWN:
        stem, extension = name, ""
    yield from (stem + other for other in EXTENSIONS[kind] if other != extension)
    if extension:
        yield stem
