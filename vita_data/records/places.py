"""The `media` key of a source card: in which archives the media lie that the annotations name.

Plain values that the card binds and the resolver reads, so that neither needs the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Names = Literal["path", "base", "column"]
Fallback = Literal["case", "extension"]


@dataclass(frozen=True)
class Place:
    """Archives that hold the media whose names begin with `prefix`.

    `inside` is a name or glob below the source's root. `names` says what of a member's name counts behind the
    prefix: its `path` once `strip` is cut off its front, its `base` name alone (unzip -j), or for parquet the
    text of `name_column`, whose bytes stand in `bytes_column` (bytes, base64 text, or a struct with `bytes`).
    """

    inside: str
    prefix: str = ""
    strip: str = ""
    names: Names = "path"
    name_column: str | None = None
    bytes_column: str | None = None

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        if not self.inside:
            return "inside", "inside is empty; name the archive, such as images.zip or sam/sa_*.tar"
        for key, value in (("prefix", self.prefix), ("strip", self.strip)):
            if value.startswith("/") or (value and not value.endswith("/")):
                return key, f"{key} {value} is no folder; write {value.strip('/')}/"
        if self.strip and self.names != "path":
            return "strip", "strip needs names: path; remove one of the two"
        columns = (self.name_column, self.bytes_column)
        if self.names == "column" and None in columns:
            return "names", "names: column needs name_column and bytes_column; add both"
        if self.names != "column" and columns != (None, None):
            return "names", "name_column and bytes_column need names: column; add it or remove both"
        return None


@dataclass(frozen=True)
class MediaPlaces:
    """Where a source's media lie, and what happens when one is not there.

    Places are searched in their order, then the plain folder. `fallback` lets a name be found in another case
    (`case`) or with another extension of the same kind (`extension`). `on_cut: keep` goes on with the members
    that stand before the place where an archive is cut or damaged.
    """

    places: tuple[Place, ...] = ()
    fallback: tuple[Fallback, ...] = ()
    missing: Literal["reject", "keep-text"] = "reject"
    on_cut: Literal["error", "keep"] = "error"
