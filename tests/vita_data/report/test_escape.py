from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from vita_data.report.markup import tag, text
from vita_data.report.style import STYLE

HOSTILE = '</script><script>alert("x")</script><img src="http://evil.example/x.png" onerror=alert(1)>&amp;'


def test_hostile_text_of_a_corpus_stays_text(stage, sample, reject, picture, parse, tmp_path):
    shards = [[sample("birds", 1, [picture()], HOSTILE, language='en"><script>')]]
    told = {"native_id": json.dumps(HOSTILE), "message": HOSTILE, "value": HOSTILE + ".", "media": [HOSTILE]}
    rows = [
        reject("birds", 1, "read/not_json", **told),
        reject("birds", 2, f"read/{HOSTILE.replace('/', '')}", annotation=HOSTILE, threshold=HOSTILE),
    ]
    parsed = parse(stage(tmp_path / "stage", shards, ["birds"], rows).page())
    assert not parsed.all("script")
    assert all(image["src"].startswith("data:") for image in parsed.all("img"))
    assert parsed.text.count(HOSTILE) >= 5
    assert json.dumps(HOSTILE) in parsed.text


def test_control_and_bidi_characters_cannot_leave_their_place(stage, sample, tmp_path):
    words = "one\x00two\x1b[2Jthree \u202eright to left"
    page = stage(tmp_path / "stage", [[sample("birds", 1, [], words)]], ["birds"], []).page()
    assert "\x00" not in page
    assert "\x1b" not in page
    assert "one\ufffdtwo\ufffd[2Jthree" in page
    assert ".turns div { white-space: pre-line; overflow-wrap: anywhere; unicode-bidi: isolate; }" in STYLE


@given(st.text(), st.text())
def test_any_text_comes_back_from_an_element_and_an_attribute(parse, inside, attribute):
    parsed = parse(tag("p", inside, title=attribute))
    assert [name for name, _ in parsed.elements] == ["p"]
    cleaned, named = ("".join(parse(tag("b", text(words))).words) for words in (inside, attribute))
    assert "".join(parsed.words) == cleaned
    assert parsed.all("p")[0]["title"] == named


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_printable_text_is_not_changed(parse, words):
    assert "".join(parse(tag("p", words)).words) == words
