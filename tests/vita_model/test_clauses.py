"""What the speech decoder is fed: texts and codec tokens by place, and nothing that it has no room for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from tests.vita_model.utterances import TEXTS, save_run, utterance
from vita_data.errors import RecordError, ShardError, UsageError
from vita_data.prompt.spoken_text import check_positions, spoken_text
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.shards.read import Place, Stage
from vita_model.batch.clauses import Clauses, spoken_answer
from vita_model.batch.codes import codes_for
from vita_model.codes.program import Options, encode
from vita_model.config.model import ModelConfig
from vita_model.config.presets import tiny
from vita_model.nets.batch import CODES
from vita_model.nets.vita import build

TOKENIZER = load_tokenizer(tiny().geometry.tokenizer)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> Stage:
    """An encoded stage with a text of every kind."""
    home = tmp_path_factory.mktemp("clauses")
    folder = make_stage(
        home, "3.2", shards=2, per_shard=8, per_pack=4, held_out=3, loss="codec-tokens", make=utterance
    )
    save_run(home / "run")
    encode(Options(home / "run", str(folder)))
    return Stage(folder)


def clauses(stage: Stage, config: ModelConfig | None = None) -> Clauses:
    return Clauses(TOKENIZER, config or tiny(), codes_for(stage.folder))


def with_positions(positions: int) -> ModelConfig:
    return replace(tiny(), decoder=replace(tiny().decoder, positions=positions))


def test_a_pack_becomes_texts_and_codes_in_its_order(stage: Stage) -> None:
    reader, pack = clauses(stage), stage.packs()[1]
    batch = reader.batch(stage, pack)
    assert batch.keys == tuple(place.key for place in pack.samples)
    texts = batch.clauses.split(batch.clause_lengths)
    assert [TOKENIZER.decode(text.tolist()) for text in texts] == [spoken_text(text) for text in TEXTS]
    for place, codes in zip(pack.samples, batch.codes.split(batch.code_lengths), strict=True):
        assert torch.equal(codes, reader.codes.of(stage, place)) and codes.dtype == torch.int64
    assert batch.counts == {"lm": 0, "state": 0, "ctc": 0, CODES: len(batch.codes) + 4}
    assert batch.has("speech") and not batch.has("hearing") and len(batch.ids) == 1


def test_the_loss_of_a_pack_is_that_of_its_utterances(stage: Stage) -> None:
    model, reader, pack = build(tiny(), 0), clauses(stage), stage.packs()[0]
    model.set_trained(("speech_decoder",), (CODES,))
    model.eval()
    whole = model(reader.batch(stage, pack))[CODES]
    alone = [model(reader.batch(stage, replace(pack, samples=(place,))))[CODES] for place in pack.samples]
    torch.testing.assert_close(whole, torch.cat(alone), rtol=1e-5, atol=1e-6)


def test_no_pack_and_the_held_out_part_are_read_alike(stage: Stage) -> None:
    reader, held_out = clauses(stage), stage.held_out
    assert reader.batch(stage, None).code_lengths == () and held_out is not None
    place = Place(0, 2, held_out.shard(0).keys[2])
    pack = replace(stage.packs()[0], samples=(place,))
    assert torch.equal(reader.batch(held_out, pack).codes, reader.codes.of(held_out, place))


def test_what_the_decoder_has_no_positions_for_is_found_before_training(stage: Stage) -> None:
    fits = clauses(stage)
    assert fits.leave_out(stage) == {} and len(stage.packs()) == 4
    longest = max(
        2 + 2 * len(said.ids) + len(said.codes)
        for pack in stage.packs()
        for said in (fits.encode(stage, place) for place in pack.samples)
    )
    assert clauses(stage, with_positions(longest)).leave_out(stage) == {}
    tight = clauses(stage, with_positions(longest - 1))
    odd = next(p for p in stage.packs() for place in p.samples if place.key in tight.leave_out(stage))
    assert {error.rule for error in tight.left_out.values()} == {"too_long_to_say"}
    assert set(tight.batch(stage, odd).keys) == {place.key for place in odd.samples} - set(tight.left_out)
    careless = clauses(stage, with_positions(longest - 1))
    with pytest.raises(
        ShardError, match=rf"take {longest} positions and the speech decoder has {longest - 1}; cut"
    ):
        careless.batch(stage, odd)
    nothing = clauses(stage, with_positions(4))
    assert len(nothing.leave_out(stage)) == 16
    assert nothing.batch(stage, odd).counts[CODES] == 0


def test_positions_are_counted_as_the_decoder_counts_them(stage: Stage) -> None:
    said = clauses(stage).encode(stage, stage.packs()[0].samples[0])
    needed = 2 + 2 * len(said.ids) + len(said.codes)
    for positions, fits in ((needed, True), (needed - 1, False)):
        decoder = build(with_positions(positions), 0).speech_decoder
        sizes = (len(said.ids),), said.codes, (len(said.codes),)
        call = partial(decoder, torch.zeros(len(said.ids), tiny().language.hidden), *sizes)
        check = partial(check_positions, len(said.ids), len(said.codes), decoder.pieces, positions)
        if fits:
            call()
            check()
            continue
        with pytest.raises(UsageError, match=f"take {needed} positions"):
            call()
        with pytest.raises(RecordError, match=f"take {needed} positions"):
            check()


def test_codes_of_another_number_are_no_food_for_this_decoder(stage: Stage) -> None:
    fewer = replace(tiny(), decoder=replace(tiny().decoder, codes=512))
    with pytest.raises(
        UsageError, match="tokens of 1024 kinds and the speech decoder of preset tiny knows 512"
    ):
        clauses(stage, fewer)


def test_a_record_speaks_exactly_one_answer(stage: Stage) -> None:
    record = stage.shard(0).record(0)
    assert spoken_answer(record) == (TEXTS[0], record["audio"][0])
    with pytest.raises(ShardError, match="has 0 answers to speak"):
        spoken_answer({**record, "spoken": []})
