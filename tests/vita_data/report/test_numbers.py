from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.report.formats import count, counted, listed, measured, percent, share, shorten, size
from vita_data.report.lengths import lengths_section, quantile
from vita_data.report.measured import measure_stage
from vita_data.report.plots import Part, stacked_bar

GEOMETRY = {"max_length": 2048, "thumbnail": True, "tile_pixels": 112, "tile_tokens": 16, "max_tiles": 3}


@given(st.lists(st.integers(0, 40), min_size=1), st.sampled_from([0.05, 0.5, 0.95, 1.0]))
def test_quantiles_of_counts_are_those_of_the_values(values, part):
    assert quantile(np.bincount(values, minlength=41), part) == np.quantile(
        values, part, method="inverted_cdf"
    )


def test_what_is_measured_is_what_the_samples_are(stage, sample, picture, tmp_path):
    wide, small = picture((224, 112)), picture((100, 100))
    samples = [
        sample("birds", 1, []),
        sample("birds", 2, [wide, small]),
        sample("maps", 3, [small], language="zh"),
    ]
    made = stage(tmp_path / "stage", [samples[:1], samples[1:]], ["birds", "maps"], [])
    found = measure_stage(str(made.folder), 2, 1, 2048, 2048, 1)
    assert found.pictures == Counter({0: 1, 1: 1, 2: 1})
    assert found.cells == Counter({1: 2, 2: 1})
    assert sorted(np.flatnonzero(found.lengths)) == sorted({one.length for one in samples})
    assert np.flatnonzero(found.packs).tolist() == [sum(one.length for one in samples)]
    assert (found.languages["en"].questions, found.languages["zh"].questions) == (4, 2)
    assert found.languages["zh"].tokens == samples[2].length
    assert found.first["birds"] == [min((samples[0].key, 0, 0), (samples[1].key, 1, 0))]


def test_a_picture_of_several_cells_counts_its_thumbnail(stage, sample, picture, parse, tmp_path):
    made = stage(tmp_path / "stage", [[sample("birds", 1, [picture((224, 112))])]], ["birds"], [])
    found = measure_stage(str(made.folder), 1, 1, 2048, 2048, 1)
    words = parse(lengths_section(found, made.facts["packs"], GEOMETRY)).text
    assert "3 tiles: 1" in words


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_the_parts_of_a_bar_fill_it_and_none_that_is_there_is_invisible(parse, values):
    bar = stacked_bar("all", [Part(str(n), "drawn", value) for n, value in enumerate(values)])
    widths = [float(rect["width"]) for rect in parse(bar).all("rect")]
    assert len(widths) == sum(value > 0 for value in values)
    assert not widths or sum(widths) == pytest.approx(1000, abs=0.5)
    assert all(width > 3 for width in widths)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (count(1234567), "1,234,567"),
        (count(2.5), "2.5"),
        (counted(1, "shard"), "1 shard"),
        (counted(0, "entry", "entries"), "0 entries"),
        (percent(1, 3), "33.3 %"),
        (percent(1, 10**6), "< 0.1 %"),
        (percent(10**6 - 1, 10**6), "> 99.9 %"),
        (percent(5, 5), "100 %"),
        (percent(0, 0), "–"),
        (share("1/5"), "20 %"),
        (share("1/3"), "33.3333 %"),
        (size(999), "999 bytes"),
        (size(12_840_960), "12.8 MB"),
        (size(999_960), "1.0 MB"),
        (measured("1600000000"), "1,600,000,000"),
        (measured("0 characters"), "0 characters"),
        (listed(["a", "b", "c"]), "a, b and c"),
        (listed([]), ""),
        (shorten("x" * 105, 100), "x" * 105),
    ],
)
def test_numbers_read_as_a_person_writes_them(said, words):
    assert said == words
