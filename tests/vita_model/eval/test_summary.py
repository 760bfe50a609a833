"""From lines to what a table shows."""

from __future__ import annotations

from typing import Any

import pytest

from vita_model.eval.answers import Line
from vita_model.eval.summary import summary


def answer(number: int, right: bool | None, asked: str = "written", source: str = "squares") -> Line:
    """The line of an answer of three tokens, of which so many were likely as it is right."""
    return {
        "key": f"k{number}",
        "turn": 1,
        "source": source,
        "type": "qa",
        "asked": asked,
        "heard": asked != "written",
        "got": None if right is None else "x",
        "loss": 1.5,
        "tokens": 3,
        "hits": 3 if right else 1,
        **({} if right is None else {"right": right}),
    }


def clip(number: int, errors: int, words: int) -> Line:
    """The line of a transcript."""
    counted = {"words": words, "word_errors": errors, "characters": 4 * words, "character_errors": errors}
    return {"key": f"c{number}", "source": "voices", "asked": "spoken", "heard": True, **counted}


def test_answers_are_shares_by_source_and_by_how_they_were_asked() -> None:
    lines = [
        answer(0, True),
        answer(1, False),
        answer(2, True, "spoken"),
        answer(3, True, "spoken", "others"),
    ]
    found = summary(lines, 0)
    assert found["metric"] == {"name": "exact_match", "value": 0.75, "better": "higher"}
    assert found["total"]["loss"] == 0.5 and found["total"]["token_accuracy"] == pytest.approx(10 / 12)
    assert found["total"]["asked"]["spoken"]["exact_match"] == 1.0
    assert found["sources"]["squares"]["samples"] == 3 and found["sources"]["others"]["answered"] == 1
    low, high = found["total"]["interval"]
    assert 0.2 < low < 0.75 < high < 1.0


def test_free_text_is_judged_by_its_tokens() -> None:
    lines = [answer(0, True), *(answer(n, None) for n in range(1, 4))]
    found = summary(lines, 0)
    assert found["metric"]["name"] == "token_accuracy" and found["total"]["answered"] == 1


def test_transcripts_are_judged_by_their_words() -> None:
    found = summary([clip(0, 1, 4), clip(1, 0, 6)], 3)
    assert found["metric"] == {"name": "wer", "value": 0.1, "better": "lower"}
    assert (found["total"]["word_errors"], found["total"]["words"], found["total"]["cer"]) == (1, 10, 1 / 40)
    assert found["total"]["interval"] == (0.0, 0.25)


def test_the_recall_of_a_state_is_over_what_was_heard_and_over_what_was_written_apart() -> None:
    said: list[tuple[str, str, str | None]] = [
        ("spoken", "reply", "reply"),
        ("spoken", "reply", "noise"),
        ("noise", "noise", "noise"),
        ("written", "text", None),
    ]
    lines: list[dict[str, Any]] = [
        answer(n, True, asked) | {"state_wanted": wanted, "state": got}
        for n, (asked, wanted, got) in enumerate(said)
    ]
    recalls = summary(lines, 0)["total"]["state_tokens"]
    assert {name: one["recall"] for name, one in recalls["heard"].items()} == {"noise": 1.0, "reply": 0.5}
    assert recalls["written"]["text"]["recall"] == 0.0


def test_clips_tell_how_far_off_they_are_and_which_codes_they_used() -> None:
    lines = [
        {
            "key": f"k{n}",
            "source": "voices",
            "mel_1024": float(n),
            "frame_codes": [n, n],
            "global_codes": [0, n],
        }
        | {"codes": 4}
        for n in range(2)
    ]
    found = summary(lines, 0)
    assert found["metric"] == {"name": "mel_1024", "value": 0.5, "better": "lower"}
    use = found["total"]["code_use"]
    assert use["frame_perplexity"] == pytest.approx(2.0) and use["frame_share"] == 0.5
    assert use["global_perplexity"] == pytest.approx(1.5) and use["global_share"] == 0.375


def test_nothing_has_no_metric() -> None:
    assert summary([], 0) == {"metric": None, "total": {"samples": 0, "questions": 0}, "sources": {}}
