"""How well the speech decoder expects the codec tokens of an utterance, each given those before it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from vita_data.shards.read import Place, Stage
from vita_model.batch.clauses import Clauses, spoken_answer
from vita_model.eval.answers import Line
from vita_model.nets.vita import Vita


@torch.no_grad()
def spoken_lines(model: Vita, reader: Clauses, stage: Stage, places: Sequence[Place]) -> list[Line]:
    """A line for every utterance that can be said: the loss over its tokens and its end, and how many were likeliest.

    The model is to be in eval mode.
    """
    device = next(model.parameters()).device
    reader.leave_out(stage)
    found = []
    for place in places:
        if place.key in reader.left_out:
            continue
        clause = reader.encode(stage, place)
        codes = clause.codes.to(device)
        text = model.language_model.embed(torch.tensor(clause.ids, device=device))
        logits = model.speech_decoder.logits(text, (len(clause.ids),), codes, (len(codes),))
        targets = torch.cat((codes, codes.new_tensor([model.config.decoder.end_speech])))
        table = stage.shard(place.shard).table
        found.append(
            {
                "key": place.key,
                "turn": 0,
                "source": table.column("source")[place.row].as_py(),
                "type": "tts",
                "wanted": spoken_answer(stage.shard(place.shard).record(place.row))[0],
                "loss": float(functional.cross_entropy(logits, targets, reduction="sum")),
                "tokens": len(targets),
                "hits": int((logits.argmax(dim=-1) == targets).sum()),
            }
        )
    return found
