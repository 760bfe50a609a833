"""Which folders of curation the last build of a stage went by, written down so that cleaning leaves them alone.

What is left of a source is named by its content, so that other thresholds with the same outcome change no stage;
its own folder does not say, then, of which verdicts and which duplicates it came.
"""

from __future__ import annotations

from collections.abc import Iterable

from vita_data import files
from vita_data.records.canon import canonical_bytes

FOLDER = "curate"
PATTERN = f"{FOLDER}/needs-*.json"


def needs_path(out: str, stage: str) -> str:
    """Where the needs of a stage lie."""
    return files.join(out, FOLDER, f"needs-{stage}.json")


def stage_of(path: str) -> str:
    """The stage whose needs lie at a path."""
    return path.rpartition("/needs-")[2].removesuffix(".json")


def note_needs(out: str, stage: str, folders: Iterable[str]) -> None:
    """Writes down the folders of a stage, below `curate`, unless just these stand there."""
    path = needs_path(out, stage)
    said = sorted(folder.removeprefix(files.join(out, FOLDER, "")) for folder in folders)
    if not files.exists(path) or files.read_bytes(path) != canonical_bytes(said):
        files.write_bytes(path, canonical_bytes(said))
