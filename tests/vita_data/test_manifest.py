"""Reading cards strictly: what is wrong is said with file, line and what to write instead."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from manifests import ROOT
from vita_data.errors import ManifestError
from vita_data.manifest.bind import bind
from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.parse import parse_card
from vita_data.manifest.source import SourceCard
from vita_data.manifest.stage import StageCard

SOURCE = """\
source: my-photos
title: My photographs
row: {scenario: General Image, type: QA, name: Mine}
language: en
licence: cc-by-4.0
released: true
get: Unpack it here.
root: photos
adapter: llava_json
annotations: [questions.json]
options:
  turns: conversations
  media_root: pictures
"""
MIXTURE = """\
mixture: mine
title: Mine
sources:
  - {source: my-photos, questions: 100}
  - source: sharegpt4v
    questions: all
"""
STAGE = (ROOT / "stages" / "1.3.yaml").read_text()
HALVES = (ROOT / "stages" / "2.1.yaml").read_text()


def read_source(text: str) -> SourceCard:
    node = parse_card(text.encode(), "card.yaml")
    return bind(node, SourceCard, path=Path("card.yaml"), origin="file")


def read_stage(text: str) -> StageCard:
    return bind(parse_card(text.encode(), "card.yaml"), StageCard)


def read_mixture(text: str) -> MixtureCard:
    return bind(parse_card(text.encode(), "card.yaml"), MixtureCard, path=Path("card.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("licence:", "license:", "card.yaml:5: unknown key license; write licence"),
        ("licence: cc-by-4.0\n", "", "card.yaml:1: the key licence is missing; add `licence:` with text"),
        (
            "type: QA, ",
            "",
            "card.yaml:3: the key row.type is missing; add `type:` with one of Description, QA",
        ),
        ("type: QA", "kind: QA", "card.yaml:3: unknown key row.kind; the keys here are scenario, type, name"),
        ("type: QA", "type: Describtion", "card.yaml:3: row.type is 'Describtion'; write Description"),
        ("language: en", "language: no", "card.yaml:4: language is 'no'; write one of en, zh, en-zh"),
        ("released: true", "released: 1", "card.yaml:6: released is '1'; write true or false"),
        (
            "[questions.json]",
            "questions.json",
            "card.yaml:10: annotations is 'questions.json'; write a list: text,",
        ),
        ("[questions.json]", "[]", "card.yaml:10: annotations is an empty list; name the file"),
        ("licence: cc-by-4.0", "licence:", "card.yaml:5: licence is empty; write text"),
        ("licence: cc-by-4.0", "licence: [a]", "card.yaml:5: licence is a list; write text"),
        ("licence: cc-by-4.0", "licence: ' '", "card.yaml:5: licence   is blank; write text"),
        (
            "licence:",
            "title: Again\nlicence:",
            "card.yaml:5: title stands twice (before on line 2); keep one",
        ),
        (
            "my-photos",
            "My Photos",
            "card.yaml:1: source My Photos is no name; use a-z, 0-9 and hyphens, write my-photos",
        ),
        ("my-photos", "a" * 41, "is longer than 40 characters; write a shorter name"),
        ("llava_json", "lava_json", "card.yaml:9: adapter lava_json is no adapter; write one of llava_json"),
        (
            "root: photos",
            "root: photos\ntolerance: 1.5",
            "card.yaml:9: tolerance 1.5 is above 1; shares are parts of",
        ),
        ("root: photos", "root: photos\ntolerance: 2%", "card.yaml:9: tolerance is '2%'; write a number"),
        (
            "released: true",
            "released: false",
            "card.yaml:6: a source that was never released names a substitute",
        ),
        (
            "row: {scenario: General Image, type: QA, name: Mine}",
            "row: QA",
            "card.yaml:3: row is 'QA'; write keys and",
        ),
        (
            "options:\n  turns: conversations\n  media_root: pictures",
            "options: none",
            "card.yaml:11: options is 'none'",
        ),
    ],
)
def test_a_mistake_in_a_source_card_is_named_with_its_line_and_what_to_write(
    old: str, new: str, said: str
) -> None:
    assert old in SOURCE
    with pytest.raises(ManifestError) as caught:
        read_source(SOURCE.replace(old, new, 1))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "caption: 0.2",
            "caption: 20",
            "card.yaml:5: shares.caption 20 is above 1; shares are parts of a source, write 0.2",
        ),
        ("caption: 0.2", "caption: -0.2", "shares.caption -0.2 is below 0; shares are parts of a source"),
        (
            "{caption: 0.2, qa: 1}",
            "{asr: 1}",
            "card.yaml:5: shares.asr is not counted in questions; write caption or qa",
        ),
        (
            "shares: {",
            "noise_answer: end\nshares: {",
            "an answer that ends at once says nothing but its state; add state_tokens: true",
        ),
        (
            "{caption: 0.2, qa: 1}",
            "{}",
            "card.yaml:5: the stage draws nothing; give a share to caption or qa",
        ),
        (
            "learning_rate: 2e-5",
            "learning_rate: '2e-5'",
            "schedule.learning_rate is the quoted text '2e-5'; write a number",
        ),
        ("learning_rate: 2e-5", "learning_rate: 0", "schedule.learning_rate 0 is not above 0"),
        ("epochs: 1", "epochs: 0", "schedule.epochs 0 is below 1; write 1 or more"),
        ("epochs: 1", "epochs: 1.5", "schedule.epochs is '1.5'; write a whole number"),
        ("[0.9, 0.999]", "[0.9]", "schedule.betas is a list; write a list of 2: a number"),
        ("decay: cosine", "decay: exponential", "decay exponential does not fit decay_rate"),
        ("decay: cosine", "decay: cosin", "schedule.decay is 'cosin'; write cosine"),
        (
            'needs: ["1.2"]',
            "needs: [Stage 1.2]",
            "needs[0] Stage 1.2 is no start; write 1.2 or weights:language_model",
        ),
        ("loss: lm\n", "", "card.yaml:2: the stage does not say how it trains"),
        (
            "state_tokens: true",
            "state_token: true",
            "unknown key options.public-script.state_token; write state_tokens",
        ),
        ("state_tokens: true", "half: a", "half a is not there; write one of the keys of halves"),
        ("shares.qa:", "share.qa:", "why names no key share.qa; write shares"),
    ],
)
def test_a_mistake_in_a_stage_card_is_named_with_its_line_and_what_to_write(
    old: str, new: str, said: str
) -> None:
    assert old in STAGE
    with pytest.raises(ManifestError, match=r"^card.yaml:\d+: ") as caught:
        read_stage(STAGE.replace(old, new, 1))
    assert said in str(caught.value)


def test_a_stage_in_halves_keeps_its_training_in_them() -> None:
    with pytest.raises(ManifestError, match=r"card.yaml:1: a stage in halves trains in them only"):
        read_stage("loss: lm\n" + HALVES)
    with pytest.raises(ManifestError, match=r"trains belongs to one half; add `half:`"):
        read_stage(HALVES.replace("    half: b\n", ""))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "questions: 100",
            "questions: many",
            "card.yaml:4: sources[0].questions is 'many'; write a whole number or all",
        ),
        (
            "questions: 100",
            "questions: '100'",
            "sources[0].questions is the quoted text '100'; write a whole number",
        ),
        ("questions: 100", "questions: 0", "sources[0].questions 0 is below 1"),
        ("questions: 100", "questions: 1__0", "sources[0].questions is '1__0'; write a whole number or all"),
        (", questions: 100", "", "card.yaml:4: source my-photos has no amount; add `questions:`"),
        (
            "source: sharegpt4v",
            "source: my-photos",
            "card.yaml:5: source my-photos is already number 1 of the list",
        ),
        (
            "title: Mine",
            "title: Mine\ngeometry: {max_tile: 3}",
            "card.yaml:3: unknown key geometry.max_tile; write max_tiles",
        ),
        (
            "title: Mine",
            "title: Mine\ngeometry: {min_frames: 20}",
            "min_frames 20 is above max_frames; write 16 or less",
        ),
        (
            "title: Mine",
            "title: Mine\ntraining: {epoch: 3}",
            "card.yaml:3: unknown key training.epoch; write epochs",
        ),
        ("title: Mine", "title: Mine\ntraining: {epochs: 0}", "card.yaml:3: training.epochs 0 is below 1"),
        (
            "title: Mine",
            "title: Mine\nholdout: {share: 1.2}",
            "holdout.share 1.2 is above 1; shares are parts of a source, write 0.012",
        ),
    ],
)
def test_a_mistake_in_a_mixture_is_named_with_its_line_and_what_to_write(
    old: str, new: str, said: str
) -> None:
    assert old in MIXTURE
    with pytest.raises(ManifestError) as caught:
        read_mixture(MIXTURE.replace(old, new, 1))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "c.yaml:1: the card is empty"),
        (b"# only a comment\n", "c.yaml:1: the card is empty"),
        (b"- a\n- b\n", "c.yaml:1: the card is a list; write keys and values"),
        (b"just words\n", "c.yaml:1: the card is a single text"),
        (b"a: 1\n\tb: 2\n", "c.yaml:2: a tab where YAML wants spaces; indent with spaces"),
        (
            b"a: 1\ntitle: one: two\n",
            "c.yaml:2: a second `: ` or a stray indent; put text that holds a colon in quotes",
        ),
        (b"a: 1\nb: \xff\n", "c.yaml:2: bytes that are not UTF-8; save the card as UTF-8"),
        (b"a: 1\nb: \x00\n", "c.yaml:2: a control character"),
        (b"a: 1\n---\nb: 2\n", "c.yaml:2: a second document begins; write one card per file"),
        (b"a: *b\n", "c.yaml:1: an alias (*name) without its anchor"),
        (b"a: &b [*b]\n", "c.yaml:1: nested too deeply, or within itself"),
        (
            b"a: !!python/object:os.system 1\n",
            "c.yaml:1: the tag tag:yaml.org,2002:python/object:os.system means nothing",
        ),
        (b"a: 1\nb: [1, 2\n", "c.yaml:2: this is not YAML"),
        (b"? [a]\n: 1\n", "c.yaml:1: a key that is no text"),
        (b"[" * 5000, "c.yaml:1: "),
        (b"[" * 500 + b"]" * 500, "c.yaml:1: nested too deeply"),
    ],
)
def test_a_file_that_is_no_card_is_refused_with_its_line(data: bytes, said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_card(data, "c.yaml")
    assert str(caught.value).startswith(said)


def test_shares_are_exact_and_names_keep_their_text() -> None:
    card = read_stage(STAGE.replace('"1.3"', "1.10"))
    assert card.stage == "1.10"
    assert card.shares.caption == Fraction(1, 5)
    assert read_source(SOURCE.replace("title: My photographs", "title: no")).title == "no"
    assert read_stage(STAGE.replace("pure_text: true", "pure_text: off")).pure_text is False


def test_anchors_and_merge_keys_work_in_cards() -> None:
    text = MIXTURE.replace("{source: my-photos, questions: 100}", "&line {source: my-photos, questions: 100}")
    card = read_mixture(text + "  - {<<: *line, source: chatqa}\n")
    assert [(line.source, line.questions) for line in card.sources] == [
        ("my-photos", 100),
        ("sharegpt4v", "all"),
        ("chatqa", 100),
    ]


def test_options_know_their_lines_and_can_be_bound_by_an_adapter() -> None:
    @dataclass(frozen=True)
    class AdapterOptions:
        turns: str
        media_root: str = "."

    card = read_source(SOURCE)
    assert dict(card.options) == {"turns": "conversations", "media_root": "pictures"}
    assert card.options.where("media_root") == "card.yaml:13"
    assert card.options.where("absent") == "card.yaml:11"
    assert bind(card.options.node, AdapterOptions) == AdapterOptions("conversations", "pictures")
    with pytest.raises(ManifestError, match=r"card.yaml:12: unknown key turn; write turns"):
        bind(read_source(SOURCE.replace("turns:", "turn:")).options.node, AdapterOptions)


def test_a_card_travels_to_a_worker_and_back() -> None:
    card = read_source(SOURCE)
    assert pickle.loads(pickle.dumps(card)) == card
