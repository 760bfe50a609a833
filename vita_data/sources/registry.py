"""Which adapter a card's `adapter:` names, with its options checked."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from vita_data.errors import UsageError
from vita_data.manifest.bind import bind
from vita_data.manifest.source import SourceCard
from vita_data.sources.base import Adapter
from vita_data.sources.hf_parquet import HfParquet, ParquetOptions
from vita_data.sources.llava_json import LlavaJson, LlavaOptions
from vita_data.sources.ocr_json import OcrJson, OcrOptions

# adapter name -> (class, dataclass of its options)
ADAPTERS: dict[str, tuple[Any, Any]] = {
    "llava_json": (LlavaJson, LlavaOptions),
    "hf_parquet": (HfParquet, ParquetOptions),
    "ocr_json": (OcrJson, OcrOptions),
}


def check_options(card: SourceCard) -> None:
    """Raises ManifestError, with file and line, for options that the card's adapter does not have."""
    if card.adapter in ADAPTERS:
        bind(card.options.node, ADAPTERS[card.adapter][1])


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
    except (ImportError, AttributeError) as error:
        raise UsageError(f"adapter {name} cannot be loaded ({error}); name it package.module:Class.") from error
    return own
