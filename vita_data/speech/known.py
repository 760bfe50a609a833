"""What is known of a mixture's engine, whether it is there or not.

An engine that is there says itself what it is, so another version of it has another cache. One that is not
there, and of which only it could say the version, is taken for what it was when it last spoke all that a build
in this folder wanted: that is noted beside its cache. So whatever is in the cache can be used without it.
"""

from __future__ import annotations

from typing import Any

from vita_data import files
from vita_data.manifest.speech import SpeechCard
from vita_data.records.key import digest_of
from vita_data.speech.engines import engine_of
from vita_data.speech.function import end_functions
from vita_data.speech.speak import speech_digest

FOLDER = "speech"


def known_engine(card: SpeechCard, out: str) -> tuple[dict[str, Any], str]:
    """(identity of the engine, digest that names its cache).

    UsageError when it is not there and has never spoken for this folder: then it will be wanted.
    """
    engine = engine_of(card)
    identity = engine.identity()
    note = _note(card, out)
    if identity is None and files.exists(note):
        identity = files.read_json(note)["identity"]
    digest = "" if identity is None else speech_digest(identity, card.most_seconds)
    if identity is None or not files.matching(cache_folder(out, digest), "*.parquet"):
        engine.check()
        end_functions()  # it would hold its memory while the catalogs are read
    if identity is None:  # put there a moment ago
        return known_engine(card, out)
    return identity, digest


def cache_folder(out: str, digest: str) -> str:
    """Where the cache of this digest lies."""
    return files.join(out, FOLDER, digest)


def note_engine(card: SpeechCard, out: str, identity: dict[str, Any], digest: str) -> None:
    """Notes what the engine is, once everything is spoken that a build wanted of it."""
    path, said = _note(card, out), {"engine": card.engine, "identity": identity, "digest": digest}
    if not files.exists(path) or files.read_json(path) != said:
        files.write_json(path, said)


def _note(card: SpeechCard, out: str) -> str:
    return files.join(out, FOLDER, f"{digest_of('engine', card.engine, card.folder)}.json")
