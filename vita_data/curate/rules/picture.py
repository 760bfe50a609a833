"""Rules about what a picture shows, against what is said of it."""

from __future__ import annotations

from vita_data.curate.rules.base import Sample
from vita_data.records.reject import Reject


def ocr(sample: Sample, least: float) -> Reject | None:
    """Refuses a sample of whose answer less than this part was read in its picture by an engine of ours.

    For OCR corpora whose texts belong to other pictures. Wrong where the engine reads worse than the corpus:
    handwriting, curved and tiny text. Off unless a card asks for it: reading a picture takes seconds.
    """
    if sample.read is None or sample.read >= least:
        return None
    words = f"{sample.read:.0%} of an answer's words were found in its picture."
    return Reject("other_text", words, f"{sample.read:.3f}", str(least))
