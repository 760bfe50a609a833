"""Qwen's byte-level BPE, from the vocabulary file that the PyPI package `dashscope` carries.

The file lists byte strings by rank; a rank is a token's id and its merge priority, so the first n
ranks are a smaller BPE of the same kind. Text is split with Qwen2's expression and, as Qwen2's
tokenizer does, brought to Unicode form NFC first. The package is located, never imported.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib.util
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import tiktoken

from vita_data.errors import UsageError
from vita_data.records.key import digest_of

FULL = "qwen2.5"
CUT = "qwen2.5-8k"

# Source: the `pretokenize` expression of Qwen2's tokenizer.
SPLIT_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CONTROL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
STATE_CHARACTERS = {"reply": "\u261e", "noise": "\u261f", "text": "\u261c"}

_CUT_RANKS = 8192
_QWEN_RANKS = 151_643
# Qwen2.5-7B's embedding has more rows than its tokenizer has ids.
_QWEN_ROWS = 152_064
_ROW_MULTIPLE = 64
_REPLACEMENT = "\ufffd".encode()
# A longer run of white space overflows the stack of the splitting expression.
_LONG_RUN = re.compile(r"\s{100000}")


class Tokenizer:
    """Text to ids and back; equal names give equal tokenizers, and a pickle holds only the name.

    `end_of_text`, `im_start` and `im_end` are the ids of the control tokens; `state_tokens` maps
    "reply", "noise" and "text" to ids; `rows` is the size of the embedding table made for them.
    """

    def __init__(self, name: str, ranks: dict[bytes, int]) -> None:
        marks = STATE_CHARACTERS.values()
        extra = [*CONTROL_TOKENS, *(mark for mark in marks if mark.encode() not in ranks)]
        specials = {token: len(ranks) + n for n, token in enumerate(extra)}
        self.name = name
        self.end_of_text, self.im_start, self.im_end = (specials[token] for token in CONTROL_TOKENS)
        self.state_tokens = {
            state: specials[mark] if mark in specials else ranks[mark.encode()]
            for state, mark in STATE_CHARACTERS.items()
        }
        self._known = len(ranks) + len(specials)
        self.rows = _rows_for(self._known, len(ranks))
        self._digest = _digest(ranks, specials, self.rows)
        self._encoding = tiktoken.Encoding(
            name, pat_str=SPLIT_PATTERN, mergeable_ranks=ranks, special_tokens=specials
        )

    def __reduce__(self) -> tuple[Callable[[str], Tokenizer], tuple[str]]:
        return load_tokenizer, (self.name,)

    def __repr__(self) -> str:
        return f"Tokenizer({self.name!r}, rows={self.rows})"

    def encode(self, text: str) -> list[int]:
        """The ids of a text; what looks like a control token is ordinary text.

        Lone surrogates become U+FFFD, and the text is brought to NFC.
        """
        text = text if text.isascii() else _normalise(text)
        if len(text) < 100_000:
            return self._encoding.encode_ordinary(text)
        return [token for part in _bounded_runs(text) for token in self._encoding.encode_ordinary(part)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; broken UTF-8 and ids without a token become U+FFFD, as a model may emit either."""
        known, token_bytes = self._known, self._encoding.decode_single_token_bytes
        data = b"".join(token_bytes(n) if 0 <= n < known else _REPLACEMENT for n in ids)
        return data.decode("utf-8", "replace")

    def digest(self) -> str:
        """Sixteen hex digits over ranks, control and state tokens, rows and the splitting expression."""
        return self._digest


@cache
def load_tokenizer(name: str) -> Tokenizer:
    """The tokenizer called "qwen2.5" or "qwen2.5-8k", or the one in a file whose name ends in .tiktoken.

    The cut one holds the first 8,192 ranks; the state tokens it has no rank for follow the control
    tokens. UsageError when the name is unknown, the package is missing or the file is not a vocabulary.
    """
    if name == FULL:
        return Tokenizer(name, _read_ranks(_packaged_vocabulary()))
    if name == CUT:
        ranks = _read_ranks(_packaged_vocabulary())
        return Tokenizer(name, {token: rank for token, rank in ranks.items() if rank < _CUT_RANKS})
    if name.endswith(".tiktoken"):
        return Tokenizer(name, _read_ranks(Path(name)))
    raise UsageError(f"There is no tokenizer {name!r}: use {FULL}, {CUT} or the path of a .tiktoken file.")


def _packaged_vocabulary() -> Path:
    spec = importlib.util.find_spec("dashscope")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "resources" / "qwen.tiktoken"
        if path.is_file():
            return path
    raise UsageError(
        "Qwen's vocabulary is missing: the package dashscope carries it; run `pip install dashscope`."
    )


def _read_ranks(path: Path) -> dict[bytes, int]:
    """Byte strings by rank, in order of rank; a usable file has ranks 0..n-1 and every single byte."""
    try:
        pairs = [line.split() for line in path.read_bytes().splitlines() if line]
        ranks = {base64.b64decode(token, validate=True): int(rank) for token, rank in pairs}
    except OSError as error:
        raise UsageError(f"{path}: the vocabulary cannot be read ({error.strerror}).") from error
    except (ValueError, binascii.Error) as error:
        raise UsageError(f"{path}: every line must be `<base64> <rank>` ({error}).") from error
    ordered = dict(sorted(ranks.items(), key=lambda item: item[1]))
    gapless = list(ordered.values()) == list(range(len(pairs)))
    if not gapless or any(bytes([n]) not in ordered for n in range(256)):
        raise UsageError(f"{path}: a vocabulary has all 256 single bytes and ranks 0, 1, 2 ... without gaps.")
    return ordered


def _rows_for(known: int, ranks: int) -> int:
    return _QWEN_ROWS if ranks == _QWEN_RANKS else -(-known // _ROW_MULTIPLE) * _ROW_MULTIPLE


def _digest(ranks: dict[bytes, int], specials: dict[str, int], rows: int) -> str:
    hasher = hashlib.blake2b(digest_size=16)
    for token in ranks:
        hasher.update(len(token).to_bytes(4, "little") + token)
    return digest_of("tokenizer", hasher.hexdigest(), specials, rows, SPLIT_PATTERN)


def _normalise(text: str) -> str:
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    try:
        text.encode()
    except UnicodeEncodeError:
        # UTF-16 joins paired surrogates to the character they mean and leaves only lone ones to replace.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _bounded_runs(text: str) -> Iterator[str]:
    start = 0
    for run in _LONG_RUN.finditer(text):
        yield text[start : run.end()]
        start = run.end()
    yield text[start:]
