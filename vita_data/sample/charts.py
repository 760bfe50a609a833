"""The source sample-charts: charts and tables inside parquet files, with questions on their figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from vita_data.sample import damage
from vita_data.sample.chance import rng
from vita_data.sample.chart_pictures import PAPERS, draw_chart
from vita_data.sample.encode import jpeg, png
from vita_data.sample.fonts import english
from vita_data.sample.ledger import Entry, Fate, Plant, SourceFacts, spread
from vita_data.sample.native import Turn, conversations, with_image
from vita_data.sample.series import MONTHS, Series, ask_on, draw_series
from vita_data.sample.tables import Table, draw_table

NAME = "sample-charts"
FILES = 2
KINDS = {"bar": 130, "line": 100, "pie": 80, "table": 110, "text": 30}
ROWS_PER_GROUP = 64
TURN = pa.struct([("from", pa.string()), ("value", pa.string())])
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("conversations", pa.list_(TURN)),
        ("data_source", pa.string()),
    ]
)


def make(root: Path) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    (root / "default").mkdir(parents=True)
    entries = [_entry(kind, number) for kind, count in KINDS.items() for number in range(count)]
    rng(NAME, "order").shuffle(entries)
    entries = spread(entries, _rejects(entries), rng(NAME, "spread"))
    facts = SourceFacts()
    cut = len(entries) // FILES
    for number in range(FILES):
        name = f"default/train-{number:05d}-of-{FILES:05d}.parquet"
        last = number == FILES - 1
        part = entries[number * cut :] + _alike() if last else entries[number * cut : (number + 1) * cut]
        table = pa.Table.from_pylist([entry.record for entry in part], SCHEMA)
        pq.write_table(table, root / name, compression="snappy", row_group_size=ROWS_PER_GROUP)
        facts.add(name, part)
    return facts


def _entry(kind: str, number: int) -> Entry:
    name = f"{kind}-{number:04d}"
    random = rng(NAME, name)
    count = random.randint(1, 4)
    if kind == "text":
        series = draw_series(random, "bar")
        return _row(name, kind, None, _in_words(series, ask_on(series, random, count)))
    if kind == "table":
        table = _draw_figures(random)
        colours = (random.choice(PAPERS), random.choice(("#dde6f0", "#eadfca", "#dcebdc")), "#999999")
        picture = draw_table(table, english, random.choice((13, 14, 15)), colours, random.random() < 0.5)
        return _row(name, kind, picture, with_image(_ask_table(table, random, count)))
    series = draw_series(random, kind)
    turns = ask_on(series, random, count)
    return _row(name, kind, draw_chart(series, kind, random), with_image(turns))


def _row(name: str, kind: str, picture: Image.Image | None, turns: Sequence[Turn]) -> Entry:
    image: dict[str, Any] | None = None
    if picture is not None:
        as_jpeg = rng(NAME, "form", name).random() < 0.2
        encoded = jpeg(picture, 92) if as_jpeg else png(picture)
        image = {"bytes": encoded.data, "path": f"{name}.{encoded.extension}"}
    record = {
        "id": name,
        "image": image,
        "conversations": conversations(turns),
        "data_source": f"drawn {kind}",
    }
    return Entry(record, len(turns), name)


def _in_words(series: Series, turns: Sequence[Turn]) -> list[Turn]:
    """The figures told in the first question in place of a picture."""
    listed = ", ".join(f"{label} {value}" for label, value in zip(series.labels, series.values, strict=True))
    (question, answer), *others = turns
    return [
        (f'A chart with the title "{series.title}" shows, in {series.unit}: {listed}. {question}', answer),
        *others,
    ]


def _draw_figures(random: Random) -> Table:
    names, columns, title = random.choice(
        (
            (
                ("Oak", "Elm", "Ash", "Pine", "Birch", "Maple"),
                ("Tree", "Count", "Height m"),
                "Trees in the park",
            ),
            (
                ("Anna", "Ben", "Chloe", "David", "Emma", "Felix"),
                ("Pupil", "Maths", "Music", "Sport"),
                "Points",
            ),
            (("Pens", "Paper", "Glue", "Tape", "Clips", "Ink"), ("Item", "Price", "Sold"), "Stationery"),
            (("North", "South", "East", "West"), ("Region", "2021", "2022", "2023"), "Orders by region"),
            (("Line 1", "Line 2", "Line 3", "Line 4", "Line 5"), ("Tram", "Stops", "Minutes"), "Tram lines"),
        )
    )
    count = random.randint(3, len(names))
    pools = [random.sample(range(2, 99), count) for _ in columns[1:]]
    rows = tuple((name, tuple(pool[n] for pool in pools)) for n, name in enumerate(names[:count]))
    return Table(title, columns, rows)


def _ask_table(table: Table, random: Random, count: int) -> list[Turn]:
    turns: list[Turn] = []
    for kind in random.sample(range(6), count):
        column = random.randrange(len(table.columns) - 1)
        heading, numbers = table.columns[column + 1], table.column(column)
        (one, first), (two, second) = random.sample(table.rows, 2)
        best = table.rows[numbers.index(max(numbers))][0]
        least = table.rows[numbers.index(min(numbers))][0]
        more, less = max(first[column], second[column]), min(first[column], second[column])
        turns.append(
            (
                (f'What does the table give for {one} under "{heading}"?', f"{first[column]}."),
                (f'Which row has the largest number under "{heading}"?', f"{best}, with {max(numbers)}."),
                (f'Where is "{heading}" smallest?', f"{least}, with {min(numbers)}."),
                (f'What is the sum of the column "{heading}"?', f"{sum(numbers)}."),
                (f'By how much do {one} and {two} differ under "{heading}"?', f"By {more - less}."),
                ("How many rows does the table have below its heading?", f"{len(table.rows)}."),
            )[kind]
        )
    return turns


def _alike() -> list[Entry]:
    """Two charts that look alike, with the same question, and differ in one bar: near pictures are off in this row."""
    stays = Fate("charts_alike", None, "stays: a chart that looks like another and has another figure")
    values = {"alike-0": (31, 46, 22, 38, 57, 64), "alike-1": (31, 46, 22, 38, 52, 64)}
    entries = []
    for name, figures in values.items():
        series = Series("Letters sent", "letters", MONTHS[: len(figures)], figures)
        turns = [
            ("How many letters were sent in January, and how many in June?", "31 in January and 64 in June.")
        ]
        picture = draw_chart(series, "bar", rng(NAME, "alike"))
        entries.append(replace(_row(name, "bar", picture, with_image(turns)), fate=stays))
    return entries


def _rejects(entries: Sequence[Entry]) -> list[Entry]:
    """Four rows that cannot be used."""
    model = next(entry for entry in entries if entry.record["id"].startswith("bar"))
    picture = draw_chart(Series("Sizes", "cm", ("A", "B"), (3, 5)), "bar", rng(NAME, "broken"))
    whole = png(picture).data

    def bad(name: str, data: bytes | None, plant: Plant, **fields: object) -> Entry:
        record = model.record | {"id": name, "image": {"bytes": data, "path": f"{name}.png"}} | fields
        return replace(model, record=record, questions=0, native_id=name, plant=plant)

    cut = Plant("truncated_png", "image_truncated", "the last 40 % of the bytes are not there")
    noise = Plant(
        "scrambled_png", "image_undecodable", "whole chunks with right checksums, but the pixels are noise"
    )
    empty = Plant("zero_bytes", "image_empty", "zero bytes")
    null = Plant("null_row", "not_a_record", "a row whose columns but the id are all null")
    nothing = {"conversations": None, "image": None, "data_source": None}
    return [
        bad("cut", damage.cut_short(whole), cut),
        bad("noise", damage.scrambled(), noise),
        bad("empty", b"", empty),
        bad("null", None, null, **nothing),
    ]
