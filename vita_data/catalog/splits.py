"""Annotation files into slices, a batch of files at a time; what was found lies in one file for each batch."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from vita_data import files
from vita_data.catalog.batches import batch_range, batch_starts
from vita_data.records.key import digest_of
from vita_data.sources.base import Slice, Split
from vita_data.sources.registry import blaming, make_adapter


def split_items(
    adapter: str, options: dict[str, Any], root: str, annotations: dict[str, files.Identity], work: str
) -> list[tuple[str]]:
    """Writes down which annotation files are split together; returns a work item for each batch, which names it."""
    names = list(annotations)
    starts = batch_starts((1, identity["size"]) for identity in annotations.values())
    items: list[tuple[str]] = []
    for number in range(len(starts)):
        batch = [names[n] for n in batch_range(starts, number, len(names))]
        path = files.join(work, f"annotations-{number:05d}.json")
        said = {"adapter": adapter, "options": options, "root": root, "work": work, "annotations": batch}
        files.write_json(path, said)
        items.append((path,))
    return items


def split_batch(path: str) -> str:
    """Splits the annotation files of a batch, unless that was done; returns the path of what was found."""
    said = files.read_json(path)
    adapter, root, work = said["adapter"], said["root"], said["work"]
    done = files.join(work, f"split-{digest_of(said['annotations'], root, work)}.json")
    if not files.exists(done):
        found = []
        for annotation in said["annotations"]:
            reader = make_adapter(adapter, said["options"])  # a new one: nothing passes from file to file
            with blaming(adapter, annotation):
                split = reader.split(root, annotation, work)
            found.append({"annotation": annotation, **asdict(split)})
        files.write_json(done, found)
    return done


def load_splits(path: str) -> list[tuple[str, Split]]:
    """Annotations and their splits, from the path that `split_batch` returned."""
    return [(facts["annotation"], _split(facts)) for facts in files.read_json(path)]


def _split(facts: dict[str, Any]) -> Split:
    slices = [Slice(**part) for part in facts["slices"]]
    return Split(slices, facts["sha256"], facts["text_bytes"], facts["records"])
