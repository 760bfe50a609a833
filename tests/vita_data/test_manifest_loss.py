"""What a card lets each term of its loss count for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from manifests import ROOT
from vita_data.errors import ManifestError
from vita_data.manifest.find import load_stage
from vita_data.manifest.loss import TERMS, weights_of
from vita_data.select.stage import _run


def card(tmp_path: Path, weights: str) -> str:
    """The packaged card of stage 2.2 with other weights."""
    text = (Path(str(ROOT)) / "stages" / "2.2.yaml").read_text()
    path = tmp_path / "2.2.yaml"
    path.write_text(text.replace("{lm: 1, state: 1}", weights))
    return str(path)


def test_the_packaged_joint_stage_counts_both_terms_alike_and_says_why() -> None:
    stage = load_stage("2.2")
    assert stage.training().loss_weights == {"lm": 1.0, "state": 1.0} and stage.why["loss_weights"]
    assert _run(stage.training())["loss_weights"] == {"lm": 1.0, "state": 1.0}
    assert "loss_weights" not in _run(load_stage("1.3").training())


def test_a_term_without_a_weight_counts_once() -> None:
    assert weights_of("lm+state", {"state": 5}) == {"lm": 1.0, "state": 5.0}
    assert all(set(weights_of(loss, {})) == set(terms) for loss, terms in TERMS.items())


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("{stat: 2}", r"2\.2\.yaml:\d+: stat is no term of a loss; write state"),
        ("{ctc: 2}", r"2\.2\.yaml:\d+: loss lm\+state has no term ctc; take the weight out"),
        ("{state: 0}", r"2\.2\.yaml:\d+: loss_weights\.state 0 "),
    ],
)
def test_a_weight_that_no_term_has_is_refused_at_its_line(tmp_path: Path, weights: str, words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        load_stage(card(tmp_path, weights))


def test_an_option_that_takes_a_term_away_leaves_a_card_that_is_right() -> None:
    public = load_stage("2.2").with_option("public-script")
    assert public.loss == "lm" and public.complaint() is None


def test_a_stage_in_halves_weighs_the_terms_of_each_half() -> None:
    stage = load_stage("2.1")
    key, words = replace(stage, loss_weights={"lm": 2.0}).complaint() or ("", "")
    assert key == "loss_weights" and "move this key below halves" in words
    assert replace(stage.halves["a"], loss_weights={"lm": 2.0}).complaint() is not None
