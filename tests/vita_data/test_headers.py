"""The size of a stored picture and the length of a stored sound from their headers are what a decoder finds."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vita_data.errors import ShardError
from vita_data.shards.headers import picture_size, sound_length

SIDES = st.integers(1, 300)
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True, "quality": 30}),
    ("JPEG", {"exif": b"Exif\0\0II*\0" + bytes(4000), "comment": b"\xff\xc0\xff\xda" * 9}),
    ("JPEG", {"restart_marker_rows": 1, "optimize": True}),
    ("PNG", {}),
    ("PNG", {"optimize": True, "dpi": (72, 72)}),
]


@given(SIDES, SIDES, st.sampled_from(KINDS), st.sampled_from(["L", "RGB"]))
def test_jpegs_and_pngs_have_the_size_that_they_were_written_with(
    width: int, height: int, kind: tuple[str, dict[str, Any]], mode: str
) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (width, height)).save(buffer, kind[0], **kind[1])
    assert picture_size(buffer.getvalue()) == (width, height)


def test_junk_between_the_segments_of_a_jpeg_is_passed_over_as_a_decoder_does() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (33, 21)).save(buffer, "JPEG")
    data = buffer.getvalue()
    at = data.index(b"\xff\xdb")
    for junk in (b"\xff\xff", b"\x00\x01\x02", b"\xff\x00", b"\xff\xd0", b"\xff\xf0"):
        odd = data[:at] + junk + data[at:]
        assert picture_size(odd) == Image.open(io.BytesIO(odd)).size == (33, 21)


@given(st.binary(max_size=200))
def test_what_is_no_picture_has_no_size(data: bytes) -> None:
    for head in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"):
        try:
            width, height = picture_size(head + data)
        except ShardError:
            continue
        assert width > 0 and height > 0


@given(st.integers(1, 40_000), st.sampled_from([8000, 16000, 24000, 44100]))
def test_sounds_have_the_length_that_they_were_written_with(samples: int, rate: int) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, [0.25] * samples, rate, format="FLAC", subtype="PCM_16")
    assert sound_length(buffer.getvalue()) == (samples, rate)


@pytest.mark.parametrize("data", [b"", b"fLaC", b"fLaC" + bytes(40), b"RIFF" + bytes(40)])
def test_what_is_no_flac_has_no_length(data: bytes) -> None:
    with pytest.raises(ShardError, match="no header that says its length"):
        sound_length(data)


@pytest.mark.corpus
def test_real_pictures_have_the_size_that_a_decoder_finds(corpus: Path) -> None:
    tried = 0
    for path in sorted(
        path for path in corpus.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    ):
        data = path.read_bytes()
        try:
            image = Image.open(io.BytesIO(data))
        except OSError:
            continue
        if image.format in ("JPEG", "MPO", "PNG"):
            assert picture_size(data) == image.size, path
            tried += 1
    assert tried > 20
