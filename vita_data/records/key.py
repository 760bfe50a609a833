"""Names and keyed choices, all blake2b, so that every run on every machine makes the same ones.

A key is `<source>-<16 hex>`. The selection hash orders the samples of every stage, which is why
4 % of a source lies inside 20 % of it. Choices for another purpose use another `purpose`, so that
they are independent of each other.
"""

from __future__ import annotations

import hashlib
import json

UNIT = 1 << 64


def _digest64(*parts: str) -> bytes:
    hasher = hashlib.blake2b(digest_size=8)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "little"))
        hasher.update(data)
    return hasher.digest()


def sample_key(source: str, annotation: str, native_id: str, occurrence: int) -> str:
    """The key of the n-th record with this native id (as JSON text) in an annotation file of a source."""
    return f"{source}-{_digest64(source, annotation, native_id, str(occurrence)).hex()}"


def id_hash(annotation: str, native_id: str) -> int:
    """Where a record is sorted while the occurrences of its native id are counted: an unsigned 64-bit number."""
    return int.from_bytes(_digest64(annotation, native_id), "big")


def keyed_hash(seed: int, purpose: str, *names: str) -> int:
    """A uniform unsigned 64-bit number that depends on nothing but its arguments."""
    return int.from_bytes(_digest64(str(seed), purpose, *names), "big")


def selection_hash(seed: int, key: str) -> int:
    """The number whose order decides which samples a stage takes, the same for every stage."""
    return keyed_hash(seed, "select", key)


def text_digest(*texts: str) -> str:
    """Sixteen hex digits: blake2b-64 over each text in turn, its length in UTF-8 (8 bytes, little-endian) and bytes."""
    return _digest64(*texts).hex()


def digest_of(*facts: object) -> str:
    """The short name of a step's output: 16 hex digits over its JSON-able inputs."""
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
