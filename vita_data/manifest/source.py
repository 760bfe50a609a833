"""A source card: where one corpus lies, how it is read, and which row of Table 1 it is."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from vita_data.files import is_url, join
from vita_data.manifest.nodes import Options
from vita_data.manifest.values import Amount, Count, Name, NotNegative, Share, Text, class_path

ADAPTERS = ("llava_json", "hf_parquet", "ocr_json")


def _adapter(value: str) -> str | None:
    if value in ADAPTERS or class_path(value):
        return None
    return f"is no adapter; write one of {', '.join(ADAPTERS)}, or package.module:Class for one of your own"


@dataclass(frozen=True)
class Row:
    """The row of Table 1 that a source fills (scenario, type of answer, the name printed there)."""

    scenario: Literal["General Image", "OCR & Diagram", "General Video", "Pure Text"]
    type: Literal["Description", "QA"]
    name: Text


@dataclass(frozen=True)
class Estimate:
    """Rough figures of a whole corpus, for planning before it is there.

    `questions` is what the other figures belong to; `tiles` counts tiles or frames of one sample at 448
    pixels; `text_tokens` and `bytes` (media as published) are totals.
    """

    questions: Count
    samples: Amount
    tiles: NotNegative
    text_tokens: Amount
    bytes: Amount


@dataclass(frozen=True)
class SourceCard:
    """One corpus in its publisher's format; `manifests/README.md` explains the keys.

    `root` is a folder or URL and `annotations` are names or globs below it; `options` belong to the
    adapter, which checks them and can name their lines; `path` and `origin` say where the card lies.
    """

    source: Name
    title: Text
    row: Row
    language: Literal["en", "zh", "en-zh"]
    licence: Text
    released: bool
    get: Text
    root: Text
    adapter: Annotated[str, _adapter]
    annotations: tuple[Text, ...]
    options: Options
    path: Path
    origin: Literal["package", "file"]
    revision: Text | None = None
    substitute: Text | None = None
    known: tuple[Text, ...] = ()
    tolerance: Share = Fraction(1, 100)
    estimate: Estimate | None = None

    @property
    def kind(self) -> Literal["caption", "qa"]:
        """The share of a stage that this source falls under: every row of type Description is caption."""
        return "caption" if self.row.type == "Description" else "qa"

    @property
    def pure_text(self) -> bool:
        """Whether the source belongs to the row that a stage may switch off."""
        return self.row.scenario == "Pure Text"

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        if not self.annotations:
            return "annotations", "annotations is an empty list; name the file or files that hold the records"
        if not self.released and self.substitute is None:
            return (
                "released",
                "a source that was never released names a substitute; add `substitute:` with text",
            )
        return None


def source_root(card: SourceCard, data_root: str | None) -> str:
    """The folder or URL below which a source's annotations and media lie.

    A URL or an absolute `root` stands as it is. Otherwise it lies below `data_root` when that is given,
    beside the card when the card is the user's own, and below the current folder for a packaged card.
    """
    if is_url(card.root) or Path(card.root).is_absolute():
        return card.root
    if data_root is not None:
        return data_root if card.root == "." else join(data_root, card.root)
    base = card.path.parent if card.origin == "file" else Path()
    return str(base / card.root)
