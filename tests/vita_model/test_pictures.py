"""Pictures as tiles, against what a hand computes."""

from __future__ import annotations

import io

import numpy
import pytest
import torch
from PIL import Image

from vita_data.errors import ShardError
from vita_model.batch.pictures import tiles


def png(pixels: numpy.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def test_tiles_are_cut_row_by_row_and_the_thumbnail_is_last() -> None:
    cells = numpy.arange(6, dtype=numpy.uint8).reshape(2, 3) * 40  # 2 rows, 3 columns, one grey each
    whole = numpy.repeat(numpy.kron(cells, numpy.ones((14, 14), numpy.uint8))[..., None], 3, axis=2)
    found = tiles(png(whole), (3, 2), 14, True, "k")
    assert found.shape == (7, 3, 14, 14) and found.dtype == torch.uint8
    for number in range(6):
        assert (found[number] == number * 40).all()
    small = Image.fromarray(whole).resize((14, 14), Image.Resampling.BICUBIC)
    assert torch.equal(found[6], torch.from_numpy(numpy.asarray(small).transpose(2, 0, 1).copy()))


def test_a_picture_of_one_tile_has_no_thumbnail_and_is_not_padded() -> None:
    tall = numpy.full((50, 10, 3), 77, numpy.uint8)
    found = tiles(png(tall), (1, 1), 14, True, "k")
    assert found.shape == (1, 3, 14, 14) and (found == 77).all()


def test_without_thumbnails_there_are_only_the_cells() -> None:
    assert len(tiles(png(numpy.zeros((14, 28, 3), numpy.uint8)), (2, 1), 14, False, "k")) == 2


def test_a_grey_picture_has_three_equal_channels() -> None:
    found = tiles(png(numpy.full((14, 14), 9, numpy.uint8)), (1, 1), 14, True, "k")
    assert (found == 9).all() and found.shape[1] == 3


def test_bytes_that_are_no_picture_are_refused_with_the_key() -> None:
    with pytest.raises(ShardError, match="squares-1: its picture cannot be decoded"):
        tiles(b"no picture", (1, 1), 14, True, "squares-1")
