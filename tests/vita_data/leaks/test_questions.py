"""Questions of benchmarks are found where they leaked, and not where only their manner is the same."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from vita_data.errors import VitaError
from vita_data.leaks import search
from vita_data.leaks.questions import QuestionIndex
from vita_data.leaks.search import Finding

ENZYME = "Which enzyme cleaves the phosphodiester bonds within a polynucleotide chain of nucleic acids?"
APPLES = "小明有12个苹果，给了小红5个，后来又买了8个，请问小明现在一共有多少个苹果？"
GENERIC = (
    "What is in the picture?",
    "图里有什么？",
    "How many people are there in the image?",
    "请描述这张图片。",
)
ROLES = ("teacher", "doctor", "farmer", "soldier", "painter", "baker", "sailor", "pilot", "singer", "dancer")
THINGS = (
    "umbrella",
    "bicycle",
    "suitcase",
    "kettle",
    "guitar",
    "ladder",
    "candle",
    "basket",
    "mirror",
    "blanket",
)
TEMPLATED = [
    f"What is the colour of the {thing} that the {role} is holding in this picture?"
    for thing in THINGS
    for role in ROLES
    if (thing, role) != ("kettle", "pilot")
]


def found(index: QuestionIndex, text: str, **bounds: float) -> list[tuple[int, str]]:
    """(question, how) of what is found in one text."""
    return [(finding.question, finding.how) for finding in index.find([text], **bounds)]


@pytest.fixture(scope="module")
def index() -> QuestionIndex:
    """Two questions of their own, four generic ones, and many from a template."""
    return QuestionIndex.build([ENZYME, APPLES, *GENERIC, *TEMPLATED])


@pytest.mark.parametrize("text", [ENZYME, ENZYME.upper().rstrip("?"), f"<image>\n{ENZYME}\nAnswer briefly."])
def test_a_question_that_is_a_text_or_a_line_of_it_is_equal(index: QuestionIndex, text: str) -> None:
    (finding,) = index.find(["nothing", text])
    assert finding == Finding(1, 0, "equal", 1.0, 13.0, finding.words)
    assert finding.words == ENZYME.lower().rstrip("?")


@pytest.mark.parametrize("number", range(4))
def test_generic_questions_are_equal_to_themselves_and_not_found_elsewhere(
    index: QuestionIndex, number: int
) -> None:
    text = GENERIC[number]
    assert found(index, text) == [(2 + number, "equal")]
    assert found(index, f"Look closely. {text} Tell me. 你好，{text} 谢谢") == []


@pytest.mark.parametrize(
    "text",
    [
        "What is in the image?",
        "What can be seen in the picture?",
        "How many dogs are there in the image?",
        "图里有几只猫？",
        "请详细描述这张图片的内容。",
        "Which enzyme is it?",
        "小明有几个苹果？",
        "Describe the polynucleotide chain of nucleic acids.",
    ],
)
def test_harmless_questions_are_not_found(index: QuestionIndex, text: str) -> None:
    assert found(index, text) == []


def test_another_question_from_a_template_is_not_found(index: QuestionIndex) -> None:
    text = "What is the colour of the kettle that the pilot is holding in this picture?"
    assert found(index, text) == []
    assert found(index, f"He asked: {text} Nobody knew.") == []


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (ENZYME.replace("cleaves the", "breaks"), 0),
        (ENZYME.replace("enzyme", "protein").replace("chain", "strand"), 0),
        (ENZYME.replace("within", "that lie within"), 0),
        (APPLES.replace("一共有", "总共还有"), 1),
        (APPLES.replace("后来又买了", "又买回"), 1),
    ],
)
def test_a_few_changed_words_do_not_hide_a_leak(index: QuestionIndex, text: str, question: int) -> None:
    assert found(index, text) == [(question, "near")]
    inside = f"In the next part we turn to other matters. {text} 下面我们来看另外一个问题的解法。"
    assert found(index, inside) == [(question, "near")]


def test_the_evidence_is_what_stands_in_the_text(index: QuestionIndex) -> None:
    (finding,) = index.find([f"Some words before. {ENZYME.replace('chain', 'strand')} Some behind."])
    assert finding.words == ENZYME.lower().replace("chain", "strand").rstrip("?")
    assert finding.how == "near" and 0.8 < finding.score < 1 and finding.length == 13


def test_words_put_in_between_take_nothing_from_the_score(index: QuestionIndex) -> None:
    (finding,) = index.find([ENZYME.replace("bonds", "bonds (and here I quote)")])
    assert finding.score == 1 and finding.how == "near" and finding.words.startswith("which enzyme")


def test_a_leak_is_found_anywhere_in_a_long_document_and_named_once(index: QuestionIndex) -> None:
    rng = random.Random(3)
    words = [f"{rng.choice('bcdfg')}{rng.choice('aeiou')}{rng.randrange(999)}" for _ in range(30_000)]
    words[5:5] = words[20_000:20_000] = ENZYME.split()
    assert found(index, " ".join(words)) == [(0, "near")]
    assert index.find([" ".join(words)])[0].score == 1


def test_a_text_that_repeats_part_of_a_question_is_no_leak(index: QuestionIndex) -> None:
    assert found(index, "phosphodiester bonds within a " * 5000) == []
    assert found(index, "苹果给了小红" * 5000) == []


def test_options_are_optional() -> None:
    stem, options = "Which of these is right?", ["A. a quasar B. a pulsar", "A. basalt B. granite C. gneiss"]
    index = QuestionIndex.build([stem, stem, ENZYME], [*options, "A. nuclease\nB. ligase"])
    assert index.first_equal.tolist() == [0, 0, 2]
    assert found(index, stem) == [(0, "equal")]
    assert found(index, f"{stem}\n{options[1]}") == [(1, "equal")]
    assert found(index, ENZYME) == [(2, "equal")]
    (finding,) = index.find([f"{ENZYME}\nA. nuclease\nB. ligase"])
    assert (finding.question, finding.how, finding.length) == (2, "equal", 17)


def test_rows_with_the_options_in_other_orders_do_not_make_a_question_common() -> None:
    options = [f"A. {one} B. {other}" for one in THINGS for other in THINGS if one != other]
    index = QuestionIndex.build([ENZYME] * len(options), options)
    assert [how for _, how in found(index, f"Tell me. {ENZYME} Thanks.")] == ["near"]


def test_equal_questions_are_one_and_empty_ones_none() -> None:
    index = QuestionIndex.build([APPLES, "", "???", APPLES.replace("？", "?"), ENZYME])
    assert index.first_equal.tolist() == [0, 1, 2, 0, 4]
    assert found(index, APPLES) == [(0, "equal")]
    assert found(index, "") == found(index, "???") == []


def test_copies_in_other_words_do_not_make_a_question_common() -> None:
    copies = [f"{ENZYME} Choose {letter}" for letter in ("well", "one", "an answer", "the letter")]
    index = QuestionIndex.build([ENZYME, *copies])
    assert {question for question, _ in found(index, f"Tell me. {ENZYME} Thanks.")} >= {0}


def test_how_little_is_enough_can_be_chosen(index: QuestionIndex) -> None:
    half = "Which enzyme cleaves the phosphodiester bonds of this?"
    assert found(index, half) == []
    assert found(index, half, share=0.3, bits=20.0) == [(0, "near")]


def test_likeness_compares_pairs_however_plain_they_are(index: QuestionIndex) -> None:
    texts = ["<image>\nWhat is in the picture?", "What is in that picture", "Is it red?", ENZYME, "", "???"]
    values = index.likeness(texts, [2, 2, 2, 0, 0, 3])
    assert values[0] == values[3] == 1
    assert 0.5 < values[1] < 1 and values[2] < 0.3 and values[4] == values[5] == 0


def test_findings_do_not_depend_on_what_is_looked_at_together(
    index: QuestionIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [*TEMPLATED[:9], ENZYME, "", f"so: {APPLES}", *GENERIC, f"{ENZYME} {APPLES}"]
    together = index.find(texts)
    assert [finding._replace(text=0) for finding in together] == [
        finding for text in texts for finding in index.find([text])
    ]
    monkeypatch.setattr(search, "BLOCK", 100)
    assert index.find(texts) == together


def test_transcripts_are_found_without_marks_and_case() -> None:
    said = "MISTER QUILTER IS THE APOSTLE OF THE MIDDLE CLASSES AND WE ARE GLAD TO WELCOME HIS GOSPEL"
    index = QuestionIndex.build([said, "而 对 楼市 成交 抑制 作用 最 大 的 限 购"])
    book = "Mister Quilter is the apostle of the middle classes, and we are glad to welcome his gospel."
    assert found(index, book) == [(0, "equal")]
    assert found(index, "他说，而对楼市成交抑制作用最大的限购，已经取消。") == [(1, "near")]


def test_an_index_of_nothing_finds_nothing() -> None:
    index = QuestionIndex.build([])
    assert len(index) == 0 and index.find([ENZYME, ""]) == [] and index.find([]) == []


def test_an_index_comes_back_from_disk_as_it_was(index: QuestionIndex, tmp_path: Path) -> None:
    for name, one in (("full", index), ("empty", QuestionIndex.build([]))):
        one.save(str(tmp_path / name))
        again = QuestionIndex.load(str(tmp_path / name))
        texts = [ENZYME, *GENERIC, f"so: {APPLES}"]
        assert again.find(texts) == one.find(texts) and len(again) == len(one)
        with pytest.raises(ValueError, match="read-only"):
            again.arrays.bitmap[0] = 1


def test_an_index_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        QuestionIndex.build(TEMPLATED).save(str(tmp_path / name))
    files = {
        name: {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    }
    assert files["one"] == files["two"]


def _cut(folder: Path) -> None:
    path = folder / "tokens.npy"
    path.write_bytes(path.read_bytes()[:-8])


def _other_version(folder: Path) -> None:
    path = folder / "index.json"
    path.write_text(path.read_text().replace('"kind": "questions"', '"kind": "sounds"'))


DAMAGE: dict[str, Any] = {
    "no whole index": lambda folder: (folder / "index.json").unlink(),
    "tokens.npy": _cut,
    "does not read": _other_version,
    "cannot be read": lambda folder: (folder / "says.npy").write_bytes(b"no array"),
    "says.npy cannot be read": lambda folder: (folder / "says.npy").unlink(),
}


@pytest.mark.parametrize("words", DAMAGE)
def test_a_damaged_index_is_refused(words: str, tmp_path: Path) -> None:
    QuestionIndex.build([ENZYME]).save(str(tmp_path))
    DAMAGE[words](tmp_path)
    with pytest.raises(VitaError, match=words):
        QuestionIndex.load(str(tmp_path))
