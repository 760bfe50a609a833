"""Late rejects: samples whose media were changed or gone when a shard was to be filled.

They are remembered in stage.json, so that the next build draws without them from the start. What one stage
of a build lost is lost to all of them: else they would not agree on who is held out.
"""

from __future__ import annotations

import hashlib
from typing import Any

from vita_data import files
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
