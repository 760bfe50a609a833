"""Reading the pictures of a few samples of the sources whose cards ask for it, between signals and verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pipelines.catalogs import RunStep
from vita_data import files
from vita_data.manifest.source import SourceCard
from vita_data.media.reading import engine_versions
from vita_data.report.formats import counted
from vita_data.select.stage import Source
from vita_data.verdicts.gone import incomplete
from vita_data.verdicts.judge import judged_name
from vita_data.verdicts.readings import ReadingsTask, readings_digest, readings_name, summed

SUMMED = "ocr.json"


def asks(card: SourceCard) -> bool:
    """Whether the card of a source wants pictures read."""
    return card.rules.ocr != "off" and card.rules.ocr_share > 0


def check_engine(cards: Iterable[SourceCard]) -> None:
    """Raises UsageError where a card asks for the engine and it is not installed: told before anything is read."""
    if any(map(asks, cards)):
        engine_versions()


def read_pictures(out: str, sources: list[Source], kept: dict[str, int], run: RunStep) -> dict[str, str]:
    """Reads what was not read yet of the sources that ask for it; returns the folder of each of these."""
    folders: dict[str, str] = {}
    items: list[Any] = []
    progress: list[str] = []
    samples = 0
    for source in filter(lambda source: asks(source.card), sources):
        name, share = source.card.source, float(source.card.rules.ocr_share)
        folder = files.join(out, "curate", readings_digest(source.catalog_digest, share), name)
        folders[name] = folder
        missing = incomplete(folder, readings_name, source.parts)
        if missing:
            path = ReadingsTask(name, source.root, source.catalog, folder, share).save()
            items += [(path, part) for part in missing]
            progress.append(files.join(folder, "progress"))
            samples += kept[name]
    if items:
        run("readings", "reading the text in pictures", items, samples, progress)
    for folder in progress:
        files.remove_tree(folder)
    return folders


def note_disagreement(
    sources: list[Source], readings: dict[str, str], judged: dict[str, str], say: Callable[[str], None]
) -> None:
    """Says in how many samples of a source that were read picture and answer differ; writes it beside the verdicts."""
    for source in sources:
        name = source.card.source
        if name not in readings:
            continue
        path = files.join(judged[name], SUMMED)
        if not files.exists(path):
            verdicts = {part: files.join(judged[name], judged_name(part)) for part in source.parts}
            files.write_json(path, summed(readings[name], verdicts))
        facts = files.read_json(path)
        say(
            f"source {name}: the pictures of {counted(facts['read'], 'sample')} of {facts['claiming']} that give text "
            f"were read, and those of {facts['disagree']} do not show it"
        )
