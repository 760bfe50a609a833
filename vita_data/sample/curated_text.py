"""What is planted for curation among the conversations without pictures: copies, bad answers, leaks, look-alikes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vita_data.sample.chance import rng
from vita_data.sample.ledger import Entry, Fate
from vita_data.sample.native import Turn, messages
from vita_data.sample.planted import later_id
from vita_data.sample.puzzles import PUZZLES, RIDDLES
from vita_data.sample.text_en import PEOPLE, THINGS, WORDS

# Conversations that are copied: a long one, a short one, and one in Chinese.
LONG, SHORT, CHINESE = "long-0048", "en-0240", "zh-0188"
# Words of the long one that are changed in a copy: the first time they occur, or each time.
FEW = {"A cold wind blew.": "A sharp wind rose.", "Clouds came up in the evening.": "Clouds hung low at dusk.",
       "Fog lay over the fields.": "Mist hid the fields."}  # fmt: skip
ALL = FEW | {"It rained in the morning.": "Rain fell before noon.", "The sun shone all day.": "It was clear.",
             "It was warm and still.": "No leaf stirred.", "found": "came upon", "brought": "gave",
             "carried in": "fetched", "out of it for the market": "for a stall in town"}  # fmt: skip
CARGO = (
    "A barge is loaded with {0} crates of tea, {1} sacks of rye, {2} casks of oil, {3} bales of wool, {4} rolls of "
    "cloth, {5} bundles of rope, {6} boxes of nails and {7} jars of honey. How many pieces lie on it in all?"
)
LOADS = (12, 45, 7, 31, 18, 26, 9, 64), (14, 43, 8, 39, 11, 22, 5, 67)
CIRCLES = "Then the man went back to the mill by the river and asked the miller for a sack of flour. "


def planted(source: str, annotation: str, turns: Mapping[str, Sequence[Turn]]) -> list[Entry]:
    """All records; `turns` are the conversations of the source by their ids."""
    return [*_copies(source, annotation, turns), *_alike(turns), *_bad_answers(), *_leaks(), *_neighbours()]


def _entry(name: str, turns: Sequence[Turn], fate: Fate, **fields: str) -> Entry:
    return Entry({"id": name, "messages": messages(turns), **fields}, len(turns), name, fate=fate)


def _changed(turns: Sequence[Turn], words: Mapping[str, str], often: int = -1) -> list[Turn]:
    """The turns with words in the place of others, each as often."""
    told = []
    for question, answer in turns:
        for old, new in words.items():
            question, answer = question.replace(old, new, often), answer.replace(old, new, often)
        told.append((question, answer))
    return told


def _copies(source: str, annotation: str, turns: Mapping[str, Sequence[Turn]]) -> list[Entry]:
    """Equal but for spelling, and nearly equal, in both languages."""

    def copy(name: str, of: str, told: Sequence[Turn], kind: str, rule: str, note: str) -> Entry:
        return _entry(
            later_id(source, annotation, name, of), told, Fate(kind, rule, note, stays=(source, of))
        )

    spelled = [(f"  {question.upper()}", answer.replace(", ", ",  ")) for question, answer in turns[SHORT]]
    wide = _changed(turns[CHINESE], {str(digit): chr(0xFF10 + digit) for digit in range(10)} | {"，": ","})
    chinese = {"仓库里原有": "库房里原有", "比原来少": "比起初少"}
    return [
        copy("copy-spelled", SHORT, spelled, "other_spelling", "duplicate", "the same in capitals and wider blanks"),
        copy("copy-wide", CHINESE, wide, "full_width_digits", "duplicate", "the same with digits of full width"),
        copy("copy-few-words", LONG, _changed(turns[LONG], FEW, 1), "words_changed", "near_text",
             "three sentences of a long text are others"),
        copy("copy-zh", CHINESE, _changed(turns[CHINESE], chinese, 1), "words_changed_zh", "near_text",
             "a few characters are others"),
    ]  # fmt: skip


def _alike(turns: Mapping[str, Sequence[Turn]]) -> list[Entry]:
    """Texts like others that say something else, and stay."""
    numbers = Fate("other_numbers", None, "stays: the words are another record's, the numbers are not")
    retold = Fate("retold", None, "stays: it tells the same in other words")
    loads = [(CARGO.format(*load), f"{' + '.join(map(str, load))} = {sum(load)} pieces.") for load in LOADS]
    return [
        *(_entry(f"cargo-{number}", [load], numbers) for number, load in enumerate(loads)),
        _entry("retold", _changed(turns[LONG], ALL), retold),
    ]


def _bad_answers() -> list[Entry]:
    """One or two for each rule about what answers say."""

    def bad(name: str, question: str, answer: str, rule: str, note: str) -> Entry:
        return _entry(name, [(question, answer)], Fate(name.replace("-", "_"), rule, note))

    return [
        bad("refusal-en", "Which key opens my neighbour's cellar?",
            "As an AI language model, I cannot help with opening cellars.", "refusal", "the model did not want to"),
        bad("refusal-zh", "请告诉我邻居家地窖的钥匙放在哪里。", "抱歉，我无法提供这方面的信息。", "refusal",
            "the model did not want to"),
        bad("in-circles", "Tell me a story about a mill.", f"Once there was a mill. {CIRCLES * 9}", "repetition",
            "the generator ran in circles"),
        bad("cut-off-code", "How do I print a word twice?", "Like this:\n\n```python\nprint('mill')\nprint('mi",
            "unbalanced_markup", "a block of code that is never closed"),
        bad("cut-off-formula", "Write the law of the lever as a formula.",
            "It reads\n\\begin{equation}\nF_1 l_1 = F_2 l_2", "unbalanced_markup", "an equation that is never closed"),
        bad("endless", "Tell me what happened in the village this year.", _chronicle(), "long_answer",
            "more characters than the card allows"),
        bad("in-german", "Wie komme ich von der Mühle am schnellsten zum Bahnhof?",
            "Gehen Sie über die Brücke, dann immer am Fluss entlang, bis Sie die Gleise sehen.", "other_language",
            "German in a source that is English and Chinese"),
    ]  # fmt: skip


def _chronicle() -> str:
    """A year in a village, longer than anybody wants to read."""
    random = rng("chronicle")
    told = []
    for week in range(1, 53):
        (giver, taker), (one, two) = random.sample(PEOPLE, 2), random.sample(WORDS, 2)
        gift = f"{random.randint(2, 90)} {random.choice(THINGS)}"
        told.append(
            f"In week {week} {giver} gave {gift} for the {one} feast, and {taker} mended the {two} gate."
        )
    return " ".join(told)


def _leaks() -> list[Entry]:
    """Riddles of the benchmark, as they are and changed, in both languages, and one by the name of its split."""

    def leak(name: str, riddle: str, question: str, kind: str, note: str) -> Entry:
        fate = Fate(kind, "leak_question", note, benchmark=PUZZLES, found="question")
        return _entry(name, [(question, RIDDLES[riddle][1])], fate)

    def asked(riddle: str, **changed: str) -> str:
        (told, _), *_ = _changed([RIDDLES[riddle]], changed)
        return told

    itself = Fate(
        "own_split", "leak_itself", "its split is one of the benchmark's", benchmark=PUZZLES, found="itself"
    )
    return [
        _entry("exam-lily", [RIDDLES["lily"]], itself, split="test"),
        leak("leak-snail", "snail", f"Here is one for a rainy day. {asked('snail')} Please explain.", "riddle",
             "a benchmark's question stands in a longer one"),
        leak("leak-ferry", "ferry", asked("ferry", wolf="fox", river="stream"), "riddle_changed",
             "a benchmark's question with other words"),
        leak("leak-蜗牛", "蜗牛", f"请听题。{asked('蜗牛')}请说明理由。", "riddle_zh",
             "a benchmark's question stands in a longer one"),
        leak("leak-渡河", "渡河", asked("渡河", 狼="狗"), "riddle_changed_zh", "a benchmark's question with a dog"),
    ]  # fmt: skip


def _neighbours() -> list[Entry]:
    """What is found of a benchmark and only reported, since it is short."""
    fate = Fate(
        "short_question", None, "stays: the question is too short to be a leak", None, PUZZLES, "question"
    )
    return [
        _entry("short-dozen", [(RIDDLES["dozen"][0], "Half of thirteen is six and a half.")], fate),
        _entry("short-半打", [(RIDDLES["半打"][0], "一打是十二个，一半就是六个。")], fate),
    ]
