"""What is no film, or too much of one, is refused with its reason; what is left of a broken one is kept."""

from __future__ import annotations

import io
import os
import random
import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.vita_data.films import film, film_of, number_in, picture, remuxed
from vita_data.errors import RecordError
from vita_data.media.film import Film, FrameRule
from vita_data.media.reel import Reel
from vita_data.media.video import read_frames

H264 = "H.264 with B-frames in MP4"


def _refusal(source: object, rule: FrameRule | None = None, **clip: float) -> RecordError:
    with pytest.raises(RecordError) as refusal:
        read_frames(source, rule, **clip)
    assert str(refusal.value).endswith(".")
    return refusal.value


def _numbers(read: Film) -> list[int]:
    return [number_in(frame.data) for frame in read.frames]


def _index_first(tmp_path: Path, kind: str = H264) -> bytes:
    """A film whose index stands before its pictures, so that cutting its end leaves the index whole."""
    data = remuxed(film_of(kind, 100), "mp4", str(tmp_path / "film.mp4"), movflags="faststart")
    assert data.index(b"moov") < data.index(b"mdat")
    return data


@pytest.mark.parametrize("cut", ["away", "to zeros", "to noise"])
@pytest.mark.parametrize("kind", [H264, "H.265 in MP4", "MPEG-4 in MP4"])
def test_the_frames_before_a_break_are_kept(kind: str, cut: str, tmp_path: Path) -> None:
    whole = _index_first(tmp_path, kind)
    left = len(whole) * 3 // 4
    rest = {
        "away": b"",
        "to zeros": bytes(len(whole) - left),
        "to noise": random.Random(0).randbytes(len(whole) - left),
    }
    read = read_frames(whole[:left] + rest[cut])
    assert 5 < read.duration < 8
    assert [number_in(frame.data) for frame in read.frames[:5]] == [0, 10, 20, 30, 40]


@pytest.mark.parametrize("cut", ["away", "to zeros"])
def test_a_film_of_which_less_than_half_is_left_is_refused(cut: str, tmp_path: Path) -> None:
    whole = _index_first(tmp_path)
    left = len(whole) * 2 // 5
    broken = whole[:left] + (bytes(len(whole) - left) if cut == "to zeros" else b"")
    refusal = _refusal(broken)
    assert refusal.rule == "video_truncated" and refusal.threshold == "10.000"
    assert 1 < float(str(refusal.value)) < 5
    kept = read_frames(broken, FrameRule(least_part=0.1))
    assert kept.duration == pytest.approx(float(str(refusal.value)))


@pytest.mark.parametrize("container", ["matroska", "avi", "mpegts", "flv"])
def test_a_film_without_an_index_is_read_to_where_it_breaks_off(container: str) -> None:
    kind = "H.264 in AVI" if container == "avi" else H264
    whole = film_of(kind, 100) if container == "avi" else remuxed(film_of(kind, 100), container)
    read = read_frames(whole[: len(whole) * 3 // 4])
    assert 5 < read.duration < 8.5
    assert _numbers(read)[:5] == [0, 10, 20, 30, 40]


def test_a_film_that_lost_its_index_is_refused() -> None:
    whole = film_of(H264, 100)
    assert whole.index(b"mdat") < whole.index(b"moov")
    assert _refusal(whole[: len(whole) * 3 // 4]).rule == "video_undecodable"


def test_a_break_that_hides_in_the_middle_leaves_out_only_what_it_broke(tmp_path: Path) -> None:
    whole = bytearray(_index_first(tmp_path))
    middle = len(whole) // 2
    whole[middle : middle + 400] = random.Random(1).randbytes(400)
    read = read_frames(bytes(whole))
    times = [frame.time for frame in read.frames]
    assert read.duration == pytest.approx(10) and times == list(range(10))
    assert _numbers(read)[:4] == [0, 10, 20, 30] and _numbers(read)[-2:] == [80, 90]


def test_a_download_that_left_off_just_before_the_end_is_noticed(tmp_path: Path) -> None:
    whole = _index_first(tmp_path)
    left = len(whole) * 97 // 100
    read = read_frames(whole[:left] + bytes(len(whole) - left))
    assert 9 < read.duration < 9.9 and _numbers(read) == list(range(0, 100, 10))


def test_a_damaged_frame_is_left_out() -> None:
    data = bytearray(film_of(H264, 100))
    with av.open(io.BytesIO(bytes(data))) as container:
        stamp = round(Fraction(49, 10) / container.streams.video[0].time_base)
        (packet,) = (packet for packet in container.demux(video=0) if packet.pts == stamp)
    assert packet.pos is not None
    data[packet.pos + packet.size // 2 : packet.pos + packet.size] = random.Random(3).randbytes(
        packet.size - packet.size // 2
    )
    before, damaged = (read_frames(bytes(data), start=start, end=start + 0.1) for start in (4.8, 4.9))
    assert _numbers(before) == [48] and damaged.content == before.content
    assert _numbers(read_frames(bytes(data))) == list(range(0, 100, 10))


def test_the_end_of_a_film_without_a_declared_length_is_what_decodes() -> None:
    data = film_of("H.264 in Matroska without an index", 59)
    with av.open(io.BytesIO(data)) as container:
        assert container.duration is None
        last = [bytes(packet) for packet in container.demux(video=0) if packet.size][-6:]
    for packet in last:
        data = data.replace(packet, random.Random(2).randbytes(len(packet)))
    read = read_frames(data)
    assert 5 < read.duration < 5.9 and _numbers(read) == [0, 10, 20, 30, 40, 50]


def test_a_file_that_changes_while_it_is_read_is_refused() -> None:
    file = io.BytesIO(film_of("H.264 in AVI", 70))
    reel = Reel(file, 10**6)
    count = len(reel.scan(1000))
    file.seek(0)
    file.write(film_of("MPEG-4 in AVI", 70))
    with pytest.raises(RecordError) as refusal:
        list(reel.read(0, count - 1))
    assert refusal.value.rule == "video_undecodable"


def test_an_absurd_header_does_not_matter() -> None:
    data = bytearray(film_of("H.264 in Matroska without an index", 40))
    segment_info = data.index(b"\x15\x49\xa9\x66")
    timestamp_scale = data.index(b"\x2a\xd7\xb1\x83\x0f\x42\x40", segment_info)
    # A duration of 10^14 milliseconds takes the place of the field after the time scale.
    duration = b"\x44\x89\x88" + struct.pack(">d", 1e14)
    at = timestamp_scale + 7
    assert data[at : at + 2] in (b"\x4d\x80", b"\x57\x41"), "the writer's name must follow"
    size = 3 + (data[at + 2] & 0x7F)
    filler = b"\xec" + bytes([0x80 | (size + 0 - len(duration) - 2)]) + bytes(size - len(duration) - 2)
    data[at : at + size] = duration + filler
    with av.open(io.BytesIO(bytes(data))) as container:
        assert container.duration is not None and container.duration > 10**15
    assert _numbers(read_frames(bytes(data))) == [0, 10, 20, 30]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "video_empty"),
        (b"no film at all, but words\n" * 20, "video_undecodable"),
        (bytes(5000), "video_undecodable"),
        (b"\0\0\0\x10ftypisom\0\0\0\0", "video_undecodable"),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", "video_undecodable"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n", "video_undecodable"),
        (b"<?xml version='1.0'?><MPD type='static'><Period/></MPD>", "video_undecodable"),
        (b"YUV4MPEG2 W16 H16 F10:1 C420\nFRAME\n" + bytes(384), "video_undecodable"),
        (b"GIF89a\x10\0\x10\0\0\0\0;", "video_undecodable"),
    ],
    ids=[
        "nothing",
        "text",
        "zeros",
        "head of MP4",
        "playlist",
        "HLS",
        "DASH",
        "no known container",
        "GIF without pictures",
    ],
)
def test_what_is_no_film_is_refused(data: bytes, rule: str) -> None:
    assert _refusal(data).rule == rule


def test_no_other_file_is_opened_whatever_a_film_asks_for(tmp_path: Path) -> None:
    inner = tmp_path / "inner.mp4"
    inner.write_bytes(film_of(H264, 40))
    outer = tmp_path / "outer.mp4"
    outer.write_text(f"ffconcat version 1.0\nfile {inner}\n")
    assert _refusal(str(outer)).rule == "video_undecodable"


@pytest.mark.parametrize("container", ["wav", "flac", "mp3", "mp4", "ogg"])
def test_sound_alone_is_no_film(container: str) -> None:
    codec = {"wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame", "mp4": "aac", "ogg": "libopus"}[
        container
    ]
    assert _refusal(_sound(container, codec)).rule == "video_no_frames"


@pytest.mark.parametrize("container", ["mp3", "mp4"])
def test_sound_with_a_cover_is_no_film(container: str) -> None:
    data = _sound(container, {"mp3": "libmp3lame", "mp4": "aac"}[container], cover=True)
    with av.open(io.BytesIO(data)) as opened:
        assert len(opened.streams.video) == 1, "the cover must be a track"
    assert _refusal(data).rule == "video_no_frames"


def _sound(container: str, codec: str, cover: bool = False) -> bytes:
    file, jpeg = io.BytesIO(), io.BytesIO()
    Image.fromarray(picture(1)).save(jpeg, "JPEG")
    with av.open(file, "w", format=container) as output:
        voice = output.add_stream(codec, rate=48000, layout="mono")
        if cover:
            track = output.add_stream("mjpeg", rate=1)
            track.width, track.height, track.pix_fmt = 96, 64, "yuvj420p"
            track.disposition = av.stream.Disposition.attached_pic
            output.start_encoding()
            packet = av.Packet(jpeg.getvalue())
            packet.stream, packet.pts, packet.dts = track, 0, 0
            output.mux(packet)
        for number in range(20):
            frame = av.AudioFrame(format=voice.codec_context.format.name, layout="mono", samples=960)
            frame.sample_rate, frame.pts = 48000, 960 * number
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            output.mux(voice.encode(frame))
        output.mux(voice.encode(None))
    return file.getvalue()


def test_a_film_of_which_no_frame_decodes_is_refused(tmp_path: Path) -> None:
    data = _index_first(tmp_path)
    at = data.index(b"mdat") + 4
    assert _refusal(data[:at] + bytes(len(data) - at)).rule == "video_undecodable"


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "mpeg4", "ffv1"])
def test_a_frame_that_is_too_large_is_refused_before_it_is_decoded(codec: str) -> None:
    options = (
        {"x265-params": "bframes=0:pools=1:frame-threads=1:log-level=none"} if codec == "libx265" else {}
    )
    data = film(2, codec, "matroska", size=(400, 300), options=options)
    refusal = _refusal(data, FrameRule(max_pixels=100_000))
    assert (refusal.rule, refusal.value, refusal.threshold) == ("video_too_many_pixels", "120000", "100000")
    assert len(read_frames(data, FrameRule(max_pixels=120_000)).frames) == 4


def test_a_frame_that_grows_beyond_the_limit_inside_the_film_is_not_decoded() -> None:
    kind = {"codec": "mpeg2video", "container": "mpegts", "rate": 25, "tick": Fraction(1, 25)}
    small, large = (film(20, size=size, **kind) for size in ((128, 64), (960, 640)))
    read = read_frames(small + large, FrameRule(max_pixels=100_000, short_side=1000))
    assert {frame.width for frame in read.frames} == {128}
    both = read_frames(small + large, FrameRule(short_side=1000))
    assert {frame.width for frame in both.frames} == {128, 960}


def test_a_strip_longer_than_a_hundred_to_one_is_refused() -> None:
    refusal = _refusal(film(2, "ffv1", "matroska", size=(1616, 16), pix_fmt="yuv444p"))
    assert (refusal.rule, refusal.value, refusal.threshold) == ("video_extreme_aspect", "101.0", "100")


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi"])
def test_a_film_of_too_many_hours_is_refused(container: str) -> None:
    refusal = _refusal(film([0, 36_000], "mpeg4", container, tick=1))
    assert (refusal.rule, refusal.threshold) == ("video_too_long", "6.0")
    assert float(str(refusal.value)) == pytest.approx(10, abs=0.1)


def test_a_film_of_too_many_frames_is_refused_before_it_is_decoded() -> None:
    refusal = _refusal(film_of(H264, 100), FrameRule(max_hours=0.0002))
    assert (refusal.rule, refusal.value, refusal.threshold) == ("video_too_long", "87", "86")


def test_decoding_stops_when_it_has_cost_too_much() -> None:
    refusal = _refusal(film_of("GIF", 40), FrameRule(max_work=128 * 64 * 20))
    assert refusal.rule == "video_too_long" and refusal.threshold == str(128 * 64 * 20)


@pytest.mark.parametrize(
    ("start", "end"), [(10.0, None), (3.0, 3.0), (4.0, 3.0), (-1.0, 2.0), (20.0, 30.0), (9.0, 13.0)]
)
def test_a_clip_that_is_not_there_is_refused(start: float, end: float | None) -> None:
    clip = {"start": start} if end is None else {"start": start, "end": end}
    assert _refusal(film_of(H264, 100), **clip).rule == "clip_outside"


def test_a_clip_that_ends_a_little_late_ends_with_the_film() -> None:
    read = read_frames(film_of(H264, 100), start=7.0, end=10.5)
    assert read.duration == pytest.approx(3) and _numbers(read) == [70, 77, 85, 92]


def test_a_clip_of_a_cut_film_is_read_where_it_is_whole(tmp_path: Path) -> None:
    whole = _index_first(tmp_path)
    broken = whole[: len(whole) * 2 // 5]
    assert _numbers(read_frames(broken, start=1.0, end=2.0)) == [10, 12, 15, 17]
    assert _refusal(broken, start=5.0, end=9.0).rule == "clip_outside"
    assert _refusal(broken, start=2.0).rule == "video_truncated"


def test_what_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert _refusal(str(tmp_path / "none.mp4")).rule == "media_missing"
    assert _refusal(str(tmp_path)).rule == "media_unreadable"
    assert _refusal(str(tmp_path / "pipe")).rule == "media_unreadable"


def test_a_disk_that_fails_while_a_film_is_read_is_not_the_films_fault() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 4000:
                raise OSError(5, "Input/output error")
            return super().read(min(size or 1000, 1000))

    refusal = _refusal(Failing(film_of("GIF", 40)))
    assert (refusal.rule, refusal.value) == ("media_unreadable", "Input/output error")


def test_refusals_name_no_path_and_no_address(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"no film at all")
    words = str(_refusal(str(tmp_path / "film.mp4")))
    assert str(tmp_path) not in words and "0x" not in words
