from __future__ import annotations

import base64
import io

from PIL import Image


def test_samples_are_shown_with_small_pictures_and_their_first_turns(stage, sample, picture, parse, tmp_path):
    shards = [[sample("birds", 1, [picture((640, 400)), picture((50, 30))])]]
    parsed = parse(stage(tmp_path / "stage", shards, ["birds"], []).page())
    sizes = []
    for image in parsed.all("img"):
        data = base64.b64decode(image["src"].removeprefix("data:image/jpeg;base64,"))
        with Image.open(io.BytesIO(data)) as opened:
            assert opened.format == "JPEG"
            sizes.append(opened.size)
    assert sizes == [(160, 100), (50, 30)]
    assert "Question image 1 image 2 What is it? Answer A thing, number 1." in parsed.text


def test_placeholders_of_questions_become_chips_and_words_of_answers_stay(stage, sample, picture, tmp_path):
    page = stage(tmp_path / "stage", [[sample("birds", 1, [picture()])]], ["birds"], []).page()
    assert '<span class="chip">image 1</span>' in page
    assert "Yes, &lt;image&gt; is a word here." in page


def test_the_samples_shown_do_not_depend_on_how_shards_are_cut(stage, sample, tmp_path):
    samples = [sample("birds", n, []) for n in range(30)]
    keys = sorted(one.key for one in samples)
    one = stage(tmp_path / "one", [samples], ["birds"], []).page()
    many = stage(tmp_path / "many", [samples[20:], samples[:10], samples[10:20]], ["birds"], []).page()
    for page in (one, many):
        assert [key for key in keys if key in page] == keys[:3]


def test_no_media_but_those_shown_are_read(stage, sample, picture, tmp_path):
    samples = [sample("birds", n, [picture((200, 200), seed=n)]) for n in range(20)]
    made = stage(tmp_path / "stage", [samples], ["birds"], [])
    page = made.page()
    shown = sorted(one.key for one in samples)[:3]
    tar = bytearray((made.folder / "shards" / "00000.tar").read_bytes())
    for one in samples:
        if one.key not in shown:
            start = tar.index(one.media[0][1])
            tar[start : start + 100] = bytes(100)
    (made.folder / "shards" / "00000.tar").write_bytes(tar)
    assert made.page() == page


def test_long_turns_are_cut_with_what_follows_counted(stage, sample, parse, tmp_path):
    lines = "\n".join(f"line {n}" for n in range(30))
    shards = [[sample("birds", 1, [], "x" * 1000), sample("birds", 2, [], lines)]]
    words = parse(stage(tmp_path / "stage", shards, ["birds"], []).page()).text
    assert "x" * 320 + " … (+680 characters)" in words
    assert "line 7 … (+" in words
    assert "line 8" not in words
