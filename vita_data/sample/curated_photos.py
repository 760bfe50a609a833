"""What is planted for curation among the questions on photographs: copies, look-alikes, bad answers and leaks."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw

from vita_data.sample import photo_captions
from vita_data.sample.encode import jpeg
from vita_data.sample.ledger import Entry, Fate
from vita_data.sample.mosaics import GENERIC, MOSAICS, PAIRS, Item
from vita_data.sample.native import Turn, conversations, with_image
from vita_data.sample.planted import Planted
from vita_data.sample.shots import Shot

# Crops with captions that are copied: one stored without loss, and three to be changed in a way each.
LOSSLESS, RECOMPRESSED, SMALLER, MARKED = "camera-006", "astronaut-001", "coffee-016", "astronaut-012"
COINS = "coins-001"
QUALITY, SHRUNK = 40, 0.75


def planted(shots: Sequence[Shot], items: dict[str, list[Item]]) -> list[Planted]:
    """All records, with pictures of their own; `items` are the questions of the benchmarks of pictures."""
    named = {shot.name: shot for shot in shots}
    return [
        *_copies(named),
        *_alike(named),
        *_bad_answers(named),
        *_leaks(items[MOSAICS], items[PAIRS]),
        *_neighbours(named, items[MOSAICS], items[PAIRS]),
    ]


def _planted(name: str, extension: str, data: bytes, turn: Turn, fate: Fate) -> Planted:
    file = f"images/{name}.{extension}"
    record = {"id": name, "conversations": conversations(with_image([turn])), "image": file}
    return Planted(Entry(record, 1, name, fate=fate), ((file, data),))


def _caption(shot: Shot) -> Turn:
    """The question and the caption of a crop in the source of captions."""
    asked, told = photo_captions.captioned(shot).record["conversations"]
    return asked["value"].removeprefix("<image>\n"), told["value"]


def _opened(shot: Shot) -> Image.Image:
    return Image.open(BytesIO(shot.data))


def _lossless(picture: Image.Image) -> bytes:
    """A PNG with other bytes than the corpus writes for the same pixels."""
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=True, compress_level=1)
    return buffer.getvalue()


def _copies(shots: dict[str, Shot]) -> list[Planted]:
    """One equal in pixels and words, and three nearly so, of captions in sample-photos."""

    def fate(kind: str, rule: str, note: str, name: str) -> Fate:
        return Fate(kind, rule, note, stays=(photo_captions.NAME, name))

    lossless, recompressed, smaller, marked = (
        shots[name] for name in (LOSSLESS, RECOMPRESSED, SMALLER, MARKED)
    )
    asked, told = _caption(lossless)
    spelled = (f"{asked.upper()} ", told.replace(". ", ".\n"))
    small = _opened(smaller)
    small = small.resize(
        (round(SHRUNK * small.width), round(SHRUNK * small.height)), Image.Resampling.BICUBIC
    )
    stamped = _opened(marked).copy()
    pen = ImageDraw.Draw(stamped)
    pen.rectangle(
        (stamped.width - 26, stamped.height - 11, stamped.width - 4, stamped.height - 4), fill="white"
    )
    asked_of_mark, told_of_mark = _caption(marked)
    return [
        _planted("copy-lossless", "png", _lossless(_opened(lossless)), spelled,
                 fate("other_encoding", "duplicate", "the same pixels in other bytes, the same words in capitals and "
                      "on other lines", LOSSLESS)),
        _planted("copy-recompressed", "jpg", jpeg(_opened(recompressed), QUALITY).data, _caption(recompressed),
                 fate("recompressed_picture", "near_picture", "the same words on a worse JPEG", RECOMPRESSED)),
        _planted("copy-smaller", "jpg", jpeg(small).data, _caption(smaller),
                 fate("smaller_picture", "near_picture", "the same words on three quarters of the size", SMALLER)),
        _planted("copy-marked", "jpg", jpeg(stamped).data, (asked_of_mark, f"{told_of_mark} It bears a mark."),
                 fate("marked_picture", "near_picture", "a mark in a corner, and a sentence more", MARKED)),
    ]  # fmt: skip


def _alike(shots: dict[str, Shot]) -> list[Planted]:
    """Records that share a picture or a question with others, and stay."""
    first, second = (shots[name] for name in (LOSSLESS, RECOMPRESSED))
    asked = "Would you hang this picture on a wall, and in which room of a house would it look best?"
    told = "Yes, in a study, where there is time to look at it."
    shared = Fate("shared_picture", None, "stays: it asks something else of a picture that others have too")
    twice = Fate("shared_question", None, "stays: it asks the same as another record of another picture")
    return [
        _planted("other-question", "png", _lossless(_opened(first)), (asked, told), shared),
        _planted("other-picture", "jpg", jpeg(_opened(second), 93).data, (asked, told), twice),
    ]


def _bad_answers(shots: dict[str, Shot]) -> list[Planted]:
    """A refusal, and an answer in a language that is not the card's."""
    first, second = (shots[name] for name in (SMALLER, COINS))
    refused = ("What do you make of this picture?", "I'm sorry, but I can't assist with that request.")
    french = (
        "Que voit-on sur cette photo, et qu'est-ce qui manque ?",
        "On voit des pièces de monnaie très anciennes, posées sur un fond sombre, mais il manque la légende.",
    )
    return [
        _planted("refused", "jpg", first.data, refused, Fate("refusal_en", "refusal", "the model did not want to")),
        _planted("in-french", "jpg", second.data, french,
                 Fate("french", "other_language", "French in a source that is English")),
    ]  # fmt: skip


def _leak(rule: str, name: str, note: str, kind: str, benchmark: str = MOSAICS) -> Fate:
    return Fate(kind, rule, note, benchmark=benchmark, found=name)


def _leaks(mosaics: Sequence[Item], pairs: Sequence[Item]) -> list[Planted]:
    """What may not be trained on: the benchmark's own record, its pixels, its picture with and without its question."""
    own, same, both, alone = mosaics[:4]
    smaller = both.picture.resize((both.picture.width * 3 // 4, both.picture.height * 3 // 4))
    pair = pairs[0]
    stored = Image.open(BytesIO(same.data))
    return [
        _planted("mosaic-dev-0000", "jpg", own.data, (own.asked, own.answer),
                 _leak("leak_itself", "itself", "its id is one of the benchmark's", "own_id")),
        _planted("leak-pixels", "png", _lossless(stored),
                 ("Which of the four is the brightest?", "That is hard to say."),
                 _leak("leak_content", "content", "a benchmark's pixels in another format", "own_pixels")),
        _planted("leak-both", "jpg", jpeg(smaller, 70).data, (f"Look closely. {both.asked}", both.answer),
                 _leak("leak_picture_and_question", "picture_and_question", "a benchmark's picture, smaller, with its "
                       "question", "picture_and_question")),
        _planted("leak-both-of-pairs", "jpg", jpeg(pair.picture, 60).data, (pair.asked, pair.answer),
                 _leak("leak_picture_and_question", "picture_and_question", "a benchmark's picture with its question",
                       "picture_and_question", PAIRS)),
        _planted("leak-picture", "jpg", jpeg(alone.picture, 75).data,
                 ("How would you arrange these four on a wall?", "Just as they are."),
                 _leak("leak_picture", "picture", "a benchmark's picture with another question", "picture_alone")),
    ]  # fmt: skip


def _neighbours(shots: dict[str, Shot], mosaics: Sequence[Item], pairs: Sequence[Item]) -> list[Planted]:
    """What is found of a benchmark and only reported."""

    def fate(kind: str, found: str, note: str, benchmark: str = PAIRS) -> Fate:
        return Fate(kind, None, f"stays: {note}", benchmark=benchmark, found=found)

    return [
        _planted("reported-picture", "jpg", jpeg(pairs[1].picture, 75).data,
                 ("Is the left part as sharp as the right part?", "About as sharp."),
                 fate("picture_of_a_lenient_card", "picture", "the card of this benchmark does not say picture_alone")),
        _planted("reported-question", "jpg", shots[RECOMPRESSED].data, (mosaics[5].asked, "In none of them."),
                 fate("question_of_a_picture", "question", "a benchmark's question about another picture", MOSAICS)),
        _planted("reported-generic", "jpg", shots[SMALLER].data, (GENERIC, "Nothing is put together here."),
                 fate("generic_question", "question", "a short question that anybody might ask")),
    ]  # fmt: skip
