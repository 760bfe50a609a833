"""One spelling for the words of every speech corpus."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vita_data.curate.transcript import normalise
from vita_data.errors import RecordError

# What the rules look for, so that random texts run into them.
PIECES = st.one_of(
    st.sampled_from(
        ("<COMMA>", "<PERIOD>", "<SIL>", "[NOISE]", "COMMA", "&amp;", "&lt;", "&gt;", "&quot;", "amp;")
    ),
    st.sampled_from(
        ("quot;", "lt;", "#38;", "e\u0301", "ﬁ", "İ", "ſ", "½", "①", "\u1112", "\u1161", "\u212a", "\u0345")
    ),
    st.sampled_from(
        "<>&;\"'’´`“”，。…（：你好か々Ａé\u0301\u3099Σ1\ufeff\u200b\u00adaB \u3000\t\n\u00a0\x85"
    ),
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=14).map("".join),
    st.text(st.characters(), max_size=20),
)
LANGUAGES = st.sampled_from(["en", "zh", "en-zh"])
CASES = st.sampled_from(["as_written", "upper"])


def rule(text: str, language: str = "en") -> str:
    with pytest.raises(RecordError) as caught:
        normalise(text, language)
    return caught.value.rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" so\tit  is\n", "so it is"),
        ("\ufeffzero\u200bwidth and soft\u00adhyphen", "zerowidth and softhyphen"),
        ("AT&amp;T &amp;amp; R&#38;D said &quot;yes&quot;", 'AT&T & R&D said "yes"'),
        ("ＮＢＡ　２０", "NBA 20"),
        ("cafe\u0301 ﬁve", "café five"),
        ("don’t, don´t, don`t, don't", "don't, don't, don't, don't"),
        ("“Yes,” he said", '"Yes," he said'),
        ("YES <COMMA> HE SAID <PERIOD> REALLY <QUESTIONMARK>", "YES, HE SAID. REALLY?"),
        ("GO <EXCLAMATIONPOINT> NOW", "GO! NOW"),
        ('"literal" |quotes" stay', '"literal" |quotes" stay'),
        ("in 1961, 3.5 % of 1,000", "in 1961, 3.5 % of 1,000"),
        ("THE SECOND IN IMPORTANCE", "THE SECOND IN IMPORTANCE"),
        ("你 好 stays apart", "你 好 stays apart"),
    ],
)
def test_english_is_brought_to_one_spelling(text: str, expected: str) -> None:
    assert normalise(text, "en") == expected


@pytest.mark.parametrize("language", ["zh", "en-zh"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("绿 是 阳春 烟 景 大块 文章 的 底色", "绿是阳春烟景大块文章的底色"),
        ("我 用 iPhone 打 电 话", "我用iPhone打电话"),
        ("播放 hello world 吧", "播放hello world吧"),
        ("打开 ＡＰＰ 看 ２０ 集", "打开APP看20集"),
        ("你好 ， 世界 ！ 真的 ？", "你好，世界！真的？"),
        ("好 的 。 《 三 国 》", "好的。《三国》"),
        ("嗯……（笑）：对；好", "嗯……（笑）：对；好"),
        ("他说“好的”", "他说“好的”"),
        ("I’m 在 北京", "I'm在北京"),
        ('"你好', "你好"),
        ('他说"你好"', '他说"你好"'),
        ("你好 <COMMA> 世界 <PERIOD>", "你好，世界。"),
        ("OK <COMMA> 好", "OK,好"),
        ("二 零 零 八 年 10 20", "二零零八年10 20"),
    ],
)
def test_chinese_and_mixed_text_are_brought_to_one_spelling(language: str, text: str, expected: str) -> None:
    assert normalise(text, language) == expected


def test_only_a_corpus_of_capitals_is_made_lower_case() -> None:
    assert normalise("MISTER QUILTER'S MANNER", "en", case="upper") == "mister quilter's manner"
    assert normalise("Mister Quilter", "en") == "Mister Quilter"


@pytest.mark.parametrize(
    "text",
    ["<SIL>", "<MUSIC>", "<NOISE>", "<OTHER>", " <sil> ", "&lt;NOISE&gt;", "well <UNK> then", "[noise] yes"],
)
def test_what_nobody_wrote_down_is_refused_with_its_tag(text: str) -> None:
    assert rule(text) == "garbage_tag"


@pytest.mark.parametrize("text", ["", " \t", "<COMMA>", "...", "，。", "\u200b", '"', "&nbsp;"])
@pytest.mark.parametrize("language", ["en", "zh", "en-zh"])
def test_a_transcript_without_a_word_is_refused(text: str, language: str) -> None:
    assert rule(text, language) == "empty_transcript"


def test_half_a_surrogate_pair_is_refused() -> None:
    assert rule("a\ud800b") == "not_utf8"


def test_entities_hidden_in_entities_for_ever_are_refused() -> None:
    assert rule("x" + "&quo" * 9 + '"' + "t;" * 9, "zh") == "transcript_unstable"


@settings(max_examples=1500, deadline=None)
@given(text=TEXTS, language=LANGUAGES, case=CASES)
@example(text='<S"IL>', language="zh", case="as_written")
@example(text="か \u3099", language="zh", case="as_written")
def test_normalising_again_changes_nothing_and_nothing_but_a_refusal_is_raised(
    text: str, language: str, case: str
) -> None:
    try:
        once = normalise(text, language, case)
    except RecordError as refusal:
        assert refusal.rule in ("garbage_tag", "empty_transcript", "not_utf8", "transcript_unstable")
        return
    assert normalise(once, language, case) == once
    assert once == " ".join(once.split())


@given(text=st.text("0123456789 abc你好，", min_size=1), language=LANGUAGES)
def test_no_digit_letter_or_character_is_lost(text: str, language: str) -> None:
    said = [character for character in text if character.isalnum()]
    if said:
        assert [character for character in normalise(text, language) if character.isalnum()] == said
