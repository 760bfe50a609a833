"""Who leaves for whom: pairs that met, resolved in the order of the mixture, never through a chain.

In: what the buckets of a meeting gave. Out: `duplicates.parquet`, each sample that leaves with the one that
stays, and `duplicates.json`, the counts, written last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.curate import near
from vita_data.records.canon import canonical
from vita_data.records.key import digest_of
from vita_data.records.schema import DUPLICATES, DUPLICATES_VERSION
from vita_data.verdicts.compare import KINDS, Pairs
from vita_data.verdicts.meeting import MeetSource, MeetTask

# Raise when other samples would leave.
VERSION = 1
TABLE, COUNTS = "duplicates.parquet", "duplicates.json"


def duplicates_digest(sources: list[tuple[MeetSource, str]]) -> str:
    """Names what leaves: the sources in their order with the digests of their verdicts, and the thresholds."""
    facts = [(s.source, verdicts, s.near_text, s.radius, s.near_turns) for s, verdicts in sources]
    return digest_of("duplicates", VERSION, near.VERSION, facts)


def is_resolved(folder: str) -> bool:
    """Whether a folder holds the whole result."""
    return files.exists(files.join(folder, COUNTS))


def resolve(task: MeetTask) -> None:
    """Writes who leaves, from all that met, and removes the intermediate files."""
    work = task.work
    tables = [_read(files.join(work, name)) for name in files.matching(work, "met-*.arrow")]
    pairs = pa.concat_tables([Pairs.SCHEMA.empty_table(), *tables])
    schema = DUPLICATES.with_metadata({"vita": canonical({"version": DUPLICATES_VERSION})})
    columns = _leaving({name: pairs.column(name).to_numpy() for name in ("kind", "similarity", *ENDS)}, pairs)
    names = [source.source for source in task.sources]
    table = pa.table(
        [
            _keys(names, columns["later_place"], columns["later"]),
            _keys(names, columns["first_place"], columns["first"]),
            pa.array([KINDS[kind] for kind in columns["kind"]], pa.string()),
            pa.array(columns["similarity"]),
            columns["distance"],
        ],
        schema=schema,
    )
    files.write_table(files.join(task.folder, TABLE), table)
    shared = [files.read_json(files.join(work, name)) for name in files.matching(work, "shared-*.json")]
    counts = {
        name: {
            **{f"same_{what}": sum(one[what][place] for one in shared) for what in ("media", "questions")},
            **{
                kind: int(((columns["later_place"] == place) & (columns["kind"] == number)).sum())
                for number, kind in enumerate(KINDS)
            },
        }
        for place, name in enumerate(names)
    }
    files.write_json(files.join(task.folder, COUNTS), counts)
    files.remove_tree(work)


ENDS = ("first_place", "first", "later_place", "later")


def _read(path: str) -> pa.Table:
    with files.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        return reader.read_all()


def _leaving(columns: dict[str, Any], pairs: pa.Table) -> dict[str, Any]:
    """The pairs by which samples leave: exact ones first, then near ones among those that are still there."""
    ends = [(columns[f"{end}_place"].astype(np.int64), columns[end]) for end in ("first", "later")]
    order = np.array(
        list(zip(*(np.concatenate(some) for some in zip(*ends, strict=True)), strict=True)),
        dtype=[("place", np.int64), ("name", np.uint64)],
    )
    known, numbers = np.unique(order, return_inverse=True)  # sorted by who stays
    first, later = numbers[: len(pairs)], numbers[len(pairs) :]
    chosen = near.leaving(first, later, columns["kind"] == KINDS.index("exact"), len(known))
    taken = pairs.take(pa.array(_to_one_that_stays(first, later, chosen, len(known))))
    ends_of = {name: taken.column(name).to_numpy() for name in ("kind", "similarity", *ENDS)}
    leaves = pairs.take(pa.array(chosen))  # a copy's reason may be its original's; it is the copy that leaves
    ends_of |= {name: leaves.column(name).to_numpy() for name in ("later_place", "later")}
    return {**ends_of, "distance": taken.column("distance").combine_chunks()}


def _to_one_that_stays(first: Any, later: Any, chosen: Any, count: int) -> Any:
    """The pairs by which samples leave; where an exact copy names an original that leaves itself, the original's."""
    pair_of = np.full(count, -1, np.int64)
    pair_of[later[chosen]] = chosen
    onward = pair_of[first[chosen]]
    return np.where(onward >= 0, onward, chosen)


def _keys(names: list[str], places: Any, hashes: Any) -> pa.Array:
    return pa.array(
        [f"{names[place]}-{name:016x}" for place, name in zip(places, hashes.tolist(), strict=True)],
        pa.string(),
    )


def leavers(folder: str, source: str) -> pa.Table:
    """The rows of `duplicates.parquet` by which samples of a source leave."""
    table = files.read_table(files.join(folder, TABLE))
    own = pc.and_(
        pc.starts_with(table.column("leaves"), f"{source}-"),
        pc.equal(pc.binary_length(table.column("leaves")), len(source.encode()) + 17),
    )
    return table.filter(own)
