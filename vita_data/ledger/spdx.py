"""Licences as cards state them, in the words of SPDX (https://spdx.org/licenses/) where they are such words."""

from __future__ import annotations

import re

# Identifiers of the list in their own spelling; cards may write them in small letters.
IDENTIFIERS = (
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC-BY-2.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-ND-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "GPL-2.0",
    "GPL-3.0",
    "LGPL-3.0",
    "MIT",
    "ODbL-1.0",
    "ODC-By-1.0",
    "PDDL-1.0",
)
_KNOWN = {name.lower(): name for name in IDENTIFIERS}


def licence_terms(words: str) -> list[str]:
    """The pages of the licences that a card joins with AND; its own words where they say anything else."""
    names = [_KNOWN.get(part.lower()) for part in re.split(r"\s+AND\s+", words.strip())]
    if None in names:
        return [" ".join(words.split())]
    return [f"https://spdx.org/licenses/{name}.html" for name in names]
