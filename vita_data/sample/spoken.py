"""The sources whose records are heard; all of them need the speech engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vita_data.sample import (
    speech_aishell,
    speech_commonvoice,
    speech_librispeech,
    speech_wenet_shards,
    speech_wenetspeech,
    tts_aishell3,
    tts_ljspeech,
    unmeant,
)
from vita_data.sample.sound_ledger import SoundFacts

# source -> what writes it into a folder with an engine
SPOKEN: dict[str, Callable[[Path, Path], SoundFacts]] = {
    module.NAME: module.make  # type: ignore[attr-defined]
    for module in (
        speech_librispeech,
        speech_aishell,
        speech_wenetspeech,
        speech_commonvoice,
        speech_wenet_shards,
        tts_ljspeech,
        tts_aishell3,
        unmeant,
    )
}
