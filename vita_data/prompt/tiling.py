"""Dynamic tiling: into how many square tiles a picture is cut, as InternVL does it."""

from __future__ import annotations

from functools import cache, lru_cache

Grid = tuple[int, int]


@lru_cache(maxsize=1 << 16)
def choose_grid(width: int, height: int, max_tiles: int, tile_pixels: int) -> Grid:
    """Columns and rows of the grid whose aspect ratio is closest to the picture's.

    Grids hold 1 to `max_tiles` tiles of `tile_pixels` a side. Of equally close grids, tried from small
    to large, the larger one is taken only when the picture has more than half of its pixels.
    Floating-point differences are compared as they are, because the released model was trained so.
    Source: InternVL 1.5, section 3.3, and its published preprocessing.
    """
    aspect = width / height
    area = width * height
    best: Grid = (1, 1)
    smallest = float("inf")
    for ratio, grid in _candidates(max_tiles):
        difference = abs(aspect - ratio)
        if difference < smallest:
            smallest, best = difference, grid
        elif difference == smallest and area > 0.5 * tile_pixels * tile_pixels * grid[0] * grid[1]:
            best = grid
    return best


def tiles_of(grid: Grid, thumbnail: bool) -> int:
    """Tiles of one picture: the cells of its grid, plus a thumbnail of the whole when they are several."""
    cells = grid[0] * grid[1]
    return cells + 1 if thumbnail and cells > 1 else cells


@cache
def _candidates(max_tiles: int) -> tuple[tuple[float, Grid], ...]:
    # No two grids of equal area are ever equally close and closest, so the order among them is free.
    grids = [(i, j) for i in range(1, max_tiles + 1) for j in range(1, max_tiles // i + 1)]
    return tuple((i / j, (i, j)) for i, j in sorted(grids, key=lambda grid: (grid[0] * grid[1], grid)))
