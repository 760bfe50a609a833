"""Options are parted from what is asked, however their letters are written, and nothing else is."""

from __future__ import annotations

import pytest

from vita_data.leaks.options import parted
from vita_data.leaks.questions import QuestionIndex


@pytest.mark.parametrize(
    ("text", "asked", "options"),
    [
        ("What is it?\nA. A hat\nB. A shoe", "What is it?", "A. A hat\nB. A shoe"),
        ("Which?\nChoices:\n(A) 3\n(B) 4\n(C) 5", "Which?\nChoices:", "(A) 3\n(B) 4\n(C) 5"),
        ("这是什么？\nA. 帽子\nB. 鞋\n只回答字母。", "这是什么？\n只回答字母。", "A. 帽子\nB. 鞋"),
        ("See A. Smith\nWhat?\nA: yes\nB: no", "See A. Smith\nWhat?", "A: yes\nB: no"),
    ],
)
def test_lines_with_letters_from_a_on_are_options(text: str, asked: str, options: str) -> None:
    assert parted(text) == (asked, options)


@pytest.mark.parametrize(
    "text",
    [
        "What is it?",
        "A. One option\nalone",
        "A. A hat\nB. A shoe",
        "Who?\nB. Brecht\nC. Chaplin",
        "",
        "A.\nB.",
    ],
)
def test_all_else_is_what_is_asked(text: str) -> None:
    assert parted(text) == (text, "")


def test_a_question_is_found_with_its_options_in_another_order_and_without_them() -> None:
    text = "Which of the boats in the old harbour carries seven baskets of fish?\nA. The red one\nB. The blue one"
    stem, options = parted(text)
    index = QuestionIndex.build([stem], [options])
    turned = f"{stem}\nA. The blue one\nB. The red one"
    assert [one.how for one in index.find([stem, text, f"So: {turned}"])] == ["equal", "equal", "near"]
