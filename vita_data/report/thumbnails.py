"""Small pictures inside the page, and what stands in their place when there is none to show."""

from __future__ import annotations

import base64
import io

from PIL import Image

from vita_data.errors import RecordError, VitaError
from vita_data.media.image import examine_image
from vita_data.media.open import MediaFinder
from vita_data.report.markup import Html, tag
from vita_data.report.rules import reason_of

MOST_PIXELS = 40_000_000
MOST_BYTES = 32 << 20
QUALITY = 80
PAGE_FULL = "Left out to keep the page small"
NO_FOLDER = "The source's folder is not known"


class Album:
    """Makes thumbnails of at most `side` pixels until they fill `budget` bytes of the page."""

    def __init__(self, side: int, budget: int) -> None:
        self._side = side
        self._left = budget

    def picture(self, data: bytes, alt: str) -> Html:
        """A picture from its bytes, or a placeholder that says why it cannot be shown."""
        if self._left <= 0:
            return placeholder(PAGE_FULL)
        try:
            small, size = thumbnail(data, self._side)
        except RecordError as error:
            return placeholder(reason_of(error.rule).title)
        uri = "data:image/jpeg;base64," + base64.b64encode(small).decode()
        self._left -= len(uri)
        return tag("img", src=uri, alt=alt, width=size[0], height=size[1])

    def file(self, root: str | None, name: str, alt: str, absent: str | None = None) -> Html:
        """A picture from its name below a source's root, opened as carefully as the build opens it.

        `absent` says why there may be no such file, where that is no surprise.
        """
        if root is None:
            return placeholder(NO_FOLDER)
        try:
            return self.picture(MediaFinder(root).open(name, "image", MOST_BYTES).read(), alt)
        except RecordError as error:
            return placeholder((error.rule == "media_missing" and absent) or reason_of(error.rule).title)
        except VitaError:
            return placeholder(reason_of("media_unreadable").title)


def thumbnail(data: bytes, side: int) -> tuple[bytes, tuple[int, int]]:
    """A JPEG of a picture within `side` x `side` pixels, and its size; RecordError as of `examine_image`."""
    facts = examine_image(data, MOST_PIXELS)
    image: Image.Image = Image.open(io.BytesIO(facts.data), formats=("JPEG", "PNG"))
    image.thumbnail((side, side))
    buffer = io.BytesIO()
    image.convert("L" if image.mode == "L" else "RGB").save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return buffer.getvalue(), image.size


def placeholder(why: str) -> Html:
    """A frame with a torn picture in it, and why there is no other."""
    return tag("span", _TORN, tag("span", why), class_="nothing")


_TORN = tag(
    "svg",
    tag("path", d="M4 5h16v6l-3 3-3-3-4 4-3-3-3 3z"),
    tag("path", d="M4 18l3-3 3 3 4-4 3 3 3-3v5H4z"),
    viewBox="0 0 24 24",
    aria_hidden="true",
)
