"""What makes a folder a stage: plan.json and stage.json name digests of themselves, stage.json one of every file.

stage.json is written last and removed first. It names its plan by that plan's digest, each shard by the
digest of its members, every other file by its sha256, and itself by `facts_digest`: so whatever is edited,
cut or lost is seen, and what a stopped build left never passes for a stage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from vita_data import files
from vita_data.errors import ShardError, VitaError
from vita_data.records.key import digest_of
from vita_data.shards.write import index_name, shard_name

# Raise when stage.json, or a record in the shards that it seals, says other things than before: one of another
# version is no finished stage.
VERSION = 5
PLAN, FACTS = "plan.json", "stage.json"
# Of a stage, and not of its held-out part: what it looks like, whose work it is, and the same for programs.
PAGES = ("report.html", "ATTRIBUTION.md", "croissant.json")
CHARACTERS = "characters.json"  # of a stage that learns transcripts
SEALED = ("index/*.parquet", "packs/*.parquet", "rejects/*.parquet", *PAGES, CHARACTERS)
EVAL = "eval"
EVAL_FACTS = f"{EVAL}/{FACTS}"


class DamagedStage(ShardError):
    """A stage is there and is not what was built."""


def plan_digest(plan: dict[str, Any]) -> str:
    """The digest of a plan's content."""
    return digest_of("plan", {name: value for name, value in plan.items() if name != "digest"})


def facts_digest(facts: dict[str, Any]) -> str:
    """The digest of what a stage.json says."""
    said = {name: value for name, value in facts.items() if name != "facts_digest"}
    return digest_of("stage", VERSION, said)


_DIGESTS = {PLAN: ("digest", plan_digest), FACTS: ("facts_digest", facts_digest)}


def sealed_plan(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan with its digest."""
    return {**plan, "digest": plan_digest(plan)}


def sealed_facts(folder: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Facts with the digests of all files of the folder but the shards, and with their own: what stage.json says."""
    patterns = (*SEALED, f"{EVAL}/{PLAN}", EVAL_FACTS)
    names = [name for pattern in patterns for name in files.matching(folder, pattern)]
    said = {**facts, "files": {name: sha256(files.join(folder, name)) for name in names}}
    return {**said, "facts_digest": facts_digest(said)}


def sha256(path: str) -> str:
    """The sha256 of a file in hex."""
    with files.open_read(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def read_stage(folder: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(plan, facts) of a finished stage.

    Raises ShardError where there is none, and DamagedStage where one of the two is not as it was written or
    they are not of one build.
    """
    facts, plan = _read(folder, FACTS), _read(folder, PLAN)
    if facts["digest"] != plan["digest"]:
        raise DamagedStage(
            f"{folder}: stage.json is not of the plan in plan.json, as when a build was stopped; "
            "build the stage again."
        )
    return plan, facts


def trusted(folder: str, name: str) -> dict[str, Any] | None:
    """plan.json or stage.json of a folder when it is there as it was written, else None."""
    try:
        return _read(folder, name)
    except ShardError:
        return None


def _read(folder: str, name: str) -> dict[str, Any]:
    path = files.join(folder, name)
    if not files.exists(path):
        raise ShardError(f"{folder} has no {name}, so no finished build lies there; {_advice(folder)}.")
    try:
        said = files.read_json(path)
        key, digest = _DIGESTS[name]
        if isinstance(said, dict) and said.get(key) == digest(said):
            return said
    except (VitaError, ValueError) as error:
        raise DamagedStage(f"{path} is damaged and cannot be read as JSON; build the stage again.") from error
    raise DamagedStage(
        f"{path} was changed after it was written, or by another version; build the stage again."
    )


def _advice(folder: str) -> str:
    inside = files.matching(folder, f"stages/*/{FACTS}")
    if inside:
        return (
            f"give the folder of a stage, such as {files.join(folder, inside[0]).removesuffix('/' + FACTS)}"
        )
    return "run `vita-data build` (again)"


def broken_files(folder: str, facts: dict[str, Any]) -> list[str]:
    """Files of a stage, the held-out ones too, that are missing or not what stage.json says, relative to it.

    Of shards only the length is looked at: their bytes are for `prove`.
    """
    digests = facts["files"]
    broken = [name for name in _names(facts) if _other(files.join(folder, name), digests.get(name))]
    for number, shard in enumerate(facts["shards"]):
        path = files.join(folder, "shards", shard_name(number))
        if not files.exists(path) or files.identity(path)["size"] != shard["bytes"]:
            broken.append(f"shards/{shard_name(number)}")
    return broken + _of_held_out(folder, facts, broken_files)


def surplus_files(folder: str, facts: dict[str, Any]) -> list[str]:
    """Files of the kinds a stage has which its stage.json does not name, relative to the folder."""
    patterns = ["shards/*.tar", *SEALED]
    if EVAL_FACTS not in facts["files"]:
        patterns += [f"{EVAL}/*.json", *(f"{EVAL}/{pattern}" for pattern in patterns)]
    named = {*_names(facts), *(f"shards/{shard_name(number)}" for number in range(len(facts["shards"])))}
    found = {name for pattern in patterns for name in files.matching(folder, pattern)}
    return sorted(found - named) + _of_held_out(folder, facts, surplus_files)


def _names(facts: dict[str, Any]) -> list[str]:
    """The files that a stage has by what its stage.json says, but for shards, plan.json and itself."""
    names = [f"index/{index_name(number)}" for number in range(len(facts["shards"]))]
    names += [f"packs/{index_name(window)}" for window in range(facts["packs"]["windows"])]
    if "sources" in facts:
        names += [*(f"rejects/{line['source']}.parquet" for line in facts["sources"]), *PAGES]
    names += [CHARACTERS] if facts.get("characters") else []
    return names + [name for name in (f"{EVAL}/{PLAN}", EVAL_FACTS) if EVAL_FACTS in facts["files"]]


def _other(path: str, digest: str | None) -> bool:
    return not files.exists(path) or sha256(path) != digest


def _of_held_out(
    folder: str, facts: dict[str, Any], look: Callable[[str, dict[str, Any]], list[str]]
) -> list[str]:
    """What a look at the held-out part finds, relative to the stage; nothing where it cannot be trusted."""
    inner = files.join(folder, EVAL)
    said = trusted(inner, FACTS) if EVAL_FACTS in facts["files"] else None
    return [f"{EVAL}/{name}" for name in look(inner, said)] if said is not None else []
