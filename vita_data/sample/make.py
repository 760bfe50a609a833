"""The sample corpus: seventeen sources and four benchmarks in native layouts, with an answer key.

The same bytes at every run.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from vita_data.errors import UsageError
from vita_data.sample import charts, photo_captions, photo_qa, receipts, text, zh_pages, zh_tables
from vita_data.sample.fonts import DEBIAN_PACKAGE, FONT_FOLDERS, find_chinese
from vita_data.sample.ledger import SampleFacts, SourceFacts
from vita_data.sample.licences import licences
from vita_data.sample.mosaics import draw_items
from vita_data.sample.shots import take_shots

VERSION = 4  # raise it when any byte of the corpus changes
KEY = "answer-key.json"
LICENCES = "LICENCES.md"
BENCHMARKS = "benchmarks"  # the folder to give to --against

Say = Callable[[str], None]


def make_sample(
    folder: Path, say: Say, fonts: Sequence[Path] = FONT_FOLDERS, programs: str | None = None
) -> SampleFacts:
    """Write the corpus into `folder`, or leave it when this version of it is there already.

    It is written beside `folder` and renamed when it is complete, the answer key last. `fonts` are the
    folders searched for a Chinese font, `programs` those for the speech engine (None: PATH); without the one
    the Chinese pictures, without the other the spoken sources are left out, and `say` is told.
    Raises UsageError when `folder` holds something else, SourceError when a photograph is missing.
    """
    there = read_sample(folder)
    if there is not None:
        say(f"The sample corpus is in {folder} already: {_summary(there)}.")
        return there
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} is there and is not version {VERSION} of the sample corpus: name another folder."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent.resolve()))
    try:
        facts = _write_sources(building, say, find_chinese(fonts), programs)
        (building / LICENCES).write_text(licences(), encoding="utf-8")
        _write_key(building / KEY, facts)
        building.chmod(0o755)
        os.replace(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    say(f"The sample corpus is in {folder}: {_summary(facts)}.")
    return facts


def read_sample(folder: Path) -> SampleFacts | None:
    """The answer key of a complete corpus of this version, or None."""
    path = folder / KEY
    if not path.is_file():
        return None
    value = json.loads(path.read_text(encoding="utf-8"))
    return SampleFacts.from_json(value) if value.get("version") == VERSION else None


def _write_sources(folder: Path, say: Say, font: Path | None, programs: str | None) -> SampleFacts:
    # What encodes films and speaks is loaded here: a build that has its corpus needs none of it.
    from vita_data.sample import benchmarks, film_qa, films, voices
    from vita_data.sample.filmed import take_films
    from vita_data.sample.readings import record_readings
    from vita_data.sample.spoken import spoken_makers

    if font is None:
        say(
            f"No Chinese font is installed: {zh_pages.NAME} and {zh_tables.NAME} are left out. "
            f"For them: apt-get install {DEBIAN_PACKAGE}, then make the corpus again in a new folder."
        )
    engine = voices.find_engine(programs)
    if engine is None:
        say(
            f"{voices.ENGINE} is not installed: the eight spoken sources are left out. "
            f"For them: apt-get install {voices.DEBIAN_PACKAGE}, then make the corpus again in a new folder."
        )
    shots, taken, items = take_shots(), take_films(), draw_items()
    readings = record_readings(engine) if engine else []
    benchmarks.write(folder / BENCHMARKS, items, readings)
    makers: dict[str, Callable[[Path], SourceFacts]] = {
        photo_captions.NAME: partial(photo_captions.make, shots=shots),
        photo_qa.NAME: partial(photo_qa.make, shots=shots, items=items),
        charts.NAME: charts.make,
        receipts.NAME: receipts.make,
        text.NAME: text.make,
        films.NAME: partial(films.make, films=taken),
        film_qa.NAME: partial(film_qa.make, films=taken),
    }
    if font is not None:
        makers[zh_pages.NAME] = partial(zh_pages.make, font=font)
        makers[zh_tables.NAME] = partial(zh_tables.make, font=font)
    if engine is not None:
        makers |= spoken_makers(engine, readings)
    sources = {}
    for name, maker in makers.items():
        sources[name] = maker(folder / name)
        say(f"{name}: {sources[name].samples} samples, {sources[name].questions} questions")
    speech = voices.version_of(engine) if engine else None
    return SampleFacts(VERSION, font is not None, font.name if font else None, speech, sources)


def _write_key(path: Path, facts: SampleFacts) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(facts.to_json(), file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def _summary(facts: SampleFacts) -> str:
    totals = facts.totals()
    missing = [] if facts.chinese else ["without Chinese pictures"]
    missing += [] if facts.speech else ["without speech"]
    counts = f"{totals['samples']} samples, {totals['questions']} questions"
    return f"{counts} in {len(facts.sources)} sources{''.join(f', {words}' for words in missing)}"
