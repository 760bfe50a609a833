"""What each rule of the build means, for somebody who has never seen its code."""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """A rule in three or four words, and why it refuses a record."""

    title: str
    why: str


REASONS = {
    "not_json": Reason(
        "Not JSON", "The place in the annotation file where a record should be does not parse."
    ),
    "not_utf8": Reason(
        "Not UTF-8 text", "The record holds bytes that are no text, so nobody knows what it says."
    ),
    "not_a_record": Reason(
        "Not a record", "Something is there, but it is not a conversation of the expected shape."
    ),
    "modality_not_read": Reason(
        "Medium not read yet", "The record needs a kind of medium that is not read yet."
    ),
    "worker_died": Reason(
        "Crashed its reader", "Reading the record ended the worker twice, so it was put aside."
    ),
    "unknown_role": Reason(
        "Unknown speaker", "A turn is said by somebody who is neither the user nor the model."
    ),
    "roles_alternate": Reason(
        "Turns out of order",
        "Questions and answers must alternate, beginning with a question and ending with an answer.",
    ),
    "empty_answer": Reason("Empty answer", "There is nothing to learn from an answer without text."),
    "empty_question": Reason("Empty question", "A question says nothing and shows no picture either."),
    "placeholders_match": Reason(
        "Pictures and places differ", "The turns name more or fewer pictures than the record brings along."
    ),
    "placeholder_count": Reason(
        "Pictures and places differ", "The turns name more or fewer pictures than the record brings along."
    ),
    "media_missing": Reason(
        "File missing", "The record names a file that is not there; it is looked for at every build."
    ),
    "media_unreadable": Reason(
        "File not readable", "The file is there but cannot be read; it is tried again at every build."
    ),
    "media_too_large": Reason("File too large", "The file is larger than any picture should be."),
    "path_outside_root": Reason(
        "Outside the source's folder",
        "The name or a link leads out of the folder of the source, which is never followed.",
    ),
    "image_empty": Reason("Empty file", "The picture file has no bytes."),
    "image_unknown_format": Reason(
        "Not a picture", "The file's first bytes are those of no picture format that is read."
    ),
    "image_too_small": Reason("No pixels", "The picture says that it has no width or no height."),
    "image_too_many_pixels": Reason(
        "Too many pixels",
        "Decoding the picture could exhaust the memory, so it is refused by the size it declares.",
    ),
    "image_extreme_aspect": Reason(
        "Extreme shape", "The picture is so long and thin that tiles of it show nothing."
    ),
    "image_truncated": Reason(
        "Cut off", "The picture file ends before its pixels do, as a broken download leaves it."
    ),
    "image_undecodable": Reason("Broken picture", "The picture's data are damaged and do not decode."),
    "no_duration": Reason("No duration", "The film does not say how long it lasts."),
    "too_long": Reason(
        "Too long",
        "Even with one tile a picture the sample does not fit into a training sequence, and nothing is cut.",
    ),
    "medium_changed": Reason(
        "Changed since it was read", "The file had other bytes, or was gone, when its shard was written."
    ),
}


def reason_of(rule: str) -> Reason:
    """The reason of a rule, given as `rule` or `step/rule`; of one that is not listed, its name."""
    rule = rule.rpartition("/")[2]
    return REASONS.get(rule) or Reason(rule.replace("_", " ").capitalize(), "")
