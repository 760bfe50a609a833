"""Where media are that were not found: under which other name, in which folder, in which archive."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Sequence
from typing import Any

from vita_data.media.containers.names import fold, other_extensions
from vita_data.media.resolve import relative_name
from vita_data.sources.below import Below, parted

ROOT_KEYS = ("media_root", "path_prefix")  # options that say where names of media begin


def hints(
    missing: Sequence[tuple[str, str]], root: str, options: dict[str, Any], places: list[str]
) -> list[str]:
    """Sentences on how (name, kind) of missing media would be found.

    `options` are all those of the adapter, with their values; `places` are the archives that the card names.
    """
    if not missing:
        return []
    below = Below(root)
    said: Counter[str] = Counter()
    for name, kind in missing:
        name = relative_name(name)
        found = below.find(name, kind)
        if found is not None:
            said[_hint(name, kind, *found, options)] += 1
    sentences = [
        f"{count} of the {len(missing)} missing media would be found: {words}"
        for words, count in said.most_common(3)
    ]
    unnamed = [name for name in below.archives if name not in places]
    if unnamed and not sentences:
        sentences.append(
            f"{', '.join(unnamed[:3])}{' and others' if len(unnamed) > 3 else ''} below the root: no archive that the "
            "card names; if the media are inside, add `media: {places: [{inside: ...}]}` to the card."
        )
    return sentences


def _hint(name: str, kind: str, archive: str, found: str, options: dict[str, Any]) -> str:
    """What to write so that a name means the file that was found."""
    wanted, there = parted(name, found)
    if archive:
        rule = [f"inside: {archive}"]
        rule += [f"prefix: {wanted}/"] * bool(wanted) + [f"strip: {there}/"] * bool(there)
        return f"they lie in an archive; add `media: {{places: [{{{', '.join(rule)}}}]}}` to the card."
    if posixpath.dirname(found) == posixpath.dirname(name):
        if fold(found) == fold(name):
            return "they lie in another case; add `media: {fallback: [case]}` to the card."
        if fold(found) in [fold(other) for other in other_extensions(name, kind)]:
            return "they have another extension; add `media: {fallback: [extension]}` to the card."
    key = next((key for key in ROOT_KEYS if key in options), None)
    if key is not None and wanted == _folder(str(options[key] or ".")):
        return f"they lie in the folder {there or '.'}; set `{key}: {there or '.'}` in the card's options."
    begins = f"begin with {wanted}/" if wanted else "begin at the root"
    where = there or "the root"
    return f"their names {begins} and the files lie in {where}; move the folder, or mend the card's options."


def _folder(name: str) -> str:
    clean = posixpath.normpath(name)
    return "" if clean == "." else clean
