"""Each rule refuses what it is for, with what it measured, and leaves what merely looks like it."""

from __future__ import annotations

import io
import math
import re

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st

from vita_data.curate.rules import film, language, ocr, sound, text
from vita_data.curate.rules.base import Film, Heard, Rule, Sample
from vita_data.curate.rules.table import RULES
from vita_data.errors import RecordError
from vita_data.manifest.rules import Rules
from vita_data.media.sound_levels import measure

RATE = 16_000


def _says(*answers: str, kind: str = "qa", seconds: float = 0.0) -> Sample:
    turns = [turn for a in answers for turn in ({"from": "human", "value": "?"}, {"from": "gpt", "value": a})]
    sounds = [Heard(seconds, -20.0, 0.0, 0.0)] if seconds else []
    return Sample(kind, "en", turns, sounds=sounds)


def _flac(values: np.ndarray, rate: int = RATE) -> bytes:
    stream = io.BytesIO()
    soundfile.write(
        stream, np.clip(values, -32768, 32767).astype(np.int16), rate, format="FLAC", subtype="PCM_16"
    )
    return stream.getvalue()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_a_threshold_and_says_what_it_is_for_its_source_and_when_it_is_wrong(
    rule: Rule,
) -> None:
    assert hasattr(Rules(), rule.name)
    said = " ".join((rule.judge.__doc__ or "").split())
    assert said.startswith("Refuses a")
    for words in (". For ", "ource", "Wrong (for|where)"):
        assert re.search(words, said), f"{rule.name} lacks {words}"


PIECES = st.sampled_from(
    ["<image>", "“", "”", "\\begin{", "}", "```", "$$", "\\[", "我不能", "I can't ", "reads ", "{", "["]
)
WORDS = st.lists(st.text(max_size=20) | PIECES, max_size=12).map("".join)
PARTS = st.floats(0, 1)
BANDS = st.none() | st.floats(0, 24_000)
HEARD = st.builds(Heard, st.floats(0, 1e5), st.floats(-200, 0), PARTS, PARTS, st.none() | PARTS, BANDS)
FRAMES = st.lists(st.tuples(st.floats(0, 1e5), st.none() | st.integers(0, 2**64 - 1), st.binary(max_size=2)))
FILMS = FRAMES.map(
    lambda frames: Film([f[0] for f in frames], [f[1] for f in frames], [f[2] for f in frames])
)
SAMPLES = st.builds(
    Sample,
    st.sampled_from(["caption", "qa", "asr", "tts", "negative"]),
    st.sampled_from(["en", "zh", "en-zh"]),
    st.lists(st.fixed_dictionaries({"from": st.sampled_from(["human", "gpt"]), "value": WORDS}), max_size=4),
    st.none() | st.tuples(st.sampled_from(["en", "zh", "fr"]), PARTS),
    st.lists(HEARD, max_size=3),
    st.lists(FILMS, max_size=2),
    st.none() | st.lists(WORDS, max_size=2),
)


@given(SAMPLES)
def test_no_rule_trips_over_any_sample_and_each_says_what_it_measured(sample: Sample) -> None:
    for rule in RULES:
        threshold = getattr(Rules(), rule.name)
        reject = rule.judge(sample, threshold if threshold != "off" else 0.5)
        if reject is not None:
            assert reject.rule and reject.message.endswith(".")
            assert reject.value is None or isinstance(reject.value, str)


@given(SAMPLES, st.floats(0, 1), st.floats(0, 1))
def test_a_stricter_card_refuses_all_that_a_milder_one_does(sample: Sample, one: float, other: float) -> None:
    for judge in (sound.speech, ocr.ocr, sound.band):  # the least of something
        mild, strict = sorted((one, other))
        assert judge(sample, mild) is None or judge(sample, strict) is not None
    for judge in (sound.clipping, sound.silence, text.repetition, film.film_hole):  # the most
        strict, mild = sorted((one, other))
        assert judge(sample, mild) is None or judge(sample, strict) is not None


def test_an_answer_that_runs_in_circles_is_refused_with_its_repeated_part() -> None:
    line = "the man walks along the street and looks at the red car. "
    reject = text.repetition(_says(line * 12), 0.6)
    assert reject is not None
    assert reject.rule == "repetition"
    assert float(reject.value or 0) == pytest.approx(11 / 12, abs=0.02)
    assert text.repetition(_says(line), 0.6) is None


def test_a_long_answer_that_says_new_things_is_kept() -> None:
    words = " ".join(f"In {year} the firm sold {year * 7 % 919} cars." for year in range(1900, 1990))
    assert text.repetition(_says(words), 0.6) is None


@pytest.mark.parametrize(
    "words",
    [
        "\n".join(f"Chapter {n} " + ". " * 40 + str(n) for n in range(1, 9)),
        "<tr>" + "".join(f'<td rowspan="1" colspan="1">{n * 37 % 101}</td>' for n in range(40)) + "</tr>",
        "\n".join(" ".join("1" if n == m else "0" for n in range(12)) for m in range(12)),
        "+-----+-----+\n" * 20,
    ],
)
def test_tables_and_ruled_lines_do_not_run_in_circles(words: str) -> None:
    assert text.repetition(_says(words), 0.6) is None


@given(st.text(max_size=400))
def test_the_repeated_part_of_any_text_is_a_part(words: str) -> None:
    assert 0 <= text.repeated(words) <= 1


@given(st.lists(st.integers(0, 4), max_size=60))
def test_repeated_words_are_those_a_plain_count_finds(numbers: list[int]) -> None:
    words = [f"w{n}" for n in numbers]
    covered = set()
    for start in range(len(words) - 9):
        phrase = words[start : start + 10]
        if len(set(phrase)) < 4:
            continue
        if any(words[before : before + 10] == phrase for before in range(start)):
            covered |= set(range(start, start + 10))
    assert text.repeated(" ".join(words)) == pytest.approx(len(covered) / max(1, len(words)))


@pytest.mark.parametrize(
    ("answer", "open_part"),
    [
        ("Run this:\n```python\nprint(1)\n", "a block of code"),
        ("\\begin{align} x = 1", "\\begin{align}"),
        ("So \\[ x = 1", "\\["),
        ("So\n$$\nx = 1", "$$"),
    ],
)
def test_markup_that_is_never_closed_is_refused_by_its_name(answer: str, open_part: str) -> None:
    reject = text.markup(_says(answer), "on")
    assert reject is not None
    assert reject.value == open_part


@pytest.mark.parametrize(
    "answer",
    [
        "```\na\n```\nand\n```\nb\n```",
        "It costs $5, or $$ x $$.",
        "\\begin{a}\\begin{a}\\end{a}\\end{a}",
        "```latex\n\\begin{document}\n```",
        "a ``` inside a line",
        "```SELECT 1```",
        "- ```py\n  x = 1\n  ```",
        "```python\ncode```",
        "Price range: $$ , Italian",
        "\\left\\[ 1 \\right]",
        "~~~\n```\n~~~",
    ],
)
def test_closed_markup_is_kept(answer: str) -> None:
    assert text.markup(_says(answer), "on") is None


def test_a_book_for_an_answer_is_refused_with_its_length() -> None:
    reject = text.longest_answer(_says("a" * 101), 100)
    assert reject is not None
    assert (reject.value, reject.threshold) == ("101", "100")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("What colour is the bus in the foreground?", "en"),
        ("图中的公交车是什么颜色的？", "zh"),
        ("圖中的公車是什麼顏色的？", "zh"),
        ("Quelle est la couleur de ce bâtiment ancien ?", "fr"),
        ("小明有3个苹果，又买了5个苹果，一共有8个苹果。", "zh"),
        ("“ありがとう”在中文里的意思是谢谢，常常用于日常对话之中。", "zh"),
        ("りんごを三つ買いました。", "ja"),
        ("HE WAS NOT THERE AND THE DOOR WAS OPEN", "en"),
    ],
)
def test_the_language_of_a_sentence_is_identified(words: str, code: str) -> None:
    found = language.identify(words)
    assert found is not None
    assert found[0] == code


@pytest.mark.parametrize(
    "words", ["", "42", "<image>\n<image>", "A dog.", "https://example.org/some/long/path 12:30"]
)
def test_too_few_words_are_in_no_language(words: str) -> None:
    assert language.identify(words) is None


def test_another_language_is_refused_where_it_is_certain() -> None:
    stranger = Sample("qa", "en-zh", [], identified=("fr", 0.97))
    assert language.language(stranger, 0.9) is not None
    assert language.language(stranger, 0.98) is None
    assert language.language(Sample("qa", "en-zh", [], identified=("zh", 0.99)), 0.9) is None


def test_a_tone_has_the_level_that_its_amplitude_gives() -> None:
    tone = 16_384 * np.sin(np.arange(RATE) * 2 * math.pi * 440 / RATE)
    levels = measure(_flac(tone))
    assert levels.level == pytest.approx(20 * math.log10(0.5 / math.sqrt(2)), abs=0.01)
    assert (levels.seconds, levels.clipped, levels.silent) == (1.0, 0.0, 0.0)


def test_silence_clipping_and_level_are_refused_with_what_was_measured() -> None:
    tone = 90_000 * np.sin(np.arange(RATE) * 2 * math.pi * 100 / RATE)
    quiet = np.concatenate([np.zeros(9 * RATE), tone / 10])
    loud, mute = (measure(_flac(values)) for values in (tone, quiet))
    clipped = Sample("asr", "en", [], sounds=[Heard(**vars(loud))])
    silent = Sample("asr", "en", [], sounds=[Heard(**vars(mute))])
    assert loud.clipped > 0.5
    assert sound.clipping(clipped, 0.1) is not None
    assert mute.silent == pytest.approx(0.9)
    assert sound.silence(silent, 0.85) is not None
    assert sound.silence(silent, 0.95) is None
    dead = Sample("asr", "en", [], sounds=[Heard(**vars(measure(_flac(np.zeros(RATE)))))])
    assert sound.level(dead, -65.0) is not None
    assert sound.clipping(dead, 0.1) is None


def test_a_peak_alone_at_full_scale_is_not_clipped() -> None:
    values = np.zeros(RATE)
    values[100] = 32767
    assert measure(_flac(values)).clipped == 0


def test_noise_is_no_speech() -> None:
    noise = np.random.default_rng(1).standard_normal(3 * RATE) * 3000
    heard = measure(_flac(noise), speech=True)
    assert heard.speech is not None
    assert heard.speech < 0.2
    assert sound.speech(Sample("asr", "en", [], sounds=[Heard(**vars(heard))]), 0.3) is not None


@pytest.mark.parametrize(("native", "heard"), [(8_000, 4_000), (11_025, 5_500), (16_000, 8_000)])
def test_a_sound_tells_what_it_was_sampled_at_whatever_its_rate_says(native: int, heard: float) -> None:
    noise = np.random.default_rng(2).standard_normal(2 * native) * 3000
    faded = noise * np.minimum(1, np.minimum(np.arange(2 * native), np.arange(2 * native)[::-1]) / 400)
    measured = measure(_flac(soxr.resample(faded, native, RATE)))
    assert measured.band == pytest.approx(heard, abs=260)
    telephone = Sample("asr", "en", [], sounds=[Heard(**vars(measured))])
    assert (sound.band(telephone, 5_000) is not None) == (native == 8_000)


def test_nothing_is_heard_in_silence_and_rounding_is_not_taken_for_sound() -> None:
    assert measure(_flac(np.zeros(RATE))).band == 0
    faint = 60 * np.sin(np.arange(RATE) * 2 * math.pi * 440 / RATE)  # 60 dB below it lies what rounding adds
    assert measure(_flac(faint)).band <= 1_000


def test_a_sound_that_does_not_decode_any_more_says_so() -> None:
    with pytest.raises(RecordError, match="does not decode"):
        measure(b"fLaC" + bytes(60))


def test_a_transcript_that_nobody_can_say_in_its_time_is_refused() -> None:
    assert sound.fast_speech(_says("a" * 200, kind="asr", seconds=2), 40.0) is not None
    assert sound.fast_speech(_says("好" * 30, kind="asr", seconds=2), 40.0) is not None
    assert sound.fast_speech(_says("a" * 200, kind="qa", seconds=2), 40.0) is None
    assert sound.fast_speech(_says("so it is said", kind="asr", seconds=1), 40.0) is None
    assert sound.slow_speech(_says("a", kind="tts", seconds=20), 0.5) is not None
    assert sound.slow_speech(_says("yes", kind="asr", seconds=0.4), 0.5) is None


def test_a_film_that_stands_still_is_refused_and_one_that_moves_is_not() -> None:
    still = Film([0, 1, 2, 3], [5, 5, 4, 5])
    moving = Film([0, 1, 2, 3], [5, 5, 4, 2**60 - 1])
    blank = Film([0, 1, 2, 3], [None] * 4)
    assert film.frozen_film(Sample("qa", "en", [], films=[still]), "on") is not None
    for other in (moving, blank):
        assert film.frozen_film(Sample("qa", "en", [], films=[other]), "on") is None


def test_a_hole_in_a_film_is_one_frame_at_several_times() -> None:
    holed = Film([0, 1, 2, 3, 4], [1, 2, 2, 2, 3], [b"a", b"b", b"b", b"b", b"c"])
    sample = Sample("qa", "en", [], films=[holed])
    reject = film.film_hole(sample, 1.5)
    assert reject is not None
    assert (reject.rule, reject.value, reject.threshold) == ("film_hole", "2.0", "1.5")
    assert film.film_hole(sample, 2.0) is None
    alike = Film([0, 1, 2], [5, 5, 5], [b"a", b"b", b"c"])  # it stands still, and frames do come
    assert film.film_hole(Sample("qa", "en", [], films=[alike, Film([0.0], [1], [b"a"])]), 0.5) is None


def test_a_clip_that_is_over_before_its_transcript_could_be_written_is_refused() -> None:
    def said(text: str, seconds: float, kind: str = "asr") -> Sample:
        heard = Heard(seconds, -20.0, 0.0, 0.1)
        return Sample(kind, "en", [{"from": "gpt", "value": text}], sounds=[heard])

    frames = 48  # of two seconds, after the windows of features and two convolutions
    assert sound.ctc(said("ab" * (frames // 2), 2.0), "on") is None
    reject = sound.ctc(said("ab" * (frames // 2) + "a", 2.0), "on")
    assert reject is not None and (reject.rule, reject.value, reject.threshold) == (
        "ctc_too_short",
        "48",
        "49",
    )
    assert sound.ctc(said("aa" * 17, 2.0), "on") is not None  # a blank stands between equal ones
    assert sound.ctc(said("ab" * 60, 2.0, "tts"), "on") is None
