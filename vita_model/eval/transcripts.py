"""What the speech encoder alone writes of what it hears, a character or a blank a frame, and how far off that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import torch

from vita_data.prompt.characters import Characters
from vita_data.shards.read import Place, Stage
from vita_model.batch.encode import HEARD_RATE
from vita_model.batch.left_out import LeftOut
from vita_model.batch.loader import prefetch
from vita_model.batch.sounds import waveform
from vita_model.eval.answers import ASR, Line
from vita_model.eval.metrics import errors
from vita_model.eval.without import Without, silent
from vita_model.nets.ctc import greedy
from vita_model.nets.vita import Vita

AHEAD = 64
TOGETHER = 60 * HEARD_RATE  # samples that go through the encoder at once


class Listener:
    """Writes down sounds by a model, in eval mode, and the characters that its head knows."""

    def __init__(
        self,
        model: Vita,
        characters: Characters,
        without: Without | None = None,
        left_out: LeftOut | None = None,
    ) -> None:
        self.model = model
        self.characters = characters
        self.without = without
        self.left_out = LeftOut() if left_out is None else left_out
        self.device = next(model.parameters()).device

    @torch.no_grad()
    def transcripts(self, sounds: Sequence[torch.Tensor]) -> list[str]:
        """The text of each waveform (samples,) at 16 kHz, all of them at once."""
        lengths = tuple(map(len, sounds))
        states, frames = self.model.speech_encoder(torch.cat(list(sounds)).to(self.device), lengths)
        logits = self.model.ctc_head(states)
        return [self.characters.decode(ids) for ids in greedy(logits, frames)]

    @torch.no_grad()
    def lines(self, stage: Stage, places: Sequence[Place]) -> list[Line]:
        """A line for every transcript that the samples want, in their order; see `score`.

        What no decoder reads is left out.
        """
        found = []
        read = prefetch(partial(self.left_out.tried, stage, read=partial(self._read, stage)), places, AHEAD)
        for some in together(filter(None, read)):
            sounds = silent([sound for _, sound in some], self.without)
            lengths = tuple(map(len, sounds))
            ids = [self.characters.encode(line["wanted"]) for line, _ in some]
            states, frames = self.model.speech_encoder(torch.cat(sounds).to(self.device), lengths)
            symbols = torch.tensor([symbol for one in ids for symbol in one], device=self.device)
            losses = self.model.ctc_head(states, frames, symbols, tuple(map(len, ids)))
            texts = [self.characters.decode(one) for one in greedy(self.model.ctc_head(states), frames)]
            for (line, _), said, got, loss in zip(some, ids, texts, losses.tolist(), strict=True):
                scored = {"got": got, "loss": loss, "tokens": len(said), **vars(errors(line["wanted"], got))}
                found.append(line | scored)
        return found

    def _read(self, stage: Stage, place: Place) -> tuple[Line, torch.Tensor]:
        sample = stage.sample(place.shard, place.row)
        turns = sample.record["conversations"]
        answers = [number for number, turn in enumerate(turns) if turn["from"] == "gpt"]
        line = {
            "key": sample.key,
            "turn": answers[0],
            "source": sample.source,
            "type": ASR,
            "asked": "spoken",
            "heard": True,
            "question": "",
            "wanted": " ".join(turns[number]["value"] for number in answers),
        }
        return line, waveform(sample.media[0], HEARD_RATE, sample.key)


def together(read: Iterable[tuple[Line, torch.Tensor]]) -> Iterator[list[tuple[Line, torch.Tensor]]]:
    """Sounds in their order, about a minute of them at a time."""
    held: list[tuple[Line, torch.Tensor]] = []
    samples = 0
    for line, sound in read:
        if held and samples + len(sound) > TOGETHER:
            yield held
            held, samples = [], 0
        held.append((line, sound))
        samples += len(sound)
    if held:
        yield held
