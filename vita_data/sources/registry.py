"""Which adapter a card's `adapter:` names, with its options checked."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from vita_data.errors import SourceError, UsageError, VitaError
from vita_data.manifest.bind import bind
from vita_data.manifest.source import SourceCard
from vita_data.sources.base import Adapter
from vita_data.sources.donut import Donut, DonutOptions
from vita_data.sources.hf_parquet import HfParquet, ParquetOptions
from vita_data.sources.kaldi import Kaldi, KaldiOptions
from vita_data.sources.llava_json import LlavaJson, LlavaOptions
from vita_data.sources.manifest import Manifest, ManifestOptions
from vita_data.sources.ocr_json import OcrJson, OcrOptions
from vita_data.sources.qa_rows import QaRows, QaRowsOptions
from vita_data.sources.segmented_json import SegmentedJson, SegmentedOptions
from vita_data.sources.tar_members import TarMembers, TarOptions
from vita_data.sources.transcript_tree import TranscriptTree, TreeOptions
from vita_data.sources.vlmeval_tsv import VlmevalOptions, VlmevalTsv

# adapter name -> (class, dataclass of its options)
ADAPTERS: dict[str, tuple[Any, Any]] = {
    "llava_json": (LlavaJson, LlavaOptions),
    "hf_parquet": (HfParquet, ParquetOptions),
    "qa_rows": (QaRows, QaRowsOptions),
    "ocr_json": (OcrJson, OcrOptions),
    "donut": (Donut, DonutOptions),
    "segmented_json": (SegmentedJson, SegmentedOptions),
    "kaldi": (Kaldi, KaldiOptions),
    "transcript_tree": (TranscriptTree, TreeOptions),
    "manifest": (Manifest, ManifestOptions),
    "tar_members": (TarMembers, TarOptions),
    "vlmeval_tsv": (VlmevalTsv, VlmevalOptions),
}


def checked_options(card: SourceCard) -> dict[str, Any]:
    """The options that a card names, as its adapter understands them (`no` is False, 2014 a folder's name).

    Raises ManifestError, with file and line, for options that the adapter does not have. The options of an
    adapter of one's own are passed on as they are.
    """
    if card.adapter not in ADAPTERS:
        return dict(card.options)
    bound = bind(card.options.node, ADAPTERS[card.adapter][1])
    return {name: getattr(bound, name) for name in card.options}


@contextlib.contextmanager
def blaming(name: str, annotation: str) -> Iterator[None]:
    """Around an adapter's own code: what it raises beyond our errors names it and the file that it was reading."""
    try:
        yield
    except (VitaError, OSError):
        raise
    except Exception as error:
        raise SourceError(
            f"adapter {name} failed on {annotation} ({type(error).__name__}: {error}); mend the file or the adapter."
        ) from error


def make_adapter(name: str, options: dict[str, Any]) -> Adapter:
    """The adapter of that name; `package.module:Class` is imported and called with the options as they are."""
    if name in ADAPTERS:
        adapter, options_type = ADAPTERS[name]
        made: Adapter = adapter(options_type(**options))
        return made
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:  # an adapter of one's own usually lies in the folder one works in
        sys.path.append(os.getcwd())
    try:
        own: Adapter = getattr(importlib.import_module(module), attribute)(options)
    except Exception as error:  # its module is the user's own code, which may raise anything
        raise UsageError(
            f"adapter {name} cannot be loaded ({type(error).__name__}: {error}); "
            "name it package.module:Class, importable from here, and a class that takes its options as a dict."
        ) from error
    return own
