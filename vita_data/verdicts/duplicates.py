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
from vita_data.curate import near, near_pictures
from vita_data.records.canon import canonical
from vita_data.records.key import digest_of
from vita_data.records.schema import DUPLICATES, DUPLICATES_VERSION
from vita_data.verdicts.compare import KINDS, Pairs, classes_of
from vita_data.verdicts.meeting import MeetSource, MeetTask

# Raise when other samples would leave.
VERSION = 2
TABLE, COUNTS = "duplicates.parquet", "duplicates.json"


def duplicates_digest(sources: list[tuple[MeetSource, list[str]]], late: list[str]) -> str:
    """Names what leaves: the sources in order with the digests of what meets and what their cards say of being near.

    `late` are the keys of samples that are not there any more.
    """
    facts = [(source.source, digests, source.nearness) for source, digests in sources]
    return digest_of("duplicates", VERSION, near.VERSION, near_pictures.VERSION, facts, late)


def is_resolved(folder: str) -> bool:
    """Whether a folder holds the whole result."""
    return files.exists(files.join(folder, COUNTS))


def resolve(task: MeetTask) -> None:
    """Writes who leaves, from all that met, and removes the intermediate files."""
    work = task.work
    tables = [_read(files.join(work, name)) for name in files.matching(work, "met-*.arrow")]
    pairs = pa.concat_tables([Pairs.SCHEMA.empty_table(), *tables])
    schema = DUPLICATES.with_metadata({"vita": canonical({"version": DUPLICATES_VERSION})})
    columns = _leaving(pairs, classes_of(task.sources))
    names = [source.source for source in task.sources]
    table = pa.table(
        [
            _keys(names, columns["later_place"], columns["later"]),
            pa.array(columns["later_part"]),
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


def _read(path: str) -> pa.Table:
    with files.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        return reader.read_all()


def _leaving(pairs: pa.Table, classes: Any) -> dict[str, Any]:
    """The pairs by which samples leave, column by column.

    Copies in sources whose cards say the same of being near leave with their originals. All others, in their order,
    leave for one that stays.
    """
    place = [pairs.column(f"{end}_place").to_numpy() for end in ("first", "later")]
    first, later, count = _numbered(place, [pairs.column(end).to_numpy() for end in ("first", "later")])
    kind = pairs.column("kind").to_numpy()
    order = np.lexsort(
        (kind, first, later)
    )  # of two reasons to leave for the same sample being exact comes first
    pairs, kind, first, later = pairs.take(pa.array(order)), kind[order], first[order], later[order]
    alike = (classes[place[0]] == classes[place[1]])[order]
    chosen = near.leaving(first, later, (kind == KINDS.index("exact")) & alike, count)
    taken = pairs.take(pa.array(_to_one_that_stays(first, later, chosen, count)))
    columns = {name: taken.column(name).to_numpy() for name in ("kind", "similarity", "first_place", "first")}
    leaves = pairs.take(pa.array(chosen))  # a copy's reason may be its original's; it is the copy that leaves
    columns |= {name: leaves.column(name).to_numpy() for name in ("later_place", "later", "later_part")}
    return {**columns, "distance": taken.column("distance").combine_chunks()}


def _numbered(places: list[Any], names: list[Any]) -> tuple[Any, Any, int]:
    """Numbers of the samples at both ends of pairs, in the order of who stays, and how many samples there are."""
    place, name = np.concatenate(places), np.concatenate(names)
    order = np.lexsort((name, place))
    new = np.ones(len(order), bool)
    new[1:] = (place[order][1:] != place[order][:-1]) | (name[order][1:] != name[order][:-1])
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.cumsum(new) - 1
    first, later = np.split(numbers, 2)
    return first, later, int(new.sum())


def _to_one_that_stays(first: Any, later: Any, chosen: Any, count: int) -> Any:
    """The pairs by which samples leave; where a copy names an original that leaves itself, the original's."""
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


def left_for(folder: str, keys: frozenset[str]) -> list[dict[str, Any]]:
    """The rows of `duplicates.parquet` by which samples left for these."""
    table = files.read_table(files.join(folder, TABLE))
    rows: list[dict[str, Any]] = table.filter(
        pc.is_in(table.column("stays"), pa.array(sorted(keys), pa.string()))
    ).to_pylist()
    return rows
