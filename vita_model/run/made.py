"""What steps have made and what they read, each as a short digest: equal where a step need not be done again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vita_data import files
from vita_data.errors import ShardError, UsageError
from vita_data.manifest.benchmark import BenchmarkCard
from vita_data.manifest.change import flat
from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.source import SourceCard, source_root
from vita_data.manifest.stage import StageCard
from vita_data.records.key import digest_of
from vita_data.shards import seal
from vita_model.train import saved


def stage_made(folder: Path) -> str | None:
    """A finished stage as its stage.json says; None where none lies there that this version reads."""
    try:
        _, facts = seal.read_stage(str(folder))
    except ShardError:
        return None
    return str(facts["facts_digest"])


def taught(folder: Path, half: str | None) -> str:
    """What a training reads of a finished stage: what it asks for, and the bytes of shards, packs and vocabulary."""
    plan, facts = seal.read_stage(str(folder))
    asked = {name: value for name, value in plan.items() if name not in ("digest", "halves")}
    run = plan["halves"][half] if half else {}
    listed = {
        name: digest
        for name, digest in facts["files"].items()
        if name.startswith(("packs/", "index/")) or name == seal.CHARACTERS
    }
    return digest_of("taught", asked, run, facts["shards"], listed)


def held_out(folder: Path) -> str | None:
    """The held-out part of a finished stage; None where nothing is."""
    _, facts = seal.read_stage(str(folder))
    found = facts["files"].get(seal.EVAL_FACTS)
    return None if found is None else str(found)


def run_made(run: Path) -> str | None:
    """The last whole checkpoint of a run; None where there is none."""
    found = saved.last(run)
    return None if found is None else digest_of("run", saved.facts(found))


def json_made(path: Path) -> str | None:
    """What a file of results says; None where it is not there."""
    return digest_of("file", files.read_json(str(path))) if path.exists() else None


def place_made(place: Path) -> str:
    """Weights from elsewhere: a checkpoint and its time, or the names, sizes and times of a folder's files."""
    if is_released(place):
        return digest_of("released", files.identities(str(place), "**/*"))
    found = saved.find(place)
    return digest_of("checkpoint", saved.facts(found), files.identity(str(found / saved.COMPLETE)))


def is_released(place: Path) -> bool:
    """Whether a folder holds released or exported weights, and no run; UsageError where nothing is there."""
    if not place.is_dir():
        raise UsageError(f"--init {place} is no folder; name a run, a checkpoint or a folder of weights.")
    return (place / "config.json").exists()


def spoken(folder: Path) -> str:
    """The speech of a finished stage, held-out part included; how it is packed and trained has no say in it."""
    _, facts = seal.read_stage(str(folder))
    return digest_of("spoken", facts["shards"], held_out(folder))


def codes_made(folder: Path) -> str | None:
    """The codec tokens that lie beside a stage, of whatever codecs; None where there are none."""
    found = {
        path.parent.name: files.read_json(str(path)) for path in sorted(folder.glob("codec/*/codec.json"))
    }
    return digest_of("codes", found) if found else None


def sources_read(stage: StageCard, cards: Iterable[SourceCard]) -> list[SourceCard]:
    """The sources whose catalogs a stage needs: all that is counted in its unit, and the clips of one that has some."""
    units = {stage.unit, "clips"} if stage.negatives else {stage.unit}
    return [card for card in cards if card.unit in units]


def cards_said(
    stage: StageCard, mixture: MixtureCard, sources: Iterable[SourceCard], against: Iterable[BenchmarkCard]
) -> str:
    """All that the cards say which a stage is built from; `against` are the benchmarks that are looked for."""
    said = [(repr(mixture.line(card.source)), _words(vars(card))) for card in sources]
    kept_out = [_words(vars(card)) for card in against]
    rules = {name: getattr(mixture, name) for name in ("geometry", "holdout", "hours", "speech")}
    more = [mixture.mixture, mixture.shard_megabytes, mixture.curate, stage.unit, *stage.reads]
    return digest_of("cards", more, _words(rules), _words(flat(stage)), said, kept_out)


def files_there(cards: Iterable[SourceCard], mixture: MixtureCard, data_root: str | None) -> str:
    """Name, size and time of every annotation file, by source; media are looked at by the build alone."""
    if mixture.generator is not None:
        return "generated"
    found = {
        card.source: [files.identities(source_root(card, data_root), pattern) for pattern in card.annotations]
        for card in cards
    }
    return digest_of("files", found)


def _words(values: dict[str, Any]) -> dict[str, str]:
    """Values as text; where a card lies is not what it says."""
    return {name: repr(value) for name, value in values.items() if name not in ("path", "origin")}
