"""What an answer claims to stand in its picture is told from what it merely says, and compared with what was read."""

from __future__ import annotations

import json
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.curate.rules.base import Sample
from vita_data.curate.rules.ocr import claimed, ocr, part_read
from vita_data.manifest.find import all_sources
from vita_data.sources.ocr_json import PROMPTS

NOTICE = "The harbour is closed to all boats from ten in the evening until six in the morning."
OTHER = "Passengers are asked to keep their tickets until they have left the station through the gates."
READ = "Read all the text in this picture."


def _turns(asked: str, said: str) -> list[dict[str, str]]:
    return [{"from": "human", "value": f"<image>\n{asked}"}, {"from": "gpt", "value": said}]


def _sample(asked: str, said: str, *read: str) -> Sample:
    return Sample("qa", "en", _turns(asked, said), read=list(read))


@pytest.mark.parametrize(
    ("asked", "said", "claims"),
    [
        (READ, "STOP\nno entry", ["STOP", "no entry"]),
        ("What does the sign say?", "The sign says: Slow down", ["Slow down"]),
        ("What is written on the bottle?", "Product of Italy", ["Product of Italy"]),
        ("What text is on the shirt?", 'It reads "Boston" in "Arial".', ["Boston", "Arial"]),
        ("Describe the picture.", 'A sign that reads "Free parking" hangs above a door.', ["Free parking"]),
        ("Describe the picture.", "The words “Open all day” are painted on the glass.", ["Open all day"]),
        ("图片里写了什么？", "今日特价", ["今日特价"]),
        ("请读出图中的文字。", "牌子上写着：小心地滑", ["小心地滑"]),
        ("描述这张图片。", "墙上有“禁止吸烟”的字样，旁边站着一个人。", ["禁止吸烟"]),
        ("描述这张图片。", "横幅上写着「欢迎光临」。", ["欢迎光临"]),
        (
            "Transcribe the text.",
            json.dumps({"menu": [{"name": "Latte", "price": 4.5}], "paid": True}),
            ["Latte", "4.5"],
        ),
        ("What is the text in the table? OCR it.", "<tr><td>Mean</td><td>12.5</td></tr>", ["Mean", "12.5"]),
    ],
)
def test_text_is_what_is_quoted_as_written_or_answers_a_question_that_asks_to_read(
    asked: str, said: str, claims: list[str]
) -> None:
    assert [claim.strip() for claim in claimed(_turns(asked, said)) if claim.strip()] == claims


def test_every_prompt_of_the_packaged_readers_of_text_asks_to_read() -> None:
    readers = (card.options for card in all_sources() if card.adapter in ("ocr_json", "donut"))
    own = [cast(list[str], options.get("prompts", [])) for options in readers]
    assert sum(map(bool, own)) > 2
    for asked in [*PROMPTS, *(asked for some in own for asked in some)]:
        assert claimed(_turns(asked, NOTICE)) == [NOTICE], asked


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("How many boats are there?", "Twenty-three boats lie in the harbour."),
        ("What is the sum of both bars?", "48213"),
        ("What is the man doing?", 'He plays the so-called "air guitar".'),
        ("What does the man say?", "He says nothing, there is no text."),
        (READ, "There is no legible text in the picture."),
        ("Read the sign and translate it into English.", "No entry"),
        ("What does the text mean?", "That nobody may enter."),
        (READ, "Ок, добрый вечер, друзья"),  # the engine has no Cyrillic
        (READ, "7"),
        ("图中有几个人？", "图中有三个人，他们在聊天。"),
        ("请翻译图中的文字。", "禁止入内，违者罚款。"),
        ("图片里写了什么？", "图中没有任何文字。"),
    ],
)
def test_what_is_no_text_of_the_picture_is_not_looked_for(asked: str, said: str) -> None:
    assert claimed(_turns(asked, said)) == []
    assert ocr(_sample(asked, said, ""), 1.0) is None


def test_an_answer_of_another_picture_is_refused_with_both_sides() -> None:
    reject = ocr(_sample(READ, NOTICE, OTHER), 0.5)
    assert reject is not None
    assert reject.rule == "ocr_disagrees"
    assert float(reject.value or 1) < 0.2
    assert reject.threshold == "0.5"
    assert "The harbour is closed" in reject.message and "Passengers are asked" in reject.message
    assert len(reject.message) < 300


def test_a_sample_that_was_not_read_is_not_judged() -> None:
    assert ocr(Sample("qa", "en", _turns(READ, NOTICE)), 1.0) is None


@pytest.mark.parametrize(
    "read",
    [
        NOTICE.upper(),
        NOTICE.replace(" ", ""),
        "\n".join(reversed([NOTICE[:43], NOTICE[43:]])),
        NOTICE.replace("harbour", "harb0ur").replace("boats", "baats"),
        OTHER + "\n" + NOTICE,
    ],
    ids=["case", "white space", "order of lines", "two letters wrong", "more than was said"],
)
def test_what_engines_do_to_text_does_not_count(read: str) -> None:
    assert part_read([NOTICE], [read]) > 0.8


@pytest.mark.parametrize(
    ("claim", "read"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("Café Zoë", "CAFE ZOE"),
        ("5 ％ off", "5%OFF"),
        ("北京市东城区", "东城区 北京市"),
    ],
)
def test_width_accents_and_order_do_not_count(claim: str, read: str) -> None:
    assert part_read([claim], [read]) == 1


def test_chinese_pages_that_share_characters_are_told_apart() -> None:
    one = "本店营业时间为上午九点至晚上十点，节假日照常营业，欢迎各位顾客光临。"
    other = "各位旅客请注意，开往上海的列车将于晚上九点发车，请节假日提前到站。"
    assert part_read([one], [one]) == 1
    assert part_read([one], [other]) < 0.4


def test_text_may_stand_in_any_picture_of_a_sample_but_not_run_from_one_into_the_next() -> None:
    assert part_read(["first", "second"], ["second one", "the first"]) == 1
    assert part_read(["crossing"], ["cros", "sing"]) == 0


@given(st.lists(st.text()), st.lists(st.text()))
def test_the_part_that_was_read_is_a_part_and_all_of_it_of_what_reads_the_same(
    claims: list[str], read: list[str]
) -> None:
    assert 0 <= part_read(claims, read) <= 1
    assert part_read(claims, [*read, *claims]) == 1


@given(st.lists(st.text(max_size=60), max_size=3), st.text(max_size=60), st.text(max_size=60))
def test_reading_more_never_finds_less(claims: list[str], read: str, more: str) -> None:
    assert part_read(claims, [read]) <= part_read(claims, [read, more])
