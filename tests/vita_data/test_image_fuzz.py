"""Whatever bytes arrive, a picture is read or refused; nothing else happens."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from vita_data.errors import RecordError
from vita_data.media.image import ImageFacts, examine_image

KINDS = ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "JPEG2000", "AVIF", "PPM")
FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=6)


def _make(kind: str) -> bytes:
    image = Image.effect_noise((24, 16), 60)
    if kind != "PPM":
        image = Image.merge("RGB", (image, image.transpose(Image.Transpose.ROTATE_180), image))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    options = {"exif": exif.tobytes()} if kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF") else {}
    image.save(buffer, kind, **options)
    return buffer.getvalue()


SAMPLES = {kind: _make(kind) for kind in KINDS}


def _read(data: bytes) -> ImageFacts | None:
    """The facts, or None after a refusal that says its rule; a picture that is read can be read again."""
    try:
        facts = examine_image(data, max_pixels=1_000_000)
    except RecordError as refusal:
        assert refusal.rule.startswith("image_") and str(refusal)
        assert " at 0x" not in str(refusal)
        return None
    again = examine_image(facts.data)
    assert (again.width, again.height, again.converted) == (facts.width, facts.height, None)
    return facts


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_picture_is_read(kind: str) -> None:
    facts = _read(SAMPLES[kind])
    assert facts is not None and {facts.width, facts.height} == {24, 16}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_cut_anywhere_is_read_or_refused(kind: str) -> None:
    data = SAMPLES[kind]
    for length in range(0, len(data), max(1, len(data) // 150)):
        _read(data[:length])


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=150)
@given(flips=FLIPS)
def test_a_picture_with_flipped_bytes_is_read_or_refused(kind: str, flips: list[tuple[float, int]]) -> None:
    data = bytearray(SAMPLES[kind])
    for place, mask in flips:
        # Squared, because headers lie in front and are where flips do most.
        data[int(place * place * len(data))] ^= mask
    _read(bytes(data))


@settings(deadline=None)
@given(tail=st.binary(max_size=200), kind=st.sampled_from(KINDS), head=st.integers(2, 40))
@example(tail=b"", kind="PPM", head=2)
def test_garbage_behind_a_true_signature_is_read_or_refused(tail: bytes, kind: str, head: int) -> None:
    _read(SAMPLES[kind][:head] + tail)
