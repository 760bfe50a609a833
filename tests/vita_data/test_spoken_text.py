"""What of a text is said: one spelling for the texts of training and the clauses that a model says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.errors import RecordError
from vita_data.prompt.spoken_text import check_positions, spoken_text

ODD = st.sampled_from(list("'\"-—。，， ,.!a你İŉ℃(☺)"))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("**Yes** (☺), it’s 5% — “fine”?", "yes, it's 5% - fine?"),
        ("ＮＢＡ 20 分", "nba 20分"),
        ("他说：「你好」 ，好吗？", "他说:你好,好吗?"),
        ("## Title\n- one\n- $3 + 4 = x\u200b", "title - one - $3 + 4 = x"),
        ("'Tis rock 'n' roll, don’t stop!", "tis rock n roll, don't stop!"),
        ("25 ℃ in Αθήνα", "25 °c in αθήνα"),
        ("你 好 world , 第 1 名", "你好world,第1名"),
        ("\u261ea <b>c</b>", "a b c /b"),
        ("🙂 ...", ""),
        ("", ""),
    ],
)
def test_what_is_said_stays_and_what_is_not_goes(written: str, said: str) -> None:
    assert spoken_text(written) == said


@given(st.text(alphabet=st.one_of(st.characters(), ODD)))
def test_what_is_settled_stays_as_it_is(text: str) -> None:
    once = spoken_text(text)
    assert spoken_text(once) == once


@given(st.text(alphabet=st.characters(categories=("Ll", "Nd", "Lo"))))
def test_no_letter_and_no_digit_is_lost(text: str) -> None:
    assert not text or spoken_text(text)


def test_what_cannot_be_said_is_refused_by_name() -> None:
    check_positions(4, 7, 4, 25)
    with pytest.raises(RecordError, match="4 tokens and the speech of 8 take 26 positions") as found:
        check_positions(4, 8, 4, 25)
    assert (found.value.rule, found.value.value, found.value.threshold) == ("too_long_to_say", "26", "25")
    with pytest.raises(RecordError, match="nothing that can be said") as found:
        check_positions(0, 8, 4, 25)
    assert found.value.rule == "nothing_to_say"
