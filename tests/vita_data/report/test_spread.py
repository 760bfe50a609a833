from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from vita_data import files
from vita_data.records.key import sample_key
from vita_data.records.schema import CATALOG, INDEX, MEASURE, SIGNALS
from vita_data.report.distributions import distributions_section
from vita_data.report.spread import ASPECTS, SECONDS, hashes, spread_of
from vita_data.report.traces import SourceTraces, Traces

GEOMETRY = {"max_length": 2048, "thumbnail": True, "tile_pixels": 112, "tile_tokens": 16, "max_tiles": 3}


def key(number: int) -> str:
    return sample_key("birds", "data.json", str(number), 0)


def image(width: int, height: int) -> dict[str, object]:
    return {"kind": "image", "part_of": 0, "width": width, "height": height}


def frames(film: int, *times: float) -> list[dict[str, object]]:
    return [
        {"kind": "video-frame", "part_of": film, "width": 32, "height": 32, "time": time} for time in times
    ]


def sound(seconds: float) -> dict[str, object]:
    return {"kind": "audio", "part_of": 0, "samples": round(seconds * 16_000), "rate": 16_000}


MEDIA = [
    [image(300, 300), image(100, 400)],
    [*frames(0, 0.0, 1.5, 3.0), *frames(1, 0.0, 70.0)],
    [sound(0.5)],
    [],
    [sound(12)],
]
LENGTHS = [100, 2000, 150, 205, 206]


def tables(folder, kept, drawn, signals=True) -> Traces:
    """Five samples of one source, of which one was too long to be measured, `kept` and `drawn` by their numbers."""
    catalog = [
        {"key": key(n), "language": "en", "media": media, "record": "{}"} for n, media in enumerate(MEDIA)
    ]
    grids = [[(1, 1), (1, 3)], [(2, 1)], [], [], []]
    measured = [
        {
            "key": key(n),
            "row": n,
            "length": LENGTHS[n],
            "grids": [{"cols": cols, "rows": rows} for cols, rows in grids[n]],
        }
        for n in range(5)
        if n != 3
    ]
    seen = [
        {"key": key(n), "language": language} for n, language in enumerate(["zh", None, "en", "en", "fr"])
    ]
    index = [{"key": key(n), "source": "birds"} for n in drawn]
    for name, rows, schema in (
        ("catalog/part-00000", catalog, CATALOG),
        ("measured/part-00000", measured, MEASURE),
        ("kept/part-00000", [row for row in measured if row["row"] in kept], MEASURE),
        ("signals/signals-00000", seen, SIGNALS),
        ("stage/index/00000", index, INDEX),
    ):
        files.write_table(str(folder / f"{name}.parquet"), pa.Table.from_pylist(rows, schema))
    places = [str(folder / name) for name in ("catalog", "measured", "kept", "signals")]
    source = SourceTraces("root", places[0], [0], places[1], places[2], places[3] if signals else None)
    return Traces(str(folder), {"birds": source})


def bins(counts) -> list[Counter[int]]:
    return [Counter({n: many for n, many in enumerate(row.tolist()) if many}) for row in counts]


def test_every_series_counts_the_samples_that_are_in_it(tmp_path):
    spread = spread_of(tables(tmp_path, {0, 1, 4}, [1]), str(tmp_path / "stage"), 1, GEOMETRY)
    assert spread.samples[:, 0].tolist() == [4, 3, 1]
    square, narrow = (int(np.searchsorted(ASPECTS, ratio, "right")) for ratio in (1, 0.25))
    assert bins(spread.aspects) == [Counter({square: 1, narrow: 1})] * 2 + [Counter()]
    assert bins(spread.lengths) == [Counter({0: 2, 1: 1, 9: 1}), Counter({0: 1, 1: 1, 9: 1}), Counter({9: 1})]
    # Three cells have a thumbnail beside them, and so have two.
    assert bins(spread.tiles) == [Counter({1: 1, 4: 1, 3: 1})] * 2 + [Counter({3: 1})]


def test_a_film_lasts_to_its_last_frame_and_a_sound_as_long_as_its_samples(tmp_path):
    spread = spread_of(tables(tmp_path, {0, 1, 4}, [1]), str(tmp_path / "stage"), 1, GEOMETRY)
    short, long = (int(np.searchsorted(SECONDS, seconds, "right")) for seconds in (3, 70))
    assert bins(spread.films) == [Counter({short: 1, long: 1})] * 3
    half, twelve = (int(np.searchsorted(SECONDS, seconds, "right")) for seconds in (0.5, 12))
    assert bins(spread.sounds) == [Counter({half: 1, twelve: 1}), Counter({twelve: 1}), Counter()]


def test_a_language_is_the_one_that_was_identified_and_else_the_catalogs(tmp_path):
    spread = spread_of(tables(tmp_path, {0, 1}, [0]), str(tmp_path / "stage"), 1, GEOMETRY)
    assert spread.languages == [Counter(zh=1, en=2, fr=1), Counter(zh=1, en=1), Counter(zh=1)]
    plain = spread_of(tables(tmp_path, {0, 1}, [0], signals=False), str(tmp_path / "stage"), 1, GEOMETRY)
    assert plain.languages[0] == Counter(en=4)


def test_the_plots_show_the_series_side_by_side_with_their_numbers(parse, tmp_path):
    spread = spread_of(tables(tmp_path, {0, 1, 4}, [1]), str(tmp_path / "stage"), 1, GEOMETRY)
    page = parse(distributions_section(spread, GEOMETRY, curated=True))
    assert "Of 4 samples as catalogued, curation left 3 (75.0 %), and 1 (25.0 %) were drawn." in page.text
    assert [svg["aria-label"].partition(":")[0] for svg in page.all("svg")] == [
        "Pictures by shape",
        "Pictures and frames by tiles",
        "Samples by tokens",
        "Sounds by seconds",
        "Films by seconds",
        "Samples by language",
    ]
    assert {rect["class"] for rect in page.all("rect")} == {"before", "after", "taken"}
    assert "10 to 20 s 1 1 0" in page.text
    assert "Chinese 1 1 0" in page.text


def test_without_curation_there_are_two_series(parse, tmp_path):
    spread = spread_of(tables(tmp_path, {0, 1, 2, 4}, [1]), str(tmp_path / "stage"), 1, GEOMETRY)
    page = parse(distributions_section(spread, GEOMETRY, curated=False))
    assert {rect["class"] for rect in page.all("rect")} == {"before", "taken"}
    assert "curation" not in page.text


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_the_hash_of_a_key_is_read_from_its_end(numbers):
    keys = pa.array(["first", *(f"many-birds-{number:016x}" for number in numbers)], pa.string()).slice(1)
    assert hashes(keys).tolist() == numbers
    assert hashes(pa.chunked_array([keys, keys])).tolist() == numbers * 2
