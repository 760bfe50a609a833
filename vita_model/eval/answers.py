"""The answers of a model to the questions of a stage, and what it thought of the answers that were wanted.

A sample goes through the model once: its media are encoded once, and the loss of every wanted answer comes from that
pass. Each question is then the beginning of the same embeddings, and questions of one length are answered together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from vita_data.prompt.tokenizer import Tokenizer
from vita_data.shards.read import Place, Sample, Stage
from vita_model.batch.collate import collate
from vita_model.batch.encode import Encoded, Encoder
from vita_model.batch.left_out import LeftOut
from vita_model.batch.loader import prefetch
from vita_model.batch.states import TEXT_OR_SPEECH
from vita_model.eval.metrics import errors, same_answer
from vita_model.eval.questions import STATE_OF, Question, questions
from vita_model.eval.without import Without, deprived
from vita_model.nets.greedy import answers
from vita_model.nets.loss import CHUNK_LOGITS
from vita_model.nets.vita import Vita

LONGEST = 64  # tokens; longer answers are free text, which is scored by its loss and never asked for
ROOM = 16  # tokens more than what is expected
POOL = 1 << 15  # tokens of prompts that wait for others of their length
AHEAD = 64
ASR = "asr"
Line = dict[str, Any]


@dataclass(frozen=True)
class _Prompt:
    """A question that waits for its answer: its line and the embeddings before the answer, (T, D)."""

    line: Line
    embeddings: torch.Tensor
    most: int


class Examiner:
    """Asks a model, in eval mode, what the samples of a stage ask; `heads` lets its state head speak too."""

    def __init__(
        self,
        model: Vita,
        encoder: Encoder,
        heads: bool = False,
        without: Without | None = None,
        left_out: LeftOut | None = None,
    ) -> None:
        self.model = model
        self.encoder = encoder
        self.heads = heads
        self.without = without
        self.left_out = LeftOut() if left_out is None else left_out
        self.device = next(model.parameters()).device
        self._states = {token: name for name, token in encoder.tokenizer.state_tokens.items()}

    @torch.no_grad()
    def lines(self, stage: Stage, places: Sequence[Place]) -> list[Line]:
        """A line for every answer that the samples want, in their order; see `score`.

        What no decoder reads is left out.
        """
        found: list[Line] = []
        waiting: list[_Prompt] = []
        read = prefetch(partial(self.left_out.tried, stage, read=partial(self._read, stage)), places, AHEAD)
        for pack in _packs(filter(None, read), self.encoder.geometry.max_length):
            prompts = self._through(pack)
            found += [prompt.line for prompt in prompts]
            waiting += [prompt for prompt in prompts if prompt.most]
            if sum(len(prompt.embeddings) for prompt in waiting) > POOL:
                self._answer(waiting)
                waiting = []
        self._answer(waiting)
        return found

    def _read(self, stage: Stage, place: Place) -> tuple[Encoded, list[Question]]:
        sample: Sample = stage.sample(place.shard, place.row)
        encoded = deprived(self.encoder.encode(sample), self.without)
        return encoded, questions(sample, encoded, self.encoder)

    def _through(self, pack: list[tuple[Encoded, list[Question]]]) -> list[_Prompt]:
        """Every question of some samples, with all that one pass over them tells."""
        batch = collate([encoded for encoded, _ in pack]).to(self.device)
        embeddings = self.model.embed(batch)
        states = self.model.language_model.hidden(embeddings, batch.positions, batch.segments)
        losses, likeliest = self._judge(states[batch.loss_places], batch.targets)
        hits = likeliest == batch.targets.cpu()
        found, label = [], 0
        for first, (encoded, asked) in zip(batch.segments, pack, strict=False):
            for question in asked:
                end = label + len(question.labels)
                line = {
                    **_told(question),
                    "loss": float(losses[label:end].sum()),
                    "tokens": len(question.labels),
                    "hits": int(hits[label:end].sum()),
                }
                if self.encoder.state_tokens:  # the likeliest first token is what a greedy answer begins with
                    line["state"] = self._states.get(int(likeliest[label]))
                    line["state_wanted"] = STATE_OF[question.asked]
                if self.heads and question.place is not None:
                    line |= self._head(states[first + question.place], question)
                prompt = embeddings[first : first + question.labels.start]
                found.append(_Prompt(line, prompt, self._most(question, encoded)))
                label = end
        return found

    def _judge(self, states: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss of each target and the likeliest token in its place, with few logits at a time."""
        losses, likeliest = [], []
        rows = max(CHUNK_LOGITS // self.model.config.language.vocabulary, 1)
        for some, wanted in zip(states.split(rows), targets.split(rows), strict=True):
            logits = self.model.language_model.lm_head(some)
            losses.append(functional.cross_entropy(logits, wanted, reduction="none").cpu())
            likeliest.append(logits.argmax(dim=-1).cpu())
        return torch.cat(losses), torch.cat(likeliest)

    def _head(self, state: torch.Tensor, question: Question) -> Line:
        """What the state head makes of the end of a question, by the names of its classes."""
        two = self.model.config.states == TEXT_OR_SPEECH
        names = ("written", "spoken") if two else ("reply", "noise", "unused")
        assert question.state is not None
        found = int(self.model.state_head(state[None]).argmax())
        return {"head": names[found], "head_wanted": names[question.state]}

    def _most(self, question: Question, encoded: Encoded) -> int:
        """How long an answer may become: what is said fits into what is heard, else twice what is wanted."""
        if question.type == ASR:
            return ROOM + len(encoded.sound_places)
        wanted = len(question.labels)
        return ROOM + 2 * wanted if wanted <= LONGEST else 0

    def _answer(self, waiting: list[_Prompt]) -> None:
        """Has the questions answered and completes their lines."""
        tokenizer = self.encoder.tokenizer
        said = answers(
            self.model.language_model,
            [prompt.embeddings for prompt in waiting],
            [prompt.most for prompt in waiting],
            (tokenizer.im_end, tokenizer.end_of_text),
        )
        for prompt, ids in zip(waiting, said, strict=True):
            prompt.line.update(_judged(prompt.line, words_of(ids, tokenizer)))


def words_of(ids: Sequence[int], tokenizer: Tokenizer) -> str:
    """The words of an answer, without the token of the state that it may begin with."""
    state = bool(ids) and ids[0] in tokenizer.state_tokens.values()
    return tokenizer.decode(ids[1:] if state else ids)


def _told(question: Question) -> Line:
    """What a line says before anybody has answered."""
    return {
        "key": question.key,
        "turn": question.turn,
        "source": question.source,
        "type": question.type,
        "asked": question.asked,
        "heard": question.heard,
        "question": question.question,
        "wanted": question.wanted,
        "got": None,
    }


def _judged(line: Line, got: str) -> Line:
    """What an answer is worth: edits for a transcript, right or wrong for the rest.

    Where nothing is to be said to what was not meant for the model, it is right to say so and no more.
    """
    if line["type"] == ASR:
        return {"got": got, **vars(errors(line["wanted"], got))}
    silent = line["asked"] == "noise" and not line["wanted"]
    right = same_answer(line["wanted"], got) and (not silent or line.get("state") == "noise")
    return {"got": got, "right": right}


def _packs(
    read: Iterable[tuple[Encoded, list[Question]]], length: int
) -> Iterator[list[tuple[Encoded, list[Question]]]]:
    """Samples in their order, as many at a time as fit into one sequence of the stage."""
    held: list[tuple[Encoded, list[Question]]] = []
    tokens = 0
    for encoded, asked in read:
        if held and tokens + len(encoded.ids) > length:
            yield held
            held, tokens = [], 0
        held.append((encoded, asked))
        tokens += len(encoded.ids)
    if held:
        yield held
