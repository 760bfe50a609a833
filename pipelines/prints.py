"""Hearing the sounds of sources and benchmarks, so that recordings of these are found in those."""

from __future__ import annotations

from typing import Any

from pipelines.catalogs import RunStep
from vita_data import files
from vita_data.select.stage import Source
from vita_data.verdicts.gone import incomplete
from vita_data.verdicts.prints import PrintsTask, prints_digest, prints_name


def hear_sounds(out: str, sources: list[Source], run: RunStep) -> dict[str, str]:
    """Makes the fingerprints that are not there yet of the sources with sounds; returns the folder of each of these."""
    folders: dict[str, str] = {}
    items: list[Any] = []
    progress: list[str] = []
    samples = 0
    for source in sources:
        summary, name = files.read_json(files.join(source.catalog, "source.json")), source.card.source
        if not summary["sound_samples"]:
            continue
        folder = folders[name] = files.join(out, "curate", prints_digest(source.catalog_digest), name)
        missing = incomplete(folder, prints_name, source.parts)
        if missing:
            path = PrintsTask(name, source.root, source.catalog, folder).save()
            items += [(path, part) for part in missing]
            progress.append(files.join(folder, "progress"))
            samples += summary["kept"]
    if items:
        run("prints", "hearing what recordings are found by", items, samples, progress)
    for folder in progress:
        files.remove_tree(folder)
    return folders
