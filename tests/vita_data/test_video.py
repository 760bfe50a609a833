"""Frames of films are exact, upright, of the right colours, and the same on every run."""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import sys
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.vita_data.films import KINDS, STAMPED, film, film_of, number_in, picture, rate_of, remuxed
from vita_data.errors import RecordError
from vita_data.media import reel as reel_module
from vita_data.media.decode import Decoder, drops_exactly, from_the_start
from vita_data.media.film import Film, FrameRule
from vita_data.media.reel import Reel
from vita_data.media.shortcut import from_key_frames
from vita_data.media.still import Renderer
from vita_data.media.timeline import Choice, Timeline, choose
from vita_data.media.video import read_frames

RULE = FrameRule()
ROOT = Path(__file__).parents[2]


def _numbers(read: Film) -> list[int]:
    return [number_in(frame.data) for frame in read.frames]


def _pixels(read: Film, index: int = 0) -> np.ndarray:
    frame = read.frames[index]
    image = Image.open(io.BytesIO(frame.data))
    assert image.size == (frame.width, frame.height) and image.format == "JPEG" and image.mode == "RGB"
    return np.asarray(image, int)


def _decoded(data: bytes, short: bool, start: float | None = None, end: float | None = None) -> object:
    """What one of the two ways makes of a film: the choice, and the digest of each chosen still."""

    def chosen(timeline: Timeline) -> Choice:
        return choose(timeline, RULE, start, end)

    reel = Reel(io.BytesIO(data), RULE.max_pixels)
    reel.scan(10_000)
    way = from_key_frames if short else from_the_start
    watched = way(reel, Decoder(reel, RULE.max_work), chosen, Renderer(None, 448, 90).still_of)
    if watched is None:
        return None
    return watched.choice, {index: watched.stills[index].content for _, index in watched.choice.picks}


@pytest.mark.parametrize("kind", KINDS)
def test_a_film_gives_the_frame_of_each_second(kind: str) -> None:
    rate = rate_of(kind)
    read = read_frames(film_of(kind, 5 * rate + 3))
    assert [frame.time for frame in read.frames] == [0, 1, 2, 3, 4, 5]
    assert _numbers(read) == [rate * second for second in range(6)]
    assert read.duration == pytest.approx(5 + 3 / rate, abs=0.002)


@pytest.mark.parametrize("kind", KINDS)
def test_any_frame_of_a_film_can_be_had(kind: str) -> None:
    data, rate = film_of(kind, 40), rate_of(kind)
    for number in range(40):
        read = read_frames(data, start=number / rate, end=(number + 1) / rate)
        assert _numbers(read) == [number]


@pytest.mark.parametrize("kind", STAMPED)
def test_the_short_way_is_taken_and_gives_the_pixels_of_decoding_everything(kind: str) -> None:
    data = film_of(kind, 40)
    for start in (None, 0.3, 1.1, 1.2, 1.25, 2.9):
        short = _decoded(data, True, start)
        assert short is not None and short == _decoded(data, False, start)


def test_key_marks_that_promise_too_much_are_found_out() -> None:
    data = film_of("H.264 with rolling refresh", 40)
    assert sum(_keys(data)) > 1, "the file must call frames key frames that are none"
    assert _decoded(data, True, 2.0) is None
    assert _numbers(read_frames(data, start=2.0)) == [20, 25, 30, 35]


def test_key_marks_on_other_frames_are_found_out() -> None:
    data = film_of("MPEG-4 in MP4", 40)
    marks = data.index(b"stss") + 12
    first, *others = struct.unpack_from(">3I", data, marks)
    lie = struct.pack(">3I", first, *(mark + 4 for mark in others))
    lying = data[:marks] + lie + data[marks + 12 :]
    assert _keys(lying) != _keys(data) and sum(_keys(lying)) == sum(_keys(data))
    assert any(_decoded(lying, True, number / 10) is None for number in range(40))
    for number in range(40):
        assert _numbers(read_frames(lying, start=number / 10, end=(number + 1) / 10)) == [number]


def test_a_film_whose_decoder_is_set_up_anew_in_between_is_decoded_in_order() -> None:
    fine, coarse = (
        film(20, container="flv", options={"qp": qp, "x264-params": "bframes=0:keyint=10:scenecut=0"})
        for qp in ("4", "34")
    )
    joined = fine + _shifted_tags(coarse, 2000)
    assert _decoded(joined, True) is None
    for number in range(40):
        read = read_frames(joined, start=number / 10, end=(number + 1) / 10)
        assert _numbers(read) == [number % 20]
        part = read_frames(
            fine if number < 20 else coarse, start=number % 20 / 10, end=(number % 20 + 1) / 10
        )
        assert read.content == part.content


def _shifted_tags(flv: bytes, milliseconds: int) -> bytes:
    """The pictures of an FLV file and their settings without its header, each so much later."""
    tags, at = b"", 13
    while at < len(flv):
        size = int.from_bytes(flv[at + 1 : at + 4], "big")
        stamp = (flv[at + 7] << 24 | int.from_bytes(flv[at + 4 : at + 7], "big")) + milliseconds
        moved = (stamp & 0xFFFFFF).to_bytes(3, "big") + (stamp >> 24).to_bytes(1, "big")
        if flv[at] == 9:
            tags += flv[at : at + 4] + moved + flv[at + 8 : at + size + 15]
        at += size + 15
    return tags


def test_frames_are_left_undecoded_only_where_none_builds_on_them() -> None:
    drops = {kind: drops_exactly(Reel(io.BytesIO(film_of(kind, 20)), 10**6).decoder()) for kind in STAMPED}
    assert {kind for kind, exact in drops.items() if not exact} == {
        "interlaced H.264",
        "H.265 with layers",
        "VP9 in WebM",
        "VP8 in WebM",
        "MPEG-4 in MP4",
        "Motion JPEG in MOV",
    }


def _keys(data: bytes) -> list[bool]:
    with av.open(io.BytesIO(data)) as container:
        return [packet.is_keyframe for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("kind", KINDS)
def test_skipping_by_the_index_finds_the_same_frames_as_reading_on(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = film_of(kind, 100)
    expected = read_frames(data)
    monkeypatch.setattr(reel_module, "_FAR", 0)
    assert read_frames(data) == expected


def test_an_index_that_leads_astray_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(film_of("H.264 with open groups in Matroska", 100))
    cues = data.rindex(b"\x1c\x53\xbb\x6b")
    for at in range(cues, len(data) - 2):
        if data[at : at + 2] == b"\xf1\x82":  # CueClusterPosition
            data[at + 2 : at + 4] = b"\0\x40"
    monkeypatch.setattr(reel_module, "_FAR", 0)
    assert _numbers(read_frames(bytes(data))) == list(range(0, 100, 10))


def test_only_what_is_needed_is_decoded() -> None:
    data = film_of("H.264 with B-frames in MP4", 240)
    pixels = 128 * 64
    with pytest.raises(RecordError) as refusal:
        read_frames(data, FrameRule(max_work=30 * pixels))
    assert refusal.value.rule == "video_too_long"
    assert len(read_frames(data, FrameRule(max_work=150 * pixels)).frames) == 16
    assert _numbers(read_frames(data, FrameRule(max_work=14 * pixels), start=12.0, end=12.1)) == [120]
    one_group = film(40, options={"x264-params": "keyint=40:scenecut=0"})
    assert len(read_frames(one_group, FrameRule(max_work=40 * pixels)).frames) == 4


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_frames_of_uneven_length_are_taken_by_their_stamps(container: str) -> None:
    stamps = [0, 10, 20, 990, 1010, 2900, 4000, 4001, 6500]
    read = read_frames(film(stamps, container=container))
    assert [(frame.time, number_in(frame.data)) for frame in read.frames] == [
        (0, 0),
        (1, 3),
        (2, 4),
        (3, 5),
        (4, 6),
        (5, 7),
        (6, 7),
    ]


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts", "flv"])
@pytest.mark.parametrize("first", [5000, 3_000_000])
def test_times_count_from_the_first_frame(container: str, first: int) -> None:
    read = read_frames(film([first + 100 * n for n in range(25)], container=container))
    assert _numbers(read) == [0, 6, 12, 18] and read.duration == pytest.approx(2.5, abs=0.002)


def test_frames_that_an_avi_left_out_are_counted() -> None:
    stamps = [0, 100, 200, 300, 700, 800, 900, 1500, 1600, 2500]
    data = film(stamps, "mpeg4", "avi")
    for number, stamp in enumerate(stamps):
        assert _numbers(read_frames(data, start=stamp / 1000, end=stamp / 1000 + 0.001)) == [number]


def test_the_last_frames_of_an_avi_with_a_fine_clock_are_not_squeezed_together() -> None:
    data = film(60, container="avi", options={"x264-params": "bframes=3:scenecut=0"})
    assert read_frames(data).duration == pytest.approx(5.9, abs=0.01)
    assert _numbers(read_frames(data, start=5.8, end=5.9)) == [58]


def test_stamps_that_start_anew_go_on() -> None:
    options = {"x264-params": "bframes=2:scenecut=0:keyint=12"}
    part = film(20, container="mpegts", options=options)
    read = read_frames(part + part)
    assert _numbers(read) == [0, 10, 0, 10] and read.duration == pytest.approx(4, abs=0.1)


def test_frames_before_the_start_of_an_edit_are_not_shown() -> None:
    data = film(30, container="mov", options={"x264-params": "bframes=0:keyint=30"})
    at = data.index(b"elst") + 16
    edited = data[:at] + (8000).to_bytes(4, "big") + data[at + 4 :]
    reel = Reel(io.BytesIO(edited), RULE.max_pixels)
    reel.scan(100)
    assert sum(reel.packets.hidden) == 5, "the edit must hide half a second"
    assert number_in(read_frames(edited).frames[0].data) == 5
    assert _decoded(edited, True) == _decoded(edited, False)


def test_a_film_of_one_frame_gives_one() -> None:
    read = read_frames(film(1))
    assert _numbers(read) == [0] and read.duration == pytest.approx(0.1)


def test_a_still_picture_is_a_film_of_one_frame() -> None:
    buffer = io.BytesIO()
    Image.fromarray(picture(7)).save(buffer, "PNG")
    assert _numbers(read_frames(buffer.getvalue())) == [7]


def test_the_short_side_is_shrunk_to_its_limit_and_never_enlarged() -> None:
    sizes = {}
    for size in ((128, 64), (900, 600), (600, 900), (450, 448), (97, 65)):
        first = read_frames(film(2, "ffv1", "matroska", size=size, pix_fmt="yuv444p")).frames[0]
        sizes[size] = first.width, first.height
    assert sizes == {
        (128, 64): (128, 64),
        (900, 600): (672, 448),
        (600, 900): (448, 672),
        (450, 448): (450, 448),
        (97, 65): (97, 65),
    }
    small = read_frames(film(2), FrameRule(short_side=32)).frames[0]
    assert (small.width, small.height) == (64, 32)


@pytest.mark.parametrize(
    ("aspect", "stored", "shown"),
    [
        (Fraction(2), (128, 64), (256, 64)),
        (Fraction(1, 2), (128, 64), (128, 128)),
        (Fraction(640, 639), (426, 240), (426, 240)),
        (Fraction(1), (128, 64), (128, 64)),
        (Fraction(50), (128, 64), (128, 64)),
    ],
)
def test_oblong_pixels_become_square_by_stretching(
    aspect: Fraction, stored: tuple[int, int], shown: tuple[int, int]
) -> None:
    first = read_frames(film(2, aspect=aspect, size=stored)).frames[0]
    assert (first.width, first.height) == shown


def test_oblong_pixels_turn_with_their_film() -> None:
    first = read_frames(film(2, container="mov", aspect=Fraction(2), turn=(90, False, False))).frames[0]
    assert (first.width, first.height) == (64, 256)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_film_is_upright(degrees: int, across: bool, down: bool) -> None:
    read = read_frames(film(2, container="mov", turn=(degrees, across, down)))
    expected = np.rot90(picture(0), degrees // 90)[:, :: -1 if across else 1][:: -1 if down else 1]
    assert _pixels(read).shape == expected.shape
    assert np.abs(_pixels(read) - expected).mean() < 12


@pytest.mark.parametrize("spread", ["limited", "full"])
@pytest.mark.parametrize("matrix", [1, 6])
def test_colours_follow_the_matrix_and_range_of_the_film(matrix: int, spread: str) -> None:
    red, green, blue = {1: (0.2126, 0.7152, 0.0722), 6: (0.299, 0.587, 0.114)}[matrix]
    for colour in ((200, 60, 40), (30, 160, 90), (128, 128, 128), (250, 250, 20)):
        r, g, b = (part / 255 for part in colour)
        luma = red * r + green * g + blue * b
        chroma = (b - luma) / (2 - 2 * blue), (r - luma) / (2 - 2 * red)
        low, wide, chroma_wide = (16, 219, 224) if spread == "limited" else (0, 255, 255)
        planes = [low + wide * luma, *(128 + chroma_wide * part for part in chroma)]
        read = read_frames(_plain_film(planes, matrix, 1 if spread == "limited" else 2))
        assert np.abs(_pixels(read)[8:-8, 8:-8].mean((0, 1)) - colour).max() < 5, colour


def _plain_film(planes: list[float], matrix: int, colour_range: int) -> bytes:
    """A film of one colour, its planes written as they are."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        track = output.add_stream("libx264", rate=10, options={"qp": "0"})
        track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
        track.codec_context.colorspace, track.codec_context.color_range = matrix, colour_range
        frame = av.VideoFrame(64, 48, "yuv420p")
        for plane, value in zip(frame.planes, planes, strict=True):
            plane.update(bytes([round(value)]) * plane.buffer_size)
        frame.colorspace, frame.color_range, frame.pts = matrix, colour_range, 0
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return file.getvalue()


def test_ten_bits_become_eight() -> None:
    shallow, deep = (
        _pixels(read_frames(film(2, pix_fmt=pix_fmt, options={"qp": "8"})))
        for pix_fmt in ("yuv420p", "yuv420p10le")
    )
    assert np.abs(shallow - deep).mean() < 3


def test_what_is_transparent_is_white() -> None:
    vpx = {"auto-alt-ref": "0", "cpu-used": "8"}
    for codec, container, pix_fmt, options in (
        ("libvpx-vp9", "webm", "yuva420p", vpx),
        ("libvpx", "webm", "yuva420p", vpx),
        ("apng", "apng", "rgba", {}),
        ("qtrle", "mov", "argb", {}),
    ):
        read = read_frames(film(25, codec, container, pix_fmt=pix_fmt, options=options))
        assert _numbers(read) == [0, 6, 12, 18], codec


def test_a_transparent_gif_is_shown_on_white() -> None:
    slides = []
    for number in (0, 1, 2, 3):
        slide = Image.new("P", (96, 64), 1)
        slide.putpalette([0, 0, 0, 255, 255, 255, 220, 20, 20])
        slide.paste(2, (number * 20, 0, number * 20 + 16, 64))
        slides.append(slide)
    buffer = io.BytesIO()
    slides[0].save(
        buffer, "GIF", save_all=True, append_images=slides[1:], duration=1000, transparency=1, disposal=2
    )
    read = read_frames(buffer.getvalue())
    assert len(read.frames) == 4 and read.duration == 4
    for number in range(4):
        middle = _pixels(read, number)[32]
        assert middle[number * 20 + 8] == pytest.approx([220, 20, 20], abs=12)
        assert middle[(number * 20 + 48) % 96] == pytest.approx([255, 255, 255], abs=6)


def test_a_clip_counts_from_its_own_first_frame() -> None:
    read = read_frames(film_of("H.264 with B-frames in MP4", 100), start=2.35, end=7.35)
    assert [(frame.time, number_in(frame.data)) for frame in read.frames] == [
        (0, 24),
        (1, 34),
        (2, 44),
        (3, 54),
        (4, 64),
    ]
    assert read.duration == pytest.approx(4.95)


def test_a_clip_that_starts_with_a_long_frame_is_whole() -> None:
    read = read_frames(film([0, 3000, 3100, 3200, 3300, 3400, 3500]), start=0.5, end=3.5)
    assert _numbers(read) == [1, 2, 3, 4] and read.duration == pytest.approx(0.5)


def test_sound_is_reported_and_does_not_count() -> None:
    loud = film(12, sound=True)
    silent = remuxed(loud, "mp4")
    assert not read_frames(silent).sound and read_frames(loud).sound
    assert read_frames(silent).content == read_frames(loud).content
    assert read_frames(silent).duration == read_frames(loud).duration


def test_a_cover_beside_a_film_is_not_the_film() -> None:
    assert _numbers(read_frames(_with_cover(film(25, size=(48, 32))))) == [0, 6, 12, 18]


def _with_cover(data: bytes) -> bytes:
    """The same film with a larger picture attached as its cover."""
    file, cover = io.BytesIO(), io.BytesIO()
    Image.fromarray(picture(255, (192, 128))).save(cover, "JPEG")
    with av.open(io.BytesIO(data)) as source, av.open(file, "w", format="mp4") as output:
        track = output.add_stream_from_template(source.streams.video[0])
        picture_track = output.add_stream("mjpeg", rate=1)
        picture_track.width, picture_track.height, picture_track.pix_fmt = 192, 128, "yuvj420p"
        picture_track.disposition = av.stream.Disposition.attached_pic
        packet = av.Packet(cover.getvalue())
        packet.stream, packet.pts, packet.dts = picture_track, 0, 0
        output.start_encoding()
        output.mux(packet)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = track
                output.mux(packet)
    return file.getvalue()


@pytest.mark.parametrize(("default", "shown"), [(True, 64), (False, 128)])
def test_of_two_tracks_the_default_one_is_shown_or_else_the_larger(default: bool, shown: int) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        sources = [av.open(io.BytesIO(film(8, size=(width, 64)))) for width in (64, 128)]
        tracks = [output.add_stream_from_template(source.streams.video[0]) for source in sources]
        tracks[0].disposition = av.stream.Disposition.default if default else av.stream.Disposition(0)
        tracks[1].disposition = av.stream.Disposition(0)
        for source, track in zip(sources, tracks, strict=True):
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = track
                    output.mux(packet)
    assert {frame.width for frame in read_frames(file.getvalue()).frames} == {shown}


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("size", [(64, 48), (97, 65)])
def test_content_is_a_digest_of_the_upright_pixels(size: tuple[int, int], orientation: int) -> None:
    upright = picture(5, size)
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    stored = np.rot90(upright, {1: 0, 3: 2, 6: 1, 8: 3}[orientation])
    Image.fromarray(np.ascontiguousarray(stored)).save(buffer, "PNG", exif=exif.tobytes())
    pixels = f"{size[0]} {size[1]} ".encode() + upright.tobytes()
    still = hashlib.blake2b(pixels, digest_size=16).digest()
    assert read_frames(buffer.getvalue()).content == hashlib.blake2b(still, digest_size=16).digest()


def test_equal_pictures_have_equal_content_whatever_their_container() -> None:
    data = film_of("H.264 with B-frames in MP4", 40)
    assert read_frames(remuxed(data, "matroska")).content == read_frames(data).content
    assert len(read_frames(data).content) == 16
    assert read_frames(data, start=1.0).content != read_frames(data).content


def test_paths_bytes_and_members_of_archives_give_the_same(tmp_path: Path) -> None:
    data = film_of("H.265 in MP4", 40)
    (tmp_path / "film.avi").write_bytes(data)  # the name must not matter
    with zipfile.ZipFile(tmp_path / "films.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/film.mp4", data)
    expected = read_frames(data)
    assert read_frames(str(tmp_path / "film.avi")) == expected
    with zipfile.ZipFile(tmp_path / "films.zip") as archive, archive.open("a/film.mp4") as member:
        assert read_frames(member) == expected
        member.seek(0)
        assert member.read(12) == data[:12], "a file that was passed in stays open"


def test_a_film_is_the_same_on_a_second_run_and_in_another_process(tmp_path: Path) -> None:
    code = (
        "import hashlib, sys\nfrom vita_data.media.video import read_frames\n"
        "for name in sys.argv[1:]:\n"
        "    film = read_frames(name)\n"
        "    print(hashlib.sha256(b''.join(f.data for f in film.frames)).hexdigest(), film.content.hex())"
    )
    names, expected = [], []
    for kind in ("H.264 with B-frames in MP4", "VP9 in WebM", "H.265 in MP4", "GIF"):
        path = tmp_path / kind.replace(" ", "_")
        path.write_bytes(film_of(kind, 40))
        first, second = read_frames(str(path)), read_frames(str(path))
        assert first == second
        names.append(str(path))
        jpegs = b"".join(frame.data for frame in first.frames)
        expected.append(f"{hashlib.sha256(jpegs).hexdigest()} {first.content.hex()}")
    printed = subprocess.run(
        [sys.executable, "-c", code, *names], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert printed.stdout.splitlines() == expected and printed.stderr == ""


def test_quality_is_a_value_of_the_rule() -> None:
    coarse, fine = (read_frames(film(2), FrameRule(quality=quality)) for quality in (30, 95))
    assert len(coarse.frames[0].data) < len(fine.frames[0].data)
    assert coarse.content == fine.content


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_still_picture_is_turned_as_its_exif_says(orientation: int) -> None:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    stored = np.rot90(picture(9), {1: 0, 3: 2, 6: 1, 8: 3}[orientation])
    Image.fromarray(stored).save(buffer, "JPEG", exif=exif.tobytes(), quality=95)
    assert _numbers(read_frames(buffer.getvalue())) == [9]
