"""The sources whose records are heard; all of them need the speech engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from vita_data.sample import (
    curated_speech,
    speech_aishell,
    speech_commonvoice,
    speech_librispeech,
    speech_wenet_shards,
    speech_wenetspeech,
    tts_aishell3,
    tts_ljspeech,
    unmeant,
)
from vita_data.sample.ledger import SourceFacts
from vita_data.sample.utterances import Utterance


def spoken_makers(engine: Path, readings: list[Utterance]) -> dict[str, Callable[[Path], SourceFacts]]:
    """The name of each source, and what writes it into a folder with an engine; `readings` leak into some."""
    curated = curated_speech.planted(engine, readings)
    return {
        speech_librispeech.NAME: partial(speech_librispeech.make, engine=engine, curated=curated.tree),
        speech_aishell.NAME: partial(speech_aishell.make, engine=engine, curated=curated.tunes),
        speech_wenetspeech.NAME: partial(speech_wenetspeech.make, engine=engine),
        speech_commonvoice.NAME: partial(speech_commonvoice.make, engine=engine, curated=curated.clips),
        speech_wenet_shards.NAME: partial(speech_wenet_shards.make, engine=engine, curated=curated.shards),
        tts_ljspeech.NAME: partial(tts_ljspeech.make, engine=engine),
        tts_aishell3.NAME: partial(tts_aishell3.make, engine=engine),
        unmeant.NAME: partial(unmeant.make, engine=engine),
    }
