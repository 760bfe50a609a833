"""Late rejects: samples whose media were changed or gone when a shard was to be filled.

They are remembered in stage.json, so that the next build draws without them from the start. What one stage
of a build lost is lost to all of them: else they would not agree on who is held out.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.catalog.task import medium_path
from vita_data.errors import SourceError
from vita_data.select.stage import Source
from vita_data.shards.seal import FACTS, trusted

Reject = dict[str, Any]


def known_late(out: str, stage: str, sources: list[Source]) -> list[Reject]:
    """Late rejects of the finished stages of a build, by key; those whose media came back are drawn again.

    Those of a source that was read again since are forgotten: its new catalog knows better. Where two stages
    lost a sample, the words of `stage` stand.
    """
    catalogs = {source.card.source: source.catalog_digest for source in sources}
    found: dict[str, Reject] = {}
    names = [name.rpartition("/")[0] for name in files.matching(out, f"stages/*/{FACTS}")]
    for name in sorted(names, key=lambda name: name != f"stages/{stage}"):
        facts = trusted(files.join(out, name), FACTS)
        if facts is None:
            continue
        known = {line["source"]: line["catalog"] for line in facts["sources"]}
        for reject in facts["late"]:
            if known[reject["source"]] == catalogs.get(reject["source"]):
                found.setdefault(reject["key"], reject)
    return by_key(reject for reject in found.values() if not _is_back(reject))


def copies_of(lost: list[Reject], left: list[dict[str, Any]], sources: list[Source]) -> list[Reject]:
    """Late rejects for those who `left` for lost samples (rows of DUPLICATES) and refer to the very medium lost.

    They would stay in the place of the lost ones, only to be found lost themselves when their shard is filled.
    """
    by_name = {source.card.source: source for source in sources}
    reasons = {reject["key"]: reject for reject in lost}
    parts: dict[tuple[str, int], dict[str, Reject]] = {}
    for row in left:
        place = row["leaves"].rpartition("-")[0], row["part"]
        parts.setdefault(place, {})[row["leaves"]] = reasons[row["stays"]]
    found: list[Reject] = []
    for (name, part), reason_of in sorted(parts.items(), key=lambda item: item[0]):
        source = by_name[name]
        path = files.join(source.catalog, part_name(part))
        table = files.read_table(path, ["key", "media"])
        here = pc.is_in(table.column("key"), pa.array(reason_of, pa.string()))
        for row in table.filter(here).to_pylist():
            reject = reason_of[row["key"]]
            if any(_is_lost(reject, source, medium) for medium in row["media"]):
                names = [medium["native"] for medium in row["media"]]
                found.append({**reject, "key": row["key"], "source": name, "media": names})
    return found


def _is_lost(reject: Reject, source: Source, medium: dict[str, Any]) -> bool:
    path = medium_path(medium["path"], source.root, source.catalog)
    return (path, medium["offset"]) == (reject["path"], reject["offset"])


def by_key(rejects: Any) -> list[Reject]:
    """Rejects in the order of their keys."""
    return sorted(rejects, key=lambda reject: str(reject["key"]))


def keys_of(late: list[Reject]) -> frozenset[str]:
    """The samples that were lost."""
    return frozenset(reject["key"] for reject in late)


def _is_back(reject: Reject) -> bool:
    reader = files.RangeReader()
    try:
        data = reader.read(reject["path"], reject["offset"], reject["length"])
    except (OSError, SourceError):
        return False
    finally:
        reader.close()
    return bool(hashlib.sha256(data).hexdigest() == reject["sha256"])
