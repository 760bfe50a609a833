"""How the next codec token is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vita_data.errors import UsageError


@dataclass(frozen=True)
class Sampling:
    """The rule of a draw: among the `top_k` likeliest tokens by their probabilities; 1 takes the likeliest.

    Tokens among the last `window` ones are made less likely by `penalty` (0: none are). At most `most` tokens are
    drawn: 1000 are 25 s at 40 a second. `seed` decides the draws. The defaults are the released demo's.
    """

    top_k: int = 2
    window: int = 0
    penalty: float = 1.1
    most: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        for right, what in (
            (self.top_k >= 1, f"top_k {self.top_k} is below 1"),
            (self.window >= 0, f"window {self.window} is below 0"),
            (self.penalty > 0, f"penalty {self.penalty} is not above 0"),
            (self.most >= 1, f"most {self.most} is below 1"),
        ):
            if not right:
                raise UsageError(f"sampling of codec tokens: {what}; give it a value that is.")

    def generator(self) -> torch.Generator:
        """A fresh source of randomness, on the CPU whatever the model runs on."""
        return torch.Generator().manual_seed(self.seed)

    def draw(self, logits: torch.Tensor, before: list[int], generator: torch.Generator) -> int:
        """The next token by logits (V,), `before` being the ones drawn so far.

        The penalty divides a positive logit and multiplies a negative one (Keskar et al. 2019), once a token
        however often it stands in the window.
        """
        logits = logits.float()
        if self.window and before:
            recent = torch.tensor(sorted(set(before[-self.window :])), device=logits.device)
            said = logits[recent]
            logits = logits.index_put(
                (recent,), torch.where(said > 0, said / self.penalty, said * self.penalty)
            )
        likeliest = logits.topk(min(self.top_k, len(logits)))
        if self.top_k == 1:
            return int(likeliest.indices[0])
        chosen = torch.multinomial(likeliest.values.softmax(dim=0).cpu(), 1, generator=generator)
        return int(likeliest.indices[int(chosen)])


DEMO = Sampling()
