"""Canonical JSON: the same value gives the same bytes, and what is read back is what was written."""

from __future__ import annotations

import json


def canonical(value: object) -> str:
    """JSON with sorted keys, no spaces and real characters; raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def canonical_bytes(value: object) -> bytes:
    """UTF-8 bytes of `canonical`; a lone surrogate, which UTF-8 cannot hold, becomes U+FFFD."""
    text = canonical(value)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")
