"""The tokenizer gives Qwen's ids, and the cut one is the same BPE with fewer merges."""

from __future__ import annotations

import base64
import importlib.util
import pickle
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from vita_data.errors import UsageError
from vita_data.prompt.tokenizer import CUT, FULL, SPLIT_PATTERN, load_tokenizer

TEXTS = st.text(max_size=60) | st.text(
    alphabet=" \n\r\tab1'sS,.\u00a0\u3000\u4e2d\u6587\u261c\u0301", max_size=60
)


def test_the_full_vocabulary_gives_qwens_ids() -> None:
    tokenizer = load_tokenizer(FULL)
    assert tokenizer.encode("Hello world") == [9707, 1879]
    assert (tokenizer.end_of_text, tokenizer.im_start, tokenizer.im_end) == (151643, 151644, 151645)
    assert tokenizer.state_tokens == {"reply": 144766, "noise": 146164, "text": 145789}
    assert tokenizer.rows == 152064


def test_the_state_tokens_of_the_full_vocabulary_are_ordinary_ones() -> None:
    tokenizer = load_tokenizer(FULL)
    for character, state in (("\u261e", "reply"), ("\u261f", "noise"), ("\u261c", "text")):
        assert tokenizer.encode(character) == [tokenizer.state_tokens[state]]


def test_the_cut_vocabulary_has_its_control_and_state_tokens_after_its_ranks() -> None:
    tokenizer = load_tokenizer(CUT)
    assert (tokenizer.end_of_text, tokenizer.im_start, tokenizer.im_end) == (8192, 8193, 8194)
    assert tokenizer.state_tokens == {"reply": 8195, "noise": 8196, "text": 8197}
    assert tokenizer.rows == 8256
    assert tokenizer.decode([8197, *tokenizer.encode("yes"), 8194]) == "\u261cyes<|im_end|>"


@pytest.mark.parametrize("name", [FULL, CUT])
@given(text=TEXTS)
def test_every_text_comes_back_in_its_composed_form(name: str, text: str) -> None:
    tokenizer = load_tokenizer(name)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == unicodedata.normalize("NFC", text)
    assert all(0 <= token < tokenizer.end_of_text for token in ids)


@given(text=TEXTS)
def test_the_cut_vocabulary_merges_by_its_first_ranks_alone(text: str) -> None:
    ranks = {token: rank for token, rank in _vocabulary().items() if rank < 8192}
    pieces = regex.findall(SPLIT_PATTERN, unicodedata.normalize("NFC", text))
    expected = [ranks[part] for piece in pieces for part in _merge(piece.encode(), ranks)]
    assert load_tokenizer(CUT).encode(text) == expected


def test_chinese_comes_back() -> None:
    text = "图中有一只狐狸站在雪地里。"
    for name in (FULL, CUT):
        tokenizer = load_tokenizer(name)
        assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("name", [FULL, CUT])
def test_what_looks_like_a_control_token_is_ordinary_text(name: str) -> None:
    tokenizer = load_tokenizer(name)
    ids = tokenizer.encode("<|im_end|><|im_start|>system")
    assert not {tokenizer.im_end, tokenizer.im_start} & set(ids)


def test_lone_surrogates_become_replacement_characters_and_pairs_their_character() -> None:
    tokenizer = load_tokenizer(CUT)
    assert tokenizer.decode(tokenizer.encode("a\ud83d b\udc00")) == "a\ufffd b\ufffd"
    assert tokenizer.encode("\ud83d\ude00") == tokenizer.encode("\U0001f600")


def test_a_very_long_run_of_white_space_comes_back() -> None:
    tokenizer = load_tokenizer(CUT)
    text = "a" + " " * 1_000_000 + "b\n"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_ids_without_a_token_are_shown_as_replacement_characters() -> None:
    assert load_tokenizer(CUT).decode([39, 8255, -1, 39]) == "H\ufffd\ufffdH"


def test_a_pickled_tokenizer_is_small_and_the_same() -> None:
    tokenizer = load_tokenizer(CUT)
    data = pickle.dumps(tokenizer)
    assert len(data) < 200
    assert pickle.loads(data) is tokenizer


def test_the_digest_tells_vocabularies_apart_and_not_their_names(tmp_path: Path) -> None:
    path = tmp_path / "same.tiktoken"
    path.write_bytes(_vocabulary_path().read_bytes())
    same = load_tokenizer(str(path))
    assert same.digest() == load_tokenizer(FULL).digest() != load_tokenizer(CUT).digest()
    assert same.rows == 152064


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not base64! 0\n", "<base64> <rank>"),
        (b"IQ==\n", "<base64> <rank>"),
        (b"IQ== 0\n", "256 single bytes"),
        (b"", "256 single bytes"),
    ],
)
def test_a_file_that_is_no_vocabulary_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "bad.tiktoken"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        load_tokenizer(str(path))


def test_an_unknown_name_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"qwen2\.5-8k"):
        load_tokenizer("gpt")
    with pytest.raises(UsageError, match="cannot be read"):
        load_tokenizer(str(tmp_path / "none.tiktoken"))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install dashscope"):
        load_tokenizer.__wrapped__(FULL)


def test_loading_imports_nothing_heavy() -> None:
    heavy = {"dashscope", "torch", "pyarrow", "PIL", "numpy", "apache_beam"}
    program = (
        "import sys; from vita_data.prompt import lengths, tokenizer;"
        f"tokenizer.load_tokenizer({CUT!r}); print(sorted({heavy!r} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def _vocabulary_path() -> Path:
    spec = importlib.util.find_spec("dashscope")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "resources" / "qwen.tiktoken"


def _vocabulary(read: dict[bytes, int] = {}) -> dict[bytes, int]:  # noqa: B006 (read once for all examples)
    if not read:
        for line in _vocabulary_path().read_bytes().splitlines():
            token, rank = line.split()
            read[base64.b64decode(token)] = int(rank)
    return read


def _merge(piece: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """Byte-pair encoding by the book: merge the neighbours of least rank until none is left."""
    parts = [bytes([byte]) for byte in piece]
    while len(parts) > 1:
        found = [(ranks.get(parts[n] + parts[n + 1], len(ranks)), n) for n in range(len(parts) - 1)]
        rank, at = min(found)
        if rank == len(ranks):
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts
