"""What happened to a sample: rejected and for what measured reason, held out, drawn, or kept and not drawn.

Looks through a build's catalogs and measures; knows a sample by its key or by its native id.
"""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import part_name, rejects_name
from vita_data.errors import UsageError
from vita_data.records.canon import canonical
from vita_data.select.rank import Ranks
from vita_data.shards.write import index_name

WHERE = ("key", "annotation", "position", "native_id")
VERDICT = ("source", "step", "rule", "value", "threshold", "message")


def why(out: str, name: str, stage: str | None = None) -> list[dict[str, Any]]:
    """What became of every sample with this key or native id, in the given stage or in each that was built.

    Returns rows {key, source, kept, step, rule, value, threshold, message, location}. Raises UsageError
    when no catalog of the build knows the name.
    """
    stages = _stages(out)
    if stage is not None:
        if stage not in stages:
            raise UsageError(
                f"stage {stage} is not built in {out}; built are: {', '.join(stages) or 'none'}."
            )
        stages = [stage]
    found: list[dict[str, Any]] = []
    for source in _sources(out):
        catalog = files.join(out, "catalog", source)
        for part in files.read_json(files.join(catalog, "source.json"))["parts"]:
            rejects = files.join(catalog, rejects_name(part))
            found += [_rejected(row) for row in _matching(rejects, name, [*WHERE, *VERDICT])]
            for row in _matching(files.join(catalog, part_name(part)), name, [*WHERE]):
                found += _fates(out, source, row, stages)
    if not found:
        raise UsageError(
            f"no sample of {out} has the key or native id {name}; a key looks like <source>-<16 hex digits>."
        )
    return found


def _sources(out: str) -> list[str]:
    names = files.matching(out, "catalog/*/source.json")
    if not names:
        raise UsageError(f"{out} holds no catalog; give the folder of a build with --out.")
    return [name.split("/")[1] for name in names]


def _stages(out: str) -> list[str]:
    return [name.split("/")[1] for name in files.matching(out, "stages/*/stage.json")]


def _matching(path: str, name: str, columns: list[str]) -> list[dict[str, Any]]:
    table = files.read_table(path, columns)
    ids = pc.is_in(table.column("native_id"), value_set=_texts([name, canonical(name)]))
    rows: list[dict[str, Any]] = table.filter(pc.or_(pc.equal(table.column("key"), name), ids)).to_pylist()
    return rows


def _texts(values: list[str]) -> Any:
    import pyarrow as pa

    return pa.array(values, pa.string())


def _rejected(row: dict[str, Any]) -> dict[str, Any]:
    facts = {name: row[name] for name in ("key", "source", "step", "rule", "value", "threshold", "message")}
    return {**facts, "kept": False, "location": _location(row)}


def _location(row: dict[str, Any]) -> str:
    return f"{row['annotation']}, record {row['position']}, id {row['native_id']}"


def _fates(out: str, source: str, row: dict[str, Any], stages: list[str]) -> list[dict[str, Any]]:
    base = {"key": row["key"], "source": source, "location": _location(row)}
    base |= {"rule": None, "value": None, "threshold": None}
    if not stages:
        return [
            {
                **base,
                "kept": True,
                "step": "catalog",
                "message": "kept by the catalog; no stage is built yet.",
            }
        ]
    return [{**base, **_fate(out, source, row["key"], stage)} for stage in stages]


def _fate(out: str, source: str, key: str, stage: str) -> dict[str, Any]:
    """What one stage did with a sample that the catalog kept."""
    folder = files.join(out, "stages", stage)
    lost = [row for row in _stage_rejects(folder, source) if row["key"] == key]
    if lost:
        facts = {name: lost[0][name] for name in ("step", "rule", "value", "threshold", "message")}
        return {"kept": False, "stage": stage, **facts}
    for inner, words in (("", "drawn: it is"), ("eval/", "held out from training: it is")):
        place = _place(folder, inner, key)
        if place is not None:
            step = "held-out" if inner else "drawn"
            return {
                "kept": True,
                "stage": stage,
                "step": step,
                "message": f"{words} row {place[1]} of {inner}shards/{place[0]:05d}.tar.",
            }
    return {"kept": True, "stage": stage, **_not_drawn(folder, source, key)}


def _stage_rejects(folder: str, source: str) -> list[dict[str, Any]]:
    path = files.join(folder, "rejects", f"{source}.parquet")
    rows: list[dict[str, Any]] = files.read_table(path).to_pylist() if files.exists(path) else []
    return rows


def _place(folder: str, inner: str, key: str) -> tuple[int, int] | None:
    base = files.join(folder, inner) if inner else folder
    path = files.join(base, "stage.json")
    for shard in range(len(files.read_json(path)["shards"])) if files.exists(path) else ():
        column = files.read_table(files.join(base, "index", index_name(shard)), ["key"]).column("key")
        row = pc.index(column, key).as_py()
        if row >= 0:
            return shard, row
    return None


def _not_drawn(folder: str, source: str, key: str) -> dict[str, Any]:
    """Rank and limit of a sample that was kept: how far it stands behind the last one that was drawn."""
    plan = files.read_json(files.join(folder, "plan.json"))
    line = next((entry for entry in plan["sources"] if entry["source"] == source), None)
    if line is None or not line["asked"]:
        return {"step": "select", "message": "kept, not drawn: this stage takes nothing of its source."}
    out = folder.rsplit("/stages/", 1)[0]
    ranks = Ranks(
        files.join(out, "curate", plan["measures"][source], source),
        line["unit"],
        plan["hold_out"],
        _late(folder),
    )
    rank = ranks.of(key)
    if rank is None:
        return {
            "step": "select",
            "message": "kept, not drawn: this stage was built before its source was read again.",
        }
    if not rank:
        words = (
            "kept, not drawn: some of its media are held out from training, and the rest stays away with them; "
            "or it has sound, which this stage does not read."
        )
        return {"step": "held-out", "message": words}
    limit = line["planned_samples"]
    return {
        "step": "select",
        "value": str(rank),
        "threshold": str(limit),
        "message": f"kept, not drawn: it is number {rank:,} of its source in the order of the seed, "
        f"and the first {limit:,} met the quota.",
    }


def _late(folder: str) -> frozenset[str]:
    return frozenset(reject["key"] for reject in files.read_json(files.join(folder, "stage.json"))["late"])
