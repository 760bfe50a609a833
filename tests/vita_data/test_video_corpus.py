"""Real films, sound and broken, from the corpus that VITA_TEST_CORPUS names."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from vita_data.errors import RecordError
from vita_data.media import video as video_module
from vita_data.media.film import Film
from vita_data.media.video import read_frames

pytestmark = pytest.mark.corpus

# Shown otherwise than stored: oblong pixels, turned, and two tracks of which the larger is shown.
OTHER_SIZES = {
    "arm_wrestling.mp4": (427, 256),
    "pool_net.mp4": (455, 256),
    "mmaction2_part_0.mp4": (455, 256),
    "mmaction2_part_1.mp4": (455, 256),
    "lhotse_big_buck_bunny_small.mp4": (427, 240),
    "decord_video_90.mov": (320, 568),
    "nasa_telescope.mp4": (480, 270),
}


def _rows(corpus: Path, kind: str, suffixes: tuple[str, ...] = ("",)) -> Iterator[tuple[dict, Path]]:
    for line in (corpus / "inventory.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["kind"] == kind and row["path"].endswith(suffixes):
            yield row, corpus / row["path"]


def _read(path: Path) -> Film | str:
    try:
        return read_frames(str(path))
    except RecordError as refusal:
        return refusal.rule


def test_every_film_has_the_length_and_size_that_the_inventory_says(corpus: Path) -> None:
    rows = list(_rows(corpus, "video"))
    assert len(rows) > 20
    for row, path in rows:
        film = read_frames(str(path))
        # The inventory counts a longer sound track too.
        assert film.duration == pytest.approx(row["decoded_seconds"], abs=0.1), path
        assert len(film.frames) == min(max(math.ceil(film.duration), 4), 16), path
        scale = min(1, 448 / min(row["width"], row["height"]))
        stored = round(row["width"] * scale), round(row["height"] * scale)
        shown = film.frames[0].width, film.frames[0].height
        assert shown == OTHER_SIZES.get(path.name, stored), path
        assert film.sound == ("audio_codec" in row), path


@pytest.mark.slow
def test_decoding_what_is_needed_gives_what_decoding_everything_gives(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [path for kind in ("video", "hostile") for _, path in _rows(corpus, kind) if "video" in str(path)]
    assert len(paths) > 25
    short = [_read(path) for path in paths]
    monkeypatch.setattr(video_module, "from_key_frames", lambda *_: None)
    for path, read in zip(paths, short, strict=True):
        assert _read(path) == read, path


def test_equal_films_in_two_files_have_equal_content(corpus: Path) -> None:
    one, two = (_read(corpus / "video" / "odd" / f"mmaction2_part_{n}.mp4") for n in (0, 1))
    assert isinstance(one, Film) and isinstance(two, Film) and one.content == two.content


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("cut_yoga.mp4", "video_undecodable"),
        ("file-type_fixture-corrupt.mkv", "video_undecodable"),
        ("file-type_fixture-isomv2.mp4", "video_undecodable"),
        ("mp4parse-rust_bipbop_480wp_1001kbps-cenc-video-key1-init.mp4", "video_undecodable"),
        ("mp4parse-rust_chunk_out_of_range.mp4", "video_undecodable"),
    ],
)
def test_broken_films_are_refused_with_their_rule(corpus: Path, name: str, rule: str) -> None:
    assert _read(corpus / "hostile" / "video" / name) == rule


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("cut_pancake.mkv", 6.0), ("decord_corrupted.mp4", 5.0), ("mp4parse-rust_no_timescale.mp4", 5.943)],
)
def test_what_is_left_of_broken_films_is_kept(corpus: Path, name: str, seconds: float) -> None:
    film = _read(corpus / "hostile" / "video" / name)
    assert isinstance(film, Film) and film.duration == pytest.approx(seconds, abs=0.001)


def test_sound_pictures_and_text_are_read_or_refused(corpus: Path) -> None:
    suffixes = (".mp3", ".m4a", ".wav", ".flac", ".ogg", ".jpg", ".png", ".gif", ".webp", ".json", ".tar")
    read = {path: _read(path) for _, path in _rows(corpus, "hostile", suffixes)}
    assert len(read) > 30
    sounds = [found for path, found in read.items() if "/audio/" in str(path)]
    assert set(sounds) <= {"video_no_frames", "video_undecodable", "video_empty"}
