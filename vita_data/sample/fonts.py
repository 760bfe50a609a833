"""The two fonts: the one inside Pillow for English, an installed one for Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import ImageFont

from vita_data.errors import SourceError

DEBIAN_PACKAGE = "fonts-wqy-zenhei"
FONT_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("/Library/Fonts"),
)
# File name -> number of the simplified Chinese face inside it; the first that is found is taken.
CHINESE = {
    "wqy-zenhei.ttc": 0,
    "NotoSansCJK-Regular.ttc": 2,
    "NotoSansCJKsc-Regular.otf": 0,
    "NotoSansSC-Regular.otf": 0,
    "wqy-microhei.ttc": 0,
}


@cache
def english(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own scalable font; plain layout, so that no library of the machine has a say."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise SourceError(
            "This Pillow was built without FreeType, so no text can be drawn: install its wheel."
        )
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC)


@cache
def chinese(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """An installed Chinese font."""
    index = CHINESE.get(path.name, 0)
    return ImageFont.truetype(str(path), size, index=index, layout_engine=ImageFont.Layout.BASIC)


def find_chinese(folders: Sequence[Path] = FONT_FOLDERS) -> Path | None:
    """The preferred Chinese font below `folders`, or None."""
    for name in CHINESE:
        for folder in folders:
            found = sorted(folder.rglob(name)) if folder.is_dir() else []
            if found:
                return found[0]
    return None
