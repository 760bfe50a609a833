"""Dimensions of the speech decoder, from words to codec tokens."""

from __future__ import annotations

from dataclasses import dataclass

from vita_data.errors import UsageError


@dataclass(frozen=True)
class DecoderConfig:
    """NAR and AR LLaMA blocks of one width over text vectors and codec tokens.

    A row of the language model's embedding table becomes hidden / width vectors. `codes` codec tokens and four
    special ones share a table: what begins the text, what begins and ends the speech, and padding. `positions`
    bounds text vectors, codec tokens and specials of one utterance together. `dropout` acts on attention weights
    while training. The defaults are the paper's: four blocks each of width 896; the public code makes half as
    many NAR blocks as AR blocks.
    """

    width: int = 896
    heads: int = 14
    kv_heads: int = 14
    intermediate: int = 4864
    layers: int = 4
    nar_layers: int = 4
    codes: int = 1024
    positions: int = 2048
    rope_theta: float = 10000.0
    norm_epsilon: float = 1e-6
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for right, what in (
            (self.width % (2 * self.heads) == 0, "a width that splits into heads of an even width"),
            (self.heads % self.kv_heads == 0, "a number of heads that is a multiple of kv_heads"),
        ):
            if not right:
                raise UsageError(f"the speech decoder's config does not fit together: give it {what}.")

    @property
    def begin_text(self) -> int:
        """The token before the text (BOS)."""
        return self.codes

    @property
    def begin_speech(self) -> int:
        """The token before the first codec token (SOS)."""
        return self.codes + 1

    @property
    def end_speech(self) -> int:
        """The token after the last codec token (EOS)."""
        return self.codes + 2

    @property
    def padding(self) -> int:
        """The token that carries neither meaning nor loss (PAD)."""
        return self.codes + 3

    @property
    def vocabulary(self) -> int:
        """Rows of the table and classes of the head: the codec tokens and the four special ones."""
        return self.codes + 4
