"""The source sample-film-qa: questions on films and on clips of them, in the layout of VideoChat2-IT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from vita_data.sample import film_words_en, film_words_zh
from vita_data.sample.chance import rng
from vita_data.sample.filmed import Filmed
from vita_data.sample.films import CAPTIONED
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.native import Turn, write_array

NAME = "sample-film-qa"
ANNOTATION = "train.json"
SHARED = 24  # films that sample-films has as well
ENGLISH = 0.6  # share of the records
CLIPPED = 0.4  # share of the films with several scenes of which a clip is asked about as well


def make(root: Path, films: Sequence[Filmed]) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    (root / "videos").mkdir(parents=True)
    plain = [film for film in films if film.plant is None]
    chosen = plain[-(max(0, len(plain) - CAPTIONED) + SHARED) :]
    entries = []
    for film in chosen:
        (root / "videos" / film.file).write_bytes(film.data)
        entries.append(_whole(film))
        if len(film.seen.scenes) > 1 and rng(NAME, "clip", film.file).random() < CLIPPED:
            entries.append(_clip(film))
    rng(NAME, "order").shuffle(entries)
    entries = spread(entries, [*_awkward(chosen), *_rejects(chosen)], rng(NAME, "spread"))
    write_array(root / ANNOTATION, entries)
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def _language(random: Random) -> Any:
    return film_words_en if random.random() < ENGLISH else film_words_zh


def _pairs(turns: Sequence[Turn], instruction: str) -> list[dict[str, str]]:
    return [{"i": instruction, "q": question, "a": answer} for question, answer in turns]


def _whole(film: Filmed) -> Entry:
    """One to five questions on a whole film; a caption is asked for by the instruction alone."""
    random = rng(NAME, film.file)
    words = _language(random)
    turns = words.questions(film.seen, random, random.randint(1, 5))
    pairs = _pairs(turns, random.choice(words.INSTRUCTIONS))
    if random.random() < 0.15:
        pairs = _pairs([("", words.caption(film.seen, random))], random.choice(words.PROMPTS))
    return Entry({"video": film.file, "QA": pairs}, len(pairs))


def _clip(film: Filmed) -> Entry:
    """Questions on a clip from within one scene to within the same or a later one."""
    random = rng(NAME, "clip", film.file)
    words = _language(random)
    first = random.randrange(len(film.seen.scenes))
    last = random.randrange(first, len(film.seen.scenes))
    starts, scenes = film.seen.film.starts, film.seen.scenes
    start = round(starts[first] + 0.2 * scenes[first].seconds, 1)
    end = round(starts[last] + 0.8 * scenes[last].seconds, 1)
    return _asked(film, start, end, start, end, random, words)


def _asked(
    film: Filmed, start: Any, end: Any, shown_from: float, shown_to: float, random: Random, words: Any
) -> Entry:
    """A record with these bounds, whose answers tell what is shown between the others."""
    turns = words.about_clip(film.seen, shown_from, shown_to, random)
    record = {
        "video": film.file,
        "QA": _pairs(turns, random.choice(words.INSTRUCTIONS)),
        "start": start,
        "end": end,
    }
    return Entry(record, len(turns))


def _awkward(films: Sequence[Filmed]) -> list[Entry]:
    """Clips with unusual bounds that a reader must understand."""
    random = rng(NAME, "awkward")
    cut = [film for film in films if len(film.seen.scenes) > 1 and film.seen.film.seconds >= 4][:4]
    whole = cut[2].seen.film.seconds
    bounds = (
        ("clip_backwards", "it ends before it begins, and is turned round", 2.0, 0.5, 0.5, 2.0),
        ("clip_of_no_length", "its end is its beginning, so it lasts one second", 1.0, 1.0, 1.0, 2.0),
        ("clip_over_the_end", "it ends after the film, and is cut there", 0.5, whole + 0.4, 0.5, whole),
        ("clip_in_words", "its bounds are texts", "0.5", "1.5", 0.5, 1.5),
    )
    entries = []
    for film, (kind, note, start, end, shown_from, shown_to) in zip(cut, bounds, strict=True):
        entry = _asked(film, start, end, shown_from, shown_to, random, film_words_en)
        entries.append(replace(entry, plant=Plant(kind, None, f"kept: {note}")))
    return entries


def _rejects(films: Sequence[Filmed]) -> list[Entry]:
    """Clips that are no part of their film, a film that is not there, and an empty answer."""
    film = films[0].file
    after = films[0].seen.film.seconds + 3
    pair = [{"i": "", "q": "What is shown in this part of the video?", "a": "A photograph."}]
    silent = [{"i": "", "q": "What is shown in the video?", "a": ""}]
    bad: tuple[tuple[dict[str, Any], Plant], ...] = (
        (
            {"video": film, "QA": pair, "start": after, "end": after + 2},
            Plant("clip_after_the_end", "clip_outside", "it begins after the film has ended"),
        ),
        (
            {"video": film, "QA": pair, "start": "soon", "end": "later"},
            Plant("clip_without_numbers", "clip_outside", "its bounds are no numbers"),
        ),
        (
            {"video": "lost-film.webm", "QA": pair},
            Plant("missing_film", "media_missing", "no such file"),
        ),
        (
            {"video": film, "QA": silent},
            Plant("empty_answer", "empty_answer", "there is no answer"),
        ),
    )
    return [Entry(record, 0, None, plant) for record, plant in bad]
