"""A source card: where one corpus lies, how it is read, and which row of Table 1 it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from vita_data.files import is_url, join, plain_path
from vita_data.manifest.nodes import Options
from vita_data.manifest.rules import Rules
from vita_data.manifest.values import (
    Amount,
    Count,
    Hours,
    Name,
    NotNegative,
    Positive,
    Share,
    Text,
    class_path,
)
from vita_data.records.places import MediaPlaces

ADAPTERS = (
    "llava_json",
    "hf_parquet",
    "qa_rows",
    "ocr_json",
    "donut",
    "segmented_json",
    "kaldi",
    "transcript_tree",
    "manifest",
    "tar_members",
    "vlmeval_tsv",
)
Kind = Literal["caption", "qa", "asr", "tts", "negative"]
Commercial = Literal["allowed", "forbidden", "unclear"]
_KINDS: dict[str, Kind] = {
    "Description": "caption",
    "QA": "qa",
    "ASR": "asr",
    "TTS": "tts",
    "Negative": "negative",
}


def adapter_complaint(value: str) -> str | None:
    """What is wrong with the name of an adapter."""
    if value in ADAPTERS or class_path(value):
        return None
    return f"is no adapter; write one of {', '.join(ADAPTERS)}, or package.module:Class for one of your own"


@dataclass(frozen=True)
class Row:
    """The row of Table 1 that a source fills (scenario, type of answer, the name printed there), or its speech."""

    scenario: Literal["General Image", "OCR & Diagram", "General Video", "Pure Text", "Speech"]
    type: Literal["Description", "QA", "ASR", "TTS", "Negative"]
    name: Text

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        if (self.scenario == "Speech") != (self.type in ("ASR", "TTS", "Negative")):
            wanted = "ASR, TTS or Negative" if self.scenario == "Speech" else "Description or QA"
            return "type", f"type {self.type} is no type of {self.scenario}; write {wanted}"
        return None


@dataclass(frozen=True)
class Estimate:
    """Rough figures of a whole corpus, for planning before it is there.

    `questions` (or `hours` of speech) is what the other figures belong to; `tiles` counts tiles or frames of
    one sample at 448 pixels; `text_tokens` and `bytes` (media as published) are totals.
    """

    samples: Amount
    text_tokens: Amount
    bytes: Amount
    questions: Count | None = None
    hours: Hours | None = None
    tiles: NotNegative = 0

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        if (self.questions is None) == (self.hours is None):
            return "samples", "an estimate belongs to `questions` or to `hours`; write one of the two"
        return None

    @property
    def amount(self) -> Fraction:
        """What the other figures belong to, in the source's unit."""
        return Fraction(self.questions or 0) + (self.hours or 0)


@dataclass(frozen=True)
class Seconds:
    """How long a sound of a sample may be; shorter and longer ones are rejects."""

    least: Positive = 0.1
    most: Positive = 60.0

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        if self.least > self.most:
            return "least", f"least {self.least} is above most {self.most}; write less"
        return None


@dataclass(frozen=True)
class SourceCard:
    """One corpus in its publisher's format; `manifests/README.md` explains the keys.

    `root` is a folder or URL and `annotations` are names or globs below it; `options` belong to the
    adapter, which checks them and can name their lines; `path` and `origin` say where the card lies.
    `commercial` is whether `licence`, and that of the media where it is another one, lets it be used so.
    """

    source: Name
    title: Text
    row: Row
    language: Literal["en", "zh", "en-zh"]
    licence: Text
    released: bool
    get: Text
    root: Text
    adapter: Annotated[str, adapter_complaint]
    annotations: tuple[Text, ...]
    options: Options
    path: Path
    origin: Literal["package", "file"]
    commercial: Commercial = "unclear"
    media_licence: Text | None = None
    url: Text | None = None
    cite: Text | None = None
    revision: Text | None = None
    substitute: Text | None = None
    known: tuple[Text, ...] = ()
    tolerance: Share = Fraction(1, 100)
    estimate: Estimate | None = None
    media: MediaPlaces = field(default_factory=MediaPlaces)
    seconds: Seconds = field(default_factory=Seconds)
    case: Literal["as_written", "upper"] = "as_written"
    rules: Rules = field(default_factory=Rules)

    @property
    def kind(self) -> Kind:
        """The share of a stage that this source falls under: every row of type Description is caption."""
        return _KINDS[self.row.type]

    @property
    def unit(self) -> Literal["questions", "hours", "clips"]:
        """What is counted of the source: hours of transcribed speech, clips of negatives, questions of all else."""
        if self.kind == "negative":
            return "clips"
        return "hours" if self.kind in ("asr", "tts") else "questions"

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
    root = plain_path(card.root)
    if is_url(root) or Path(root).is_absolute():
        return root
    if data_root is not None:
        return plain_path(data_root) if root == "." else join(plain_path(data_root), root)
    base = card.path.parent if card.origin == "file" else Path()
    return str(base / card.root)
