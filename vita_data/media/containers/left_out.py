"""What the archives of a source hold that no name leads to, told to a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from vita_data.media.containers.listing import Listed

LITTER = "litter"
WHY = {
    "name_not_utf8": "their names are not UTF-8",
    "name_leads_out": "their names lead out of the archive",
    "no_name": "they have no name",
    "name_too_long": "their names are longer than any path may be",
    LITTER: "they are what a Mac leaves beside the real files",
}


def left_out_facts(listed: Iterable[tuple[str, Listed]]) -> list[dict[str, Any]]:
    """{archive, members, left_out: {reason: members}, cut} of every archive, by its name, that lacks something."""
    found = {
        name: {"archive": name, "members": one.members, "left_out": one.left_out, "cut": one.cut is not None}
        for name, one in listed
        if one.left_out or one.cut is not None
    }
    return [found[name] for name in sorted(found)]


def sentences(archives: Iterable[dict[str, Any]]) -> Iterator[str]:
    """What `left_out_facts` found, a sentence for each archive and reason; litter is not worth one."""
    for each in archives:
        for reason, count in sorted(each["left_out"].items()):
            if reason != LITTER:
                yield f"{count:,} member{'s' * (count != 1)} of {each['archive']} could not be listed: {WHY[reason]}."
        if each["cut"]:
            yield (
                f"{each['archive']} is cut or damaged behind its first {each['members']:,} members, with which the "
                "card goes on; fetch it again to have the others."
            )
