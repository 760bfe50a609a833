"""Real pictures, sound and broken, from the corpus that VITA_TEST_CORPUS names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from vita_data.errors import RecordError
from vita_data.media.image import examine_image

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".mpo", ".j2k")
HEIF_SUFFIXES = (".heic", ".heif")

pytestmark = pytest.mark.corpus


def _rows(corpus: Path, kinds: tuple[str, ...], folder: str) -> Iterator[tuple[dict[str, object], bytes]]:
    for line in (corpus / "inventory.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        path = corpus / row["path"]
        if (
            row["kind"] in kinds
            and row["path"].startswith(folder)
            and path.suffix.lower() in (SUFFIXES + HEIF_SUFFIXES)
        ):
            yield row, path.read_bytes()


def _rule(data: bytes) -> str | None:
    try:
        facts = examine_image(data)
    except RecordError as refusal:
        return refusal.rule
    assert facts.data and facts.width and facts.height
    return None


def test_odd_pictures_load_and_only_heif_is_not_read(corpus: Path) -> None:
    refused = {str(row["path"]): _rule(data) for row, data in _rows(corpus, ("odd_image",), "hostile/image")}
    assert len(refused) > 30
    assert {path for path, rule in refused.items() if rule} == {
        path for path in refused if path.endswith(HEIF_SUFFIXES)
    }


def test_hostile_pictures_are_read_or_refused_as_the_inventory_says(corpus: Path) -> None:
    rows = list(_rows(corpus, ("hostile",), "hostile/image"))
    assert len(rows) > 30
    for row, data in rows:
        assert (_rule(data) is None) == row["decodes"], row["path"]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("cut_bear.jpg", "image_truncated"),
        ("truncated_image.png", "image_truncated"),
        ("truncated_jpeg.jpg", "image_truncated"),
        ("shortfile.bmp", "image_truncated"),
        ("mmocr_broken.jpg", "image_truncated"),
        ("broken.png", "image_undecodable"),
        ("zero_width.gif", "image_undecodable"),
        ("decompression_bomb.gif", "image_too_many_pixels"),
        ("image_Bad_reallybig.bmp", "image_too_many_pixels"),
        ("file-type_fixture-json.webp", "image_unknown_format"),
        ("mmpretrain_1.JPG", "image_unknown_format"),
        ("mmpretrain_3.jpeg", "image_empty"),
    ],
)
def test_broken_pictures_are_refused_with_their_rule(corpus: Path, name: str, rule: str) -> None:
    assert _rule((corpus / "hostile" / "image" / name).read_bytes()) == rule


@pytest.mark.parametrize(
    ("name", "width", "height", "converted"),
    [
        ("pil_sample_cmyk.jpg", 100, 100, "CMYK"),
        ("frame_size.mpo", 56, 70, None),
        ("hopper_bad_exif.jpg", 500, 500, None),
        ("hopper_orientation_6.jpg", 128, 128, "EXIF orientation 6"),
        ("rot1mir0.avif", 640, 427, "AVIF file, EXIF orientation 5"),
        ("16bit.cropped.tif", 64, 64, "TIFF file, 16-bit grey"),
    ],
)
def test_odd_pictures_are_stored_as_expected(
    corpus: Path, name: str, width: int, height: int, converted: str | None
) -> None:
    facts = examine_image((corpus / "hostile" / "image" / name).read_bytes())
    assert (facts.width, facts.height, facts.converted) == (width, height, converted)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["image/", "ocr/"])
def test_ordinary_pictures_all_load_with_the_size_the_inventory_says(corpus: Path, folder: str) -> None:
    rows = list(_rows(corpus, ("image", "image_ocr"), folder))
    assert len(rows) > 100
    for row, data in rows:
        facts = examine_image(data)
        assert (facts.width, facts.height) == (row["width"], row["height"]), row["path"]
