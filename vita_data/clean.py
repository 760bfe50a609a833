"""What lies in a build's folder and is of no use any more: nothing that a stage was made from refers to it.

A folder of measures or of speech is named by the digest of what it depends on, so whoever refers to it has
that name in a file of JSON: the plans and the needs of stages, and the tasks of folders that are in use themselves.
So do the index of benchmarks and what was measured of them.
Stages, catalogs and corpora are never removed, nor what a build made that has not come to its plan yet.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from vita_data import files
from vita_data.catalog.task import work_folder
from vita_data.errors import UsageError, VitaError
from vita_data.media.containers import listing
from vita_data.select.needs import PATTERN, stage_of
from vita_data.shards import seal
from vita_data.speech.cache import orphans

Kind = Literal["measures", "speech", "listing", "temporary"]
NAMED: dict[str, Kind] = {  # folders of folders that digests name
    "curate": "measures",
    "speech": "speech",
    "benchmarks/curate": "measures",
    "benchmarks/index": "measures",
}
CATALOGS = "catalog", "benchmarks/catalog"
_GOING = f"{files.TEMPORARY}clean"  # where folders go first, so that half of one never stands under its name
_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")


@dataclass(frozen=True)
class Leftover:
    """A file or folder that nothing refers to: its path below the build's folder, what it is, and its bytes."""

    path: str
    kind: Kind
    bytes: int


def clean(out: str, dry_run: bool = False) -> list[Leftover]:
    """Finds what a build's folder could do without, and removes it unless that is only to be looked at.

    Raises UsageError where a build runs in it, where no stage says what is in use, and for a folder that is not
    local, since nobody can say of one whether a build runs; VitaError for what cannot be removed.
    """
    if files.is_url(out):
        raise UsageError(
            f"{out} is not on a local disk, where alone a running build is seen; clean it by hand."
        )
    if not files.matching(out, f"stages/*/{seal.PLAN}"):
        raise UsageError(
            f"{out} holds no stage, so nothing says what is in use; give the folder of a build, or build a stage first."
        )
    with files.locked(out):
        found = unused(out)
        for one in [] if dry_run else found:
            _remove(out, one.path)
    return found


def unused(out: str) -> list[Leftover]:
    """All that a build's folder could do without, by path. Raises DamagedStage for a plan that cannot be read."""
    paths: dict[str, Kind] = dict(_superseded(out))
    for path, kind in [
        *_of_catalogs(out),
        *_of_curation(out),
        *_of_speech(out, set(paths)),
        *_temporary(out),
    ]:
        if not any(path.startswith(f"{folder}/") for folder in paths):
            paths[path] = kind
    return [Leftover(path, paths[path], _bytes(files.join(out, path))) for path in sorted(paths)]


def _superseded(out: str) -> Iterator[tuple[str, Kind]]:
    """Folders that digests name and no plan needs, but for those younger than every plan."""
    folders = {f"{place}/{name}": kind for place, kind in NAMED.items() for name in _named(out, place)}
    known = {_name(path) for path in folders}
    said: dict[str, set[str]] = {name: set() for name in known}
    for path in folders:
        said[_name(path)] |= _references(files.join(out, path)) & known
    plans = _plans(out)
    stages = {plan.split("/")[-2] for plan in plans}
    needs = [files.join(out, name) for name in files.matching(out, PATTERN) if stage_of(name) in stages]
    wanted = set().union(*(_digests(path) for path in (*plans, *needs))) & known
    reached: set[str] = set()
    while wanted - reached:
        name = min(wanted - reached)
        reached.add(name)
        wanted |= said[name]
    newest = max(os.stat(plan).st_mtime_ns for plan in plans)
    for path, kind in folders.items():
        if _name(path) not in reached and _newest(files.join(out, path)) < newest:
            yield path, kind


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _named(out: str, place: str) -> list[str]:
    folder = files.join(out, place)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [
        name
        for name in names
        if _DIGEST.fullmatch(name)
        and os.path.isdir(files.join(folder, name))
        and not os.path.islink(files.join(folder, name))
    ]


def _plans(out: str) -> list[str]:
    """The plans of all stages, finished or not; each must be as it was written, or its needs are unknown."""
    found = []
    for stage in sorted({name.split("/")[1] for name in files.matching(out, "stages/*/*.json")}):
        folder = files.join(out, "stages", stage)
        if seal.trusted(folder, seal.PLAN) is None:
            raise seal.DamagedStage(
                f"{files.join(folder, seal.PLAN)} is not as it was written, so nobody knows what the stage needs; "
                "build the stage again, or remove its folder."
            )
        found.append(files.join(folder, seal.PLAN))
    return found


def _digests(path: str) -> set[str]:
    return set(_DIGEST.findall(files.read_bytes(path).decode("utf-8", "replace")))


def _references(folder: str) -> set[str]:
    """The digests in a folder's files of JSON."""
    names = files.matching(folder, "**/*.json")
    return set().union(*(_digests(files.join(folder, name)) for name in names))


def _of_catalogs(out: str) -> Iterator[tuple[str, Kind]]:
    """What only the reading of a source needed that is read; the tars among its listings hold media."""
    for name in [name for place in CATALOGS for name in files.matching(out, f"{place}/*/source.json")]:
        folder = name.rpartition("/")[0]
        if os.path.isdir(files.join(out, work_folder(folder))):
            yield work_folder(folder), "temporary"
        inner = files.join(folder, listing.FOLDER)
        for member in files.matching(files.join(out, inner), "*"):
            if member.endswith((".arrow", ".json")):
                yield files.join(inner, member), "listing"


def _of_curation(out: str) -> Iterator[tuple[str, Kind]]:
    """What the steps of a killed build left, and the needs of stages that are not there any more."""
    kinds = ("curate/*/work", "curate/*/*/work", "curate/*/*/progress", "benchmarks/curate/*/*/progress")
    names = [name for kind in kinds for name in files.matching(out, f"{kind}/*")]
    for folder in sorted({name.rpartition("/")[0] for name in names}):
        yield folder, "temporary"
    stages = {name.split("/")[1] for name in files.matching(out, "stages/*/*.json")}
    for name in files.matching(out, PATTERN):
        if stage_of(name) not in stages:
            yield name, "temporary"


def _of_speech(out: str, gone: set[str]) -> Iterator[tuple[str, Kind]]:
    """In caches that stay, sounds that no table names; and notes of engines whose caches go."""
    kept = {name for name in _named(out, "speech") if f"speech/{name}" not in gone}
    for name in sorted(kept):
        for tar in orphans(files.join(out, "speech", name)):
            yield f"speech/{name}/{tar}", "temporary"
    for note in files.matching(out, "speech/*.json"):
        if not _digests(files.join(out, note)) & kept:
            yield note, "temporary"


def _temporary(out: str) -> Iterator[tuple[str, Kind]]:
    """What writers left that were killed, and an earlier cleaning."""
    for place in NAMED:
        if os.path.isdir(files.join(out, place, _GOING)):
            yield f"{place}/{_GOING}", "temporary"
    for place in (*CATALOGS, *NAMED):
        for name in files.matching(out, f"{place}/**/*{files.TEMPORARY}*"):
            yield name, "temporary"


def _inside(path: str) -> list[str]:
    """A file itself, or every file below a folder."""
    if not os.path.isdir(path):
        return [path]
    return [os.path.join(place, name) for place, _, names in os.walk(path) for name in names]


def _bytes(path: str) -> int:
    return sum(os.lstat(name).st_size for name in _inside(path))


def _newest(path: str) -> int:
    return max((os.lstat(name).st_mtime_ns for name in _inside(path)), default=0)


def _remove(out: str, path: str) -> None:
    full = files.join(out, path)
    place, name = os.path.split(full)
    try:
        if _DIGEST.fullmatch(name):
            os.makedirs(files.join(place, _GOING), exist_ok=True)
            os.rename(full, files.join(place, _GOING, name))
            full = files.join(place, _GOING)
        if os.path.isdir(full):
            shutil.rmtree(full)
        else:
            files.remove(full)
    except OSError as error:
        raise VitaError(
            f"{full} cannot be removed ({error.strerror or error}); look at its owner and permissions, then run again."
        ) from error
