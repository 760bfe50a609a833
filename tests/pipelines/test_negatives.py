"""Sound that is not meant for the model in stage 2.2: clips beside the questions, and counted apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.factories import run_build
from tests.spoken import (
    lines_of,
    samples_of,
    stage_of,
    with_negatives,
)
from vita_data.errors import QuotaError
from vita_data.prompt.template import TextPiece, encode_chat
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.select.why import why
from vita_data.shards.prove import prove
from vita_data.shards.read import Stage


def test_negatives_are_a_part_of_the_spoken_questions_and_no_questions_themselves(
    tmp_path: Path, calls: Path
) -> None:
    mixture = with_negatives(tmp_path, 0.3, ("crowd", 24), ("hiss", 12))
    facts = run_build(mixture, tmp_path / "out", "2.2")
    proof = prove(str(tmp_path / "out/stages/2.2"))
    assert proof["errors"] == []
    lines = lines_of(facts)
    clips = {name: lines[name]["written"]["clips"] for name in ("crowd", "hiss")}
    assert sum(clips.values()) == int(0.3 * lines["texts"]["written"]["spoken"]) == facts["totals"]["clips"]
    assert abs(clips["crowd"] - 2 * clips["hiss"]) <= 2
    assert facts["totals"]["questions"] == lines["texts"]["written"]["questions"] == proof["questions"]
    assert proof["clips"] == facts["totals"]["clips"]
    assert {line["source"]: line["unit"] for line in proof["sources"]}["crowd"] == "clips"
    assert lines["crowd"]["rejected"] == {"structure/no_negative": 1}
    stage = Stage(str(tmp_path / "out/stages/2.2"))
    assert {s.source for s in samples_of(stage.held_out)} == {"texts", "crowd", "hiss"}  # type: ignore[arg-type]
    tokenizer = load_tokenizer("qwen2.5-8k")
    for sample in samples_of(stage):
        record = sample.record
        pieces = encode_chat(record["conversations"], tokenizer, True, inserted_id=record["inserted_id"])
        opened = [piece.ids[0] for piece in pieces if isinstance(piece, TextPiece) and piece.labelled]
        heard = ["<audio>" in turn["value"] for turn in record["conversations"][::2]]
        wanted = ["reply" if each else "text" for each in heard]
        if record["type"] == "negative":
            wanted[-1] = "noise"
        assert opened == [tokenizer.state_tokens[each] for each in wanted]


def test_negatives_take_no_part_in_other_stages_and_too_few_are_told(tmp_path: Path, calls: Path) -> None:
    mixture = with_negatives(tmp_path, 0.9, ("crowd", 12))
    assert [line["source"] for line in run_build(mixture, tmp_path / "out", "1.3")["sources"]] == ["texts"]
    with pytest.raises(QuotaError, match=r"crowd is asked for \d+ clips and has 12 available"):
        run_build(mixture, tmp_path / "out", "2.2")
    facts = run_build(mixture, tmp_path / "out", "2.2", allow_short=True)
    assert lines_of(facts)["crowd"]["written"]["clips"] + lines_of(facts)["crowd"]["held_out"] == 12
    rows = [why(str(tmp_path / "out"), str(number)) for number in range(12)]
    assert all(row[0]["kept"] for row in rows)


def test_clips_whose_answers_end_at_once_are_counted_and_proved_without_their_words(
    tmp_path: Path, calls: Path
) -> None:
    mixture = with_negatives(tmp_path, 0.3, ("crowd", 24))
    card = tmp_path / "stages" / "2.2.yaml"
    lengths = {}
    for answer in ("keep", "end"):
        card.write_text(json.dumps(json.loads(card.read_text()) | {"noise_answer": answer}))
        run_build(mixture, tmp_path / answer, "2.2")
        stage = stage_of(tmp_path / answer)  # proved, each length measured again
        assert stage.plan.get("noise_answer", "keep") == answer
        lengths[answer] = {s.key: s.length for s in samples_of(stage) if s.source == "crowd"}
    words = len(load_tokenizer("qwen2.5-8k").encode("Somebody talks."))
    both = lengths["keep"].keys() & lengths["end"].keys()
    assert both and all(lengths["keep"][key] - lengths["end"][key] == words for key in both)
