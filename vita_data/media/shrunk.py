"""A small grey square of a picture: what it shows at a glance, whatever its size, shape and format."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from vita_data.errors import RecordError
from vita_data.media.image import MAX_PIXELS, check_size, open_picture, without_warnings
from vita_data.media.pixels import make_upright, orientation_of, to_grey_or_rgb


def grey_square(data: bytes, side: int, max_pixels: int = MAX_PIXELS) -> Any:
    """The upright picture in grey, transparency on white, squeezed to uint8[side, side].

    A JPEG is decoded without its colours and at the smallest of its scales that is twice as large. For pictures
    that were verified before: RecordError media_unreadable where one no longer decodes.
    """
    with without_warnings():
        try:
            image = open_picture(data)
            check_size(image.size, max_pixels)
            orientation = orientation_of(image)
            image.draft("L", (2 * side, 2 * side))
            grey = to_grey_or_rgb(image).convert("L")
            square = grey.resize((side, side), Image.Resampling.BILINEAR)
        except Exception as error:  # Decoders of broken data raise whatever they trip over.
            words = str(error) if isinstance(error, RecordError) else type(error).__name__
            raise RecordError(
                "media_unreadable", f"A picture no longer decodes ({words}); build its catalog again."
            ) from error
    return np.asarray(make_upright(square, orientation))
