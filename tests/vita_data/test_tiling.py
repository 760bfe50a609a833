"""Pictures are cut into the tiles InternVL would cut them into."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.prompt.tiling import choose_grid, tiles_of

SIDES = st.integers(1, 8000)


@pytest.mark.parametrize(
    ("width", "height", "tiles"),
    [
        (448, 448, 1),
        (896, 448, 3),
        (1920, 1080, 9),
        (500, 2000, 5),
        (640, 480, 13),
        (640, 427, 7),
        (1280, 720, 9),
        (800, 800, 5),
        (512, 512, 1),
        (600, 600, 1),
        (500, 60, 9),
    ],
)
def test_published_examples_are_met(width: int, height: int, tiles: int) -> None:
    assert tiles_of(choose_grid(width, height, 12, 448), thumbnail=True) == tiles


def test_the_larger_of_two_equally_close_grids_needs_more_than_half_its_pixels() -> None:
    edge = 448 * 2**0.5
    assert choose_grid(633, 633, 12, 448) == (1, 1)
    assert choose_grid(634, 634, 12, 448) == (2, 2)
    assert 633 < edge < 634


def test_columns_come_before_rows() -> None:
    assert choose_grid(2000, 500, 12, 448) == (4, 1)
    assert choose_grid(500, 2000, 12, 448) == (1, 4)


def test_a_thumbnail_is_added_to_several_tiles_only() -> None:
    assert [tiles_of((1, 1), True), tiles_of((2, 1), True), tiles_of((2, 1), False)] == [1, 3, 2]


@given(width=SIDES, height=SIDES, cap=st.integers(1, 12))
def test_a_grid_stays_within_its_cap_and_no_other_is_closer(width: int, height: int, cap: int) -> None:
    columns, rows = choose_grid(width, height, cap, 448)
    assert 1 <= columns * rows <= cap
    grids = [(i, j) for i in range(1, cap + 1) for j in range(1, cap + 1) if i * j <= cap]
    assert abs(width / height - columns / rows) == min(abs(width / height - i / j) for i, j in grids)


@given(width=SIDES, height=SIDES)
def test_one_tile_is_all_that_a_cap_of_one_leaves(width: int, height: int) -> None:
    assert choose_grid(width, height, 1, 448) == (1, 1)
