"""The chosen media opened as the catalog opens them, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from vita_data.catalog.media import MediaReader
from vita_data.catalog.read import MALFORMED
from vita_data.catalog.repack import list_container
from vita_data.catalog.task import CatalogTask
from vita_data.check.records import Chosen, Rule, refusal
from vita_data.errors import RecordError, SourceError
from vita_data.files import join, matching
from vita_data.media.containers.parts import identity_of
from vita_data.media.containers.walk import container_items, containers_of, kind_of
from vita_data.media.members import gather_members
from vita_data.records.places import MediaPlaces, Place

MISSING = "media_missing"
COPIED_BYTES = 256 << 20  # of archives that would have to be copied out to look into them


@dataclass
class Archive:
    """An archive that the card names: how large it is and how much is in it, or why it was not looked into.

    `left_out` counts the members that no name leads to by reason, `cut` says that it breaks off.
    """

    name: str
    bytes: int
    members: int | None = None
    skipped: bool = False
    left_out: dict[str, int] = field(default_factory=dict)
    cut: bool = False


@dataclass
class Opened:
    """What came of the chosen media; `unlooked` lie where no look is taken, `sizes` are by what is measured."""

    opened: int = 0
    rules: dict[str, Rule] = field(default_factory=dict)
    missing: list[Chosen] = field(default_factory=list)
    unlooked: list[Chosen] = field(default_factory=list)
    sizes: dict[str, list[float]] = field(default_factory=dict)

    @property
    def tried(self) -> int:
        """How many were looked for where a look is taken."""
        return self.opened + sum(rule.count for rule in self.rules.values())

    def measure(self, what: str, value: float) -> None:
        """One more value of what is measured."""
        self.sizes.setdefault(what, []).append(value)


class _NoTar:
    """Derived media go nowhere."""

    name = "none"

    def add(self, name: str, data: bytes) -> int:
        return 0


def list_archives(task: CatalogTask, media: MediaPlaces) -> tuple[str | None, list[Archive], list[str]]:
    """Lists the archives of a card: what a reader of members opens, the archives, and what is wrong with them.

    What is compressed as a whole, or parquet, would be copied out to be read, so it is left alone where it is
    large: its media are not looked for.
    """
    archives: list[Archive] = []
    wrong: list[str] = []
    usable: list[Place] = []
    for place in media.places:
        try:
            some = [
                _listed(*item)
                for item in container_items(replace(media, places=(place,)), task.root, task.folder)
            ]
        except SourceError as error:
            wrong.append(str(error))
            continue
        archives += [each for each in some if each.name not in [known.name for known in archives]]
        if not any(each.skipped for each in some):
            usable.append(place)
    path = gather_members(replace(media, places=tuple(usable)), task.root, task.folder) if usable else None
    return path, archives, wrong


def _listed(root: str, container: str, place: Place, folder: str, keep_cut: bool) -> Archive:
    path = join(root, container)
    size = identity_of(path)["size"]
    if kind_of(path) not in ("zip", "tar") and size > COPIED_BYTES:
        return Archive(container, size, skipped=True)
    listed = list_container(root, container, place, folder, keep_cut)
    return Archive(container, size, listed.members, False, listed.left_out, listed.cut is not None)


def open_media(
    task: CatalogTask,
    media: MediaPlaces,
    chosen: list[Chosen],
    archives: list[Archive],
    tell: Callable[[int, int], None],
) -> Opened:
    """Opens media one by one; `tell` hears how many of how many are done."""
    found = Opened()
    closed = [place.prefix for place in media.places if _skipped(place, archives, task.root)]
    own = {**asdict(media), "missing": "reject"}
    with MediaReader(replace(task, media=own), _NoTar()) as reader:
        for number, each in enumerate(chosen):
            tell(number, len(chosen))
            try:
                rows, _ = reader.rows_or_text(each.position, [each.medium], [])
            except (RecordError, *MALFORMED) as error:
                reject = refusal(error)
                if reject.rule == MISSING and any(each.medium.name.startswith(prefix) for prefix in closed):
                    found.unlooked.append(each)
                    continue
                found.rules.setdefault(reject.rule, Rule("media")).add(each.place, reject.message)
                if reject.rule == MISSING:
                    found.missing.append(each)
                continue
            found.opened += 1
            _measure(found, each, rows)
    return found


def _skipped(place: Place, archives: list[Archive], root: str) -> bool:
    names = containers_of(root, place) if matching(root, place.inside) else []
    return any(each.skipped and each.name in names for each in archives)


def _measure(found: Opened, each: Chosen, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["kind"] == "audio":
            found.measure("sounds, seconds", row["samples"] / row["rate"])
        elif row["kind"] == "image":
            found.measure("pictures, longer side", max(row["width"], row["height"]))
            found.measure("pictures, kB", row["length"] / 1000)
    if each.medium.kind == "video" and rows:
        found.measure("films, seconds to the last frame", rows[-1]["time"])
        found.measure("films, longer side", max(rows[-1]["width"], rows[-1]["height"]))
