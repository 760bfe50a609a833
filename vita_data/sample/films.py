"""The source sample-films: films with captions in the layout of LLaVA-Video and ShareGemini."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from vita_data.sample import damage, film_words_en, film_words_zh
from vita_data.sample.chance import rng
from vita_data.sample.film_files import encode, sound_only
from vita_data.sample.film_scenes import Film, Scene, draw, load_photographs
from vita_data.sample.filmed import Filmed
from vita_data.sample.ledger import Entry, Fate, Plant, SourceFacts, spread
from vita_data.sample.native import Turn, conversations, write_array
from vita_data.sample.photographs import PHOTOGRAPHS

NAME = "sample-films"
ANNOTATION = "captions.json"
CAPTIONED = 50  # of the plain films; all the unusual ones are captioned as well
ENGLISH = 0.6  # share of the captions
MARK = "<video>"
HOLE = 10  # seconds without a frame
FROZEN = Fate(
    "still_film", "frozen_film", "one photograph over which no camera moves; the card has the rule on"
)


def make(root: Path, films: Sequence[Filmed]) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    (root / "videos").mkdir(parents=True)
    plain = [film for film in films if film.plant is None][:CAPTIONED]
    entries = []
    for film in [*plain, *(film for film in films if film.plant is not None)]:
        (root / "videos" / film.file).write_bytes(film.data)
        entries.append(_entry(film))
    rng(NAME, "order").shuffle(entries)
    entries = _awkward(entries)
    entries = spread(entries, _rejects(root / "videos", plain), rng(NAME, "spread"))
    entries += _curated(root / "videos")
    write_array(root / ANNOTATION, entries)
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def _entry(film: Filmed) -> Entry:
    name = Path(film.file).stem
    random = rng(NAME, name)
    words: Any = film_words_en if random.random() < ENGLISH else film_words_zh
    plant = film.plant
    timed = plant is None or "seconds" in (plant.expected or {})
    if film.seen.film.tune and random.random() < 0.5:
        joint = " " if words is film_words_en else ""
        turn = (words.SOUND_PROMPT, f"{words.caption(film.seen, random)}{joint}{words.heard(film.seen)}")
        turns = [(f"{MARK}\n<audio>\n{turn[0]}", turn[1])]
        plant = Plant("sound_track_meant", None, "kept: <audio> stands for the sound track of the film")
    else:
        turns = [(f"{MARK}\n{random.choice(words.PROMPTS)}", words.caption(film.seen, random, timed))]
    entry = _record(name, f"videos/{film.file}", turns, plant)
    return replace(entry, fate=FROZEN) if _stands_still(film) else entry


def _stands_still(film: Filmed) -> bool:
    """Whether its frames, at least the four that a reader takes, all show the same."""
    (first, *others), frames = film.seen.film.scenes, sum(film.seen.film.counts)
    return not others and first.move == "still" and frames >= 4


def _record(name: str, video: str, turns: Sequence[Turn], plant: Plant | None) -> Entry:
    record = {"id": name, "conversations": conversations(turns), "data_source": "sample", "video": video}
    return Entry(record, len(turns), name, plant)


def _awkward(entries: list[Entry]) -> list[Entry]:
    """Some records whose form, not whose film, is unusual."""
    plain = [number for number, entry in enumerate(entries) if entry.plant is None]
    number, nameless, trailing, unmarked = rng(NAME, "awkward").sample(plain, 4)

    def change(at: int, kind: str, note: str, **fields: Any) -> None:
        record = {
            name: value for name, value in {**entries[at].record, **fields}.items() if value is not None
        }
        plant = Plant(kind, None, f"kept: {note}")
        entries[at] = replace(entries[at], record=record, native_id=record.get("id"), plant=plant)

    def asked(at: int, form: str) -> list[dict[str, str]]:
        question, answer = entries[at].record["conversations"]
        words = question["value"].removeprefix(f"{MARK}\n")
        return [question | {"value": form.format(words)}, answer]

    change(number, "numeric_id", "the id is a number", id=7)
    change(nameless, "missing_id", "the position stands for the id", id=None)
    trail = asked(trailing, "{}\n" + MARK)
    change(trailing, "trailing_placeholder", "the placeholder ends the question", conversations=trail)
    note = "one film and no placeholder, so one is put before the first question"
    change(unmarked, "no_placeholder_one_film", note, conversations=asked(unmarked, "{}"))
    return entries


def _curated(videos: Path) -> list[Entry]:
    """A recording in which nothing new comes for as long as the card forbids."""
    early, late = PHOTOGRAPHS[:2]
    film = Film(
        "broken-off", (Scene(early, "right", 1.2), Scene(late, "right", 1.2)), (128, 96), 10, "h264-mkv"
    )
    count, gone = film.counts[0], round(HOLE * film.rate)
    frames = draw(film, load_photographs())
    times = [Fraction(n if n < count else n + gone, film.rate) for n in range(len(frames))]
    (videos / "broken-off.mkv").write_bytes(encode(film, frames, times))
    told = f"First {early.subject}, and after a long while in which nothing moves {late.subject}."
    turns = [(f"{MARK}\nWhat is shown before and after the interruption?", told)]
    fate = Fate("broken_off", "film_hole", f"for {HOLE} seconds it has no frame")
    return [replace(_record("broken-off", "videos/broken-off.mkv", turns, None), fate=fate)]


def _rejects(videos: Path, films: Sequence[Filmed]) -> list[Entry]:
    """Six films that cannot be used."""
    whole = next(film for film in films if film.file.endswith(".mp4"))
    early = next(film for film in films if film.file.endswith(".mkv") and film.seen.film.seconds >= 4)
    files = {
        "empty-file.mp4": b"",
        "cut-download.mp4": damage.cut_short(whole.data),
        "cut-early.mkv": early.data[: len(early.data) // 5],
        "only-sound.mp4": sound_only((440.0, 330.0), 2.0),
        "web-page.mp4": damage.page_of_errors(),
    }
    for file, data in files.items():
        (videos / file).write_bytes(data)
    return [
        _bad("lost-film.mp4", Plant("missing_film", "media_missing", "no such file")),
        _bad("empty-file.mp4", Plant("empty_film", "video_empty", "zero bytes")),
        _bad("cut-download.mp4", Plant("cut_mp4", "video_undecodable", "the index at the end is not there")),
        _bad("cut-early.mkv", Plant("cut_early", "video_truncated", "four fifths of the film are not there")),
        _bad("only-sound.mp4", Plant("sound_only", "video_no_frames", "a sound track and no pictures")),
        _bad(
            "web-page.mp4",
            Plant("web_page_named_mp4", "video_undecodable", "a web page where a film should be"),
        ),
    ]


def _bad(file: str, plant: Plant) -> Entry:
    turns = [(f"{MARK}\nDescribe this video.", "A film.")]
    return replace(_record(Path(file).stem, f"videos/{file}", turns, plant), questions=0)
