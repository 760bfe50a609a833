"""What archives hold that no record can have named: it is no reject, and would be missed by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vita_data.media.containers.left_out import WHY
from vita_data.report.formats import counted
from vita_data.report.markup import Html, tag
from vita_data.report.tables import Cell, table

HEADS = ("Source", "Archive", "Why", "Listed", "Left out")
MOST = 50


def left_out_table(sources: list[dict[str, Any]]) -> Html | None:
    """The archives that lack something, folded away; None where all of them are whole."""
    rows = [row for source in sources for row in _rows(source)]
    if not rows:
        return None
    more = f"and {counted(len(rows) - MOST, 'more row')}, in stage.json" if len(rows) > MOST else None
    return tag(
        "details",
        tag("summary", f"Members of archives that could not be listed ({counted(len(rows), 'row')})"),
        table("Members that could not be listed", HEADS, rows[:MOST], words=3),
        tag("p", more, class_="note") if more else None,
    )


def _rows(source: dict[str, Any]) -> Iterator[list[Cell]]:
    for each in source.get("archives", []):
        start = [source["source"], each["archive"]]
        for reason, number in sorted(each["left_out"].items()):
            yield [*start, WHY[reason], each["members"], number]
        if each["cut"]:
            yield [*start, "it is cut or damaged behind those", each["members"], "unknown"]
