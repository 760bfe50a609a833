"""MinHash signatures, beside datasketch's and beside true similarities."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from datasketch import MinHash

from vita_data.curate import minhash, words


def theirs(hashes: Any, permutations: int) -> Any:
    """datasketch's signature of hashes that it is given as they are."""
    made = MinHash(num_perm=permutations, scheme="affine32", hashfunc=int)
    made.update_batch(hashes.tolist())
    return made.hashvalues


@pytest.mark.parametrize("permutations", [1, 128, 256])
def test_signatures_are_those_of_datasketch_for_the_same_hashes(permutations: int) -> None:
    rng = np.random.default_rng(3)
    sets = [rng.integers(0, 1 << 32, size, dtype=np.uint32) for size in (1, 2, 500, 7)]
    starts = np.cumsum([0, *(len(some) for some in sets)])[:-1]
    made = minhash.sketch(np.concatenate(sets), starts, permutations)
    assert made.dtype == np.uint32
    for row, some in zip(made, sets, strict=True):
        assert np.array_equal(row, theirs(some, permutations))


def test_a_text_has_the_signature_of_its_shingles() -> None:
    text = "a text of some words, 12 of them 中文 too"
    upper = (words.shingles(text) >> np.uint64(32)).astype(np.uint32)
    assert np.array_equal(minhash.signatures([text])[0], theirs(upper, 128))


def test_it_makes_no_difference_in_which_company_a_text_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(5)
    texts = [" ".join(rng.choices("abcdefgh", k=rng.randint(0, 40))) for _ in range(200)]
    together = minhash.signatures(texts)
    monkeypatch.setattr(minhash, "BLOCK", 100)
    assert np.array_equal(minhash.signatures(texts), together)
    assert np.array_equal(minhash.signatures(texts[::-1])[::-1], together)
    assert np.array_equal(minhash.signatures(texts[7:8])[0], together[7])


def test_repeating_a_text_changes_nothing_but_where_it_is_joined() -> None:
    text = " ".join(str(n) for n in range(400))
    once, twice = minhash.signatures([text, f"{text} {text}"])
    assert np.mean(once == twice) > 0.95


def test_no_texts_have_no_signatures() -> None:
    assert minhash.signatures([]).shape == (0, minhash.PERMUTATIONS)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_the_share_of_equal_places_estimates_the_similarity_without_bias(share: float) -> None:
    rng = np.random.default_rng(int(share * 10))
    errors = []
    for _ in range(150):
        common = rng.integers(0, 1 << 32, int(300 * share), dtype=np.uint32)
        own = rng.integers(0, 1 << 32, (2, 300 - len(common)), dtype=np.uint32)
        sets = [np.concatenate([common, some]) for some in own]
        one, other = minhash.sketch(np.concatenate(sets), np.array([0, 300]))
        true = len(common) / (600 - len(common))
        errors.append(np.mean(one == other) - true)
    deviation = np.sqrt(true * (1 - true) / minhash.PERMUTATIONS)
    assert abs(np.mean(errors)) < 4 * deviation / np.sqrt(len(errors))
    assert np.std(errors) < 1.3 * deviation
