"""Finding cards, and the cards that ship: they load, fit their adapters and agree with Table 1."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from manifests import ROOT
from vita_data.errors import ManifestError, UsageError
from vita_data.manifest.bind import bind
from vita_data.manifest.find import (
    all_sources,
    all_stages,
    find_card,
    load_mixture,
    load_source,
    load_sources,
    load_stage,
)
from vita_data.manifest.geometry import Geometry
from vita_data.manifest.mixture import MixtureCard, MixtureOption
from vita_data.manifest.source import ADAPTERS, SourceCard, source_root
from vita_data.manifest.stage import StageCard, split_stage
from vita_data.manifest.tables import source_rows, stage_rows

README = (ROOT / "README.md").read_text()
SOURCE, STAGE, MIXTURE = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_card_beside_the_mixture_comes_before_manifests_and_the_package(tmp_path: Path) -> None:
    mixture = write(tmp_path / "mine" / "chatqa.yaml", MIXTURE)
    beside = write(tmp_path / "mine" / "sources" / "chatqa.yaml", SOURCE.replace("my-photos", "chatqa"))
    named = write(tmp_path / "dir" / "sources" / "chatqa.yaml", SOURCE.replace("my-photos", "chatqa"))
    assert find_card("sources", "chatqa", mixture, tmp_path / "dir") == beside
    assert find_card("sources", "chatqa", None, tmp_path / "dir") == named
    assert find_card("sources", "chatqa") == ROOT / "sources" / "chatqa.yaml"
    assert load_source("chatqa").origin == "package"
    assert load_source("chatqa", mixture).origin == "file"


def test_an_unknown_source_is_named_at_its_line_with_the_closest_name(tmp_path: Path) -> None:
    mixture = write(tmp_path / "mine.yaml", MIXTURE.replace("sharegpt4v", "sharegpt4"))
    with pytest.raises(ManifestError) as caught:
        load_mixture(str(mixture))
    assert str(caught.value).startswith(
        f"{mixture}:8: there is no source card sharegpt4 (looked in {tmp_path}, "
    )
    assert str(caught.value).endswith("; write sharegpt4v")


def test_a_card_that_calls_itself_otherwise_than_its_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "sources" / "other.yaml", SOURCE)
    with pytest.raises(
        ManifestError, match=r"other.yaml:1: the card calls itself my-photos but its file is other"
    ):
        load_source("other", None, tmp_path)


@pytest.mark.parametrize("name", ["nowhere.yaml", "./nowhere"])
def test_a_mixture_file_that_is_not_there_is_said_so(name: str) -> None:
    with pytest.raises(ManifestError, match=r"nowhere.*: there is no such file"):
        load_mixture(name)


def test_the_root_of_a_source_follows_data_root_then_its_card_then_the_current_folder(tmp_path: Path) -> None:
    own = load_source(str(write(tmp_path / "my-photos.yaml", SOURCE)))
    assert source_root(own, None) == str(tmp_path / "my-photos")
    assert source_root(own, "/data") == "/data/my-photos"
    assert source_root(own, "gs://bucket/data") == "gs://bucket/data/my-photos"
    assert source_root(load_source("chatqa"), None) == "chartqa"
    for root in ("s3://bucket/photos", "/data/photos"):
        assert source_root(replace(own, root=root), "/elsewhere") == root


def test_every_packaged_source_is_a_row_of_table_1_or_of_the_sample() -> None:
    paper = load_mixture("paper")
    cards = load_sources(paper)
    assert set(cards) <= {card.source for card in all_sources()}
    assert len({card.row.name for card in cards.values()}) == 24
    never = {name for name, card in cards.items() if not card.released}
    assert never == {
        "synthetic-image-caption",
        "synthetic-image-qa",
        "icdar2019-lsvt-qa",
        "synthetic-video-caption",
        "synthetic-video-qa",
        "synthetic-text",
    }
    for card in cards.values():
        assert card.estimate is not None
        assert card.estimate.questions == paper.line(card.source).questions  # type: ignore[union-attr]


def test_the_paper_mixture_sums_to_table_1_by_scenario_and_language() -> None:
    paper = load_mixture("paper")
    cards = load_sources(paper)
    rows: Counter[str] = Counter()
    for line in paper.sources:
        assert isinstance(line.questions, int)
        card = cards[line.source]
        rows.update({f"{card.row.scenario} {card.row.type}": line.questions, card.language: line.questions})
    assert rows == {
        "General Image Description": 1_446_100,
        "General Image QA": 6_158_180,
        "OCR & Diagram Description": 2_377_500,
        "OCR & Diagram QA": 5_465_780,
        "General Video Description": 775_100,
        "General Video QA": 4_336_300,
        "Pure Text QA": 1_574_200,
        "en": 11_615_240,
        "zh": 4_038_020,
        "en-zh": 6_479_900,
    }
    assert rows["en"] + rows["zh"] + rows["en-zh"] == 22_133_160
    assert paper.geometry == Geometry()


def test_every_released_corpus_says_which_version_to_take() -> None:
    published = [card for card in all_sources() if not card.source.startswith("sample-") and card.released]
    assert len(published) > 30
    assert [card.source for card in published if card.revision is None] == []
    vague = [card.source for card in published if not re.search(r"[0-9]", str(card.revision))]
    assert vague == []  # neither main nor latest


def test_the_options_of_every_packaged_card_fit_its_adapter() -> None:
    from vita_data.sources import registry

    assert set(ADAPTERS) == set(registry.ADAPTERS)
    for card in all_sources():
        bind(card.options.node, registry.ADAPTERS[card.adapter][1])


def test_the_seven_stages_start_from_weights_or_from_each_other() -> None:
    stages = {card.stage: card for card in all_stages()}
    assert list(stages) == ["1.1", "1.2", "1.3", "2.1", "2.2", "3.1", "3.2"]
    rows = {row["stage"]: row for row in stage_rows(stages.values())}
    needs = {name: row["needs"] for name, row in rows.items()}
    assert needs == {
        "1.1": ["weights:language_model", "weights:vision_tower"],
        "1.2": ["1.1"],
        "1.3": ["1.2"],
        "2.1a": [],
        "2.1b": ["1.3", "2.1a"],
        "2.2": ["2.1b"],
        "3.1": [],
        "3.2": ["2.2", "3.1"],
    }
    assert split_stage("2.1a") == ("2.1", "a")
    assert split_stage("1.3") == ("1.3", None)


def test_every_option_of_a_stage_can_be_taken_and_changes_something() -> None:
    for card in all_stages():
        for name, option in card.options.items():
            changed = card.with_option(name)
            assert changed != card
            assert changed.training(option.half or next(iter(card.halves), None)).trains
    frozen = load_stage("1.3").with_option("public-script")
    assert frozen.trains == ("projector", "language_model")
    single = load_stage("2.2").with_option("single-node").training().schedule
    assert (single.learning_rate, single.global_batch, single.decay) == (2e-5, 128, "cosine")
    with pytest.raises(UsageError, match=r"stage 2.1 has no half c; write 2.1a or 2.1b"):
        load_stage("2.1").training("c")


def test_a_mixture_sets_parts_of_every_schedule() -> None:
    mixture = replace(load_mixture("paper"), training={"global_batch": 8, "learning_rate": 1e-3})
    schedule = mixture.settle(load_stage("1.1")).training().schedule
    assert (schedule.global_batch, schedule.learning_rate, schedule.warmup_ratio) == (8, 1e-3, 0.03)


def test_the_source_table_says_what_a_mixture_asks_and_what_was_never_released() -> None:
    paper = load_mixture("paper")
    rows = source_rows([load_source("chatqa"), load_source("synthetic-text")], paper)
    assert [row["questions"] for row in rows] == [7_390, 1_574_200]
    assert rows[1]["released"] is False
    assert rows[1]["substitute"]
    assert source_rows([load_source("chatqa")])[0]["questions"] is None


def test_the_examples_of_the_readme_are_valid_cards(tmp_path: Path) -> None:
    source = load_source(str(write(tmp_path / "source.yaml", SOURCE)))
    stage = load_stage(str(write(tmp_path / "stage.yaml", STAGE)))
    mixture = load_mixture(str(write(tmp_path / "mixture.yaml", MIXTURE)))
    assert (source.source, source.kind) == ("my-photos", "qa")
    assert stage.with_option("gentle").training().schedule.learning_rate == 5e-6
    assert [line.questions for line in mixture.sources] == [10_000, "all", 50_000]
    assert mixture.with_option("long").geometry == replace(mixture.geometry, max_length=8192)


@pytest.mark.parametrize("cls", [SourceCard, StageCard, MixtureCard, MixtureOption, Geometry])
def test_the_readme_explains_every_key(cls: type) -> None:
    missing = [name for name in cls.__dataclass_fields__ if f"`{name}`" not in README]  # type: ignore[attr-defined]
    assert set(missing) <= {"path", "origin"}


@pytest.mark.parametrize(
    ("rule", "instead"),
    [
        ("near_text: 0", "write how similar, such as 0.65, or `off`"),
        ("near_turns: 0", "write how similar, such as 0.8"),
    ],
)
def test_a_similarity_of_nothing_is_refused_at_its_line(tmp_path: Path, rule: str, instead: str) -> None:
    path = write(tmp_path / "my-photos.yaml", f"{SOURCE.rstrip()}\nrules:\n  {rule}\n")
    line = len(path.read_text().splitlines())
    with pytest.raises(ManifestError) as caught:
        load_source(str(path))
    assert str(caught.value).startswith(f"{path}:{line}: rules.{rule.replace(': ', ' ')} is not above 0")
    assert instead in str(caught.value)
