"""Frames of films: this toolkit beside ffmpeg's command line and PyAV, asked for exactly the same times.

    python benchmarks/frames.py [--repeats 3] [--folder DIR]

Ten films are encoded (H.264, H.265, VP9; 10 seconds to 10 minutes; 360 to 1080 lines; 30 frames a second): the
short ones give the frame of every second, the long ones 16. From each contestant come JPEGs with a short side of
at most 448, and each must show the very frames that decoding everything shows. Contestants take turns within every
repeat; CPU seconds (user and system, child processes included), medians and spread of the ratio within each
repeat. On long films those that decode everything run once: they take many times as long. With VITA_TEST_CORPUS
set, the films of that corpus follow as one more row.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import PictureType
from PIL import Image

SEGMENT_SECONDS = 5
RATE = 30
SIDE = 448
# Mean difference of grey values: a frame's neighbour differs by 2.1 or more, the same frame by nothing, or by up to
# 1.8 when another version of FFmpeg scales and compresses it.
SAME, SAME_ELSEWHERE = 0.1, 2.0

Clip = tuple[str, str, tuple[int, int], str, int]  # name, encoder, size, suffix, seconds
Contestant = Callable[[str, list[Fraction]], list[bytes]]

OPTIONS = {
    "libx264": {"preset": "veryfast", "crf": "26"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:crf=26:keyint=150"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "40", "b": "0", "g": "150"},
}
CLIPS: list[Clip] = [
    ("H.264 360p", "libx264", (640, 360), "mp4", 10),
    ("H.264 720p", "libx264", (1280, 720), "mp4", 10),
    ("H.264 1080p", "libx264", (1920, 1080), "mkv", 10),
    ("H.265 720p", "libx265", (1280, 720), "mp4", 10),
    ("VP9 360p", "libvpx-vp9", (640, 360), "webm", 10),
    ("H.264 360p", "libx264", (640, 360), "mp4", 600),
    ("H.264 720p", "libx264", (1280, 720), "mp4", 180),
    ("H.264 1080p", "libx264", (1920, 1080), "mkv", 60),
    ("H.265 720p", "libx265", (1280, 720), "mp4", 120),
    ("VP9 360p", "libvpx-vp9", (640, 360), "webm", 300),
]


def encode_segment(path: str, encoder: str, size: tuple[int, int]) -> None:
    """Five seconds of a moving test picture with noise."""
    width, height = size
    source = f"testsrc2=size={width}x{height}:rate={RATE},noise=alls=8:allf=t"
    with av.open(source, format="lavfi") as moving, av.open(path, "w") as output:
        track = output.add_stream(encoder, rate=RATE, options=OPTIONS[encoder])
        track.width, track.height, track.pix_fmt = width, height, "yuv420p"
        for number, frame in enumerate(moving.decode(video=0)):
            if number == SEGMENT_SECONDS * RATE:
                break
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            frame.pict_type = PictureType.NONE  # all came as key frames
            output.mux(track.encode(frame))
        output.mux(track.encode(None))


def repeat_segment(segment: str, path: str, seconds: int) -> None:
    """A longer film out of copies of a segment, without encoding again."""
    with av.open(segment) as source, av.open(path, "w") as output:
        first = source.streams.video[0]
        packets = [packet for packet in source.demux(first) if packet.size]
        track = output.add_stream_from_template(first)
        span = round(SEGMENT_SECONDS / first.time_base)
        for copy in range(seconds // SEGMENT_SECONDS):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.pts, again.dts = packet.pts + copy * span, packet.dts + copy * span
                again.duration, again.time_base = packet.duration, first.time_base
                again.is_keyframe, again.stream = packet.is_keyframe, track
                output.mux(again)


def times_of(seconds: Fraction) -> list[Fraction]:
    """The frame rule: one a second, at least 4 and at most 16."""
    count = min(max(-(-seconds.numerator // seconds.denominator), 4), 16)
    step = Fraction(1) if count - 1 < seconds <= count else seconds / count
    return [number * step for number in range(count)]


def jpeg_of(frame: av.VideoFrame) -> bytes:
    """A frame as the peers that work in Python give it."""
    scale = min(1.0, SIDE / min(frame.width, frame.height))
    width, height = round(frame.width * scale), round(frame.height * scale)
    small = frame.reformat(width, height, "rgb24", interpolation="BICUBIC", threads=1)
    buffer = io.BytesIO()
    small.to_image().save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def ours(path: str, times: list[Fraction]) -> list[bytes]:
    """`read_frames`, which finds the times by itself."""
    from vita_data.media.video import read_frames

    return [frame.data for frame in read_frames(path).frames]


def pyav_all(path: str, times: list[Fraction]) -> list[bytes]:
    """PyAV, one thread, decoding in order until the last time is passed."""
    found: list[bytes] = []
    with av.open(path) as container:
        track = container.streams.video[0]
        track.codec_context.thread_count = 1
        zero = last = None
        for frame in container.decode(track):
            zero = frame.pts if zero is None else zero
            while len(found) < len(times) and (frame.pts - zero) * track.time_base > times[len(found)]:
                found.append(jpeg_of(last))
            if len(found) == len(times):
                return found
            last = frame
        return found + [jpeg_of(last)] * (len(times) - len(found))


def pyav_seek(path: str, times: list[Fraction]) -> list[bytes]:
    """PyAV, one thread, from the key frame before each time to the frame after it."""
    found = []
    with av.open(path) as container:
        track = container.streams.video[0]
        track.codec_context.thread_count = 1
        zero = track.start_time or 0
        for time in times:
            container.seek(zero + int(time / track.time_base), stream=track)
            last = None
            for frame in container.decode(track):
                if (frame.pts - zero) * track.time_base > time and last is not None:
                    break
                last = frame
            found.append(jpeg_of(last))
    return found


SCALE = f"scale='if(gt(iw,ih),-2,min({SIDE},iw))':'if(gt(iw,ih),min({SIDE},ih),-2)'"


def ffmpeg(arguments: list[str]) -> list[bytes]:
    """The JPEGs that ffmpeg writes to its standard output."""
    command = ["ffmpeg", "-nostdin", "-v", "error", *arguments]
    written = subprocess.run(command, check=True, capture_output=True).stdout
    return [b"\xff\xd8" + part for part in written.split(b"\xff\xd8")[1:]]


def ffmpeg_all(path: str, times: list[Fraction]) -> list[bytes]:
    """ffmpeg decoding in order; rounded up to the grid of times, a frame is the last that is not after one."""
    chain = f"setpts=PTS-STARTPTS,fps={1 / times[1]}:round=up,{SCALE}"
    output = ["-an", "-vf", chain, "-frames:v", str(len(times)), "-q:v", "3", "-f", "mjpeg", "-"]
    return ffmpeg(["-threads", "1", "-i", path, *output])


def ffmpeg_seek(path: str, times: list[Fraction]) -> list[bytes]:
    """ffmpeg seeking to each time, exactly, in a process of its own."""
    found = []
    for time in times:
        output = ["-an", "-vf", SCALE, "-frames:v", "1", "-q:v", "3", "-f", "mjpeg", "-"]
        at = f"{max(0.0, float(time) - 0.5 / RATE):.6f}"
        found += ffmpeg(["-threads", "1", "-ss", at, "-i", path, *output])
    return found


CONTESTANTS: dict[str, Contestant] = {
    "ours": ours,
    "PyAV, seeking": pyav_seek,
    "PyAV, decoding all": pyav_all,
    "ffmpeg, seeking": ffmpeg_seek,
    "ffmpeg, decoding all": ffmpeg_all,
}


def cpu_seconds() -> float:
    """CPU time of this process and of the children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def check_same(name: str, found: list[bytes], expected: list[bytes]) -> None:
    """Stops when a contestant shows other frames than decoding everything does."""
    assert len(found) == len(expected), f"{name} gave {len(found)} frames of {len(expected)}"
    for number, (one, two) in enumerate(zip(found, expected, strict=True)):
        pictures = [Image.open(io.BytesIO(data)).convert("L") for data in (one, two)]
        greys = [np.asarray(picture.resize(pictures[1].size), int) for picture in pictures]
        difference = np.abs(greys[0] - greys[1]).mean()
        most = SAME_ELSEWHERE if name.startswith("ffmpeg") else SAME
        assert difference < most, f"{name} shows another frame {number}: it differs by {difference:.1f}"


def race(
    paths: list[str], seconds: list[Fraction], contestants: dict[str, Contestant], repeats: int, checked: bool
) -> dict[str, list[float]]:
    """CPU seconds of each contestant over some films, in turn within every repeat; the first run is checked."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    expected: dict[str, list[bytes]] = {}
    for repeat in range(repeats):
        order = ["PyAV, decoding all", *(name for name in contestants if name != "PyAV, decoding all")]
        for name in order:
            if repeat and seconds[0] > 16 and "decoding all" in name:
                continue
            start = cpu_seconds()
            found = {
                path: contestants[name](path, times_of(length))
                for path, length in zip(paths, seconds, strict=True)
            }
            taken[name].append(cpu_seconds() - start)
            expected = expected or found
            if checked and not repeat:
                for path in paths:
                    check_same(name, found[path], expected[path])
    return taken


def row(title: str, taken: dict[str, list[float]]) -> str:
    """A line of the table: our seconds, and how many times as long the others take."""
    base = taken["ours"]
    cells = [title, f"{statistics.median(base):.2f}"]
    for name, values in taken.items():
        if name != "ours":
            ratios = [value / one for value, one in zip(values, base, strict=False)]
            spread = f" ({min(ratios):.2f} to {max(ratios):.2f})" if len(ratios) > 1 else ""
            cells.append(f"{statistics.median(ratios):.2f}{spread}" if ratios else "not run")
    return f"| {' | '.join(cells)} |"


def make_clips(folder: Path) -> list[str]:
    """Encodes the films."""
    paths = []
    for name, encoder, size, suffix, seconds in CLIPS:
        segment = str(folder / f"{name.replace(' ', '-')}.mp4")
        path = str(folder / f"{name.replace(' ', '-')}-{seconds}.{suffix}")
        if not os.path.exists(segment):
            encode_segment(segment, encoder, size)
        repeat_segment(segment, path, seconds)
        paths.append(path)
    return paths


def corpus_films() -> tuple[list[str], list[Fraction]]:
    """The real films of a corpus with a stamp for every frame, of which each contestant can be asked exact times."""
    from vita_data.media.video import read_frames

    folder, paths, seconds = Path(os.environ["VITA_TEST_CORPUS"]), [], []
    for line in (folder / "inventory.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        path = str(folder / record["path"])
        if record["kind"] == "video" and path.endswith((".mp4", ".mkv")) and "odd" not in path:
            with av.open(path) as container:
                if len(container.streams.video) == 1:
                    paths.append(path)
                    seconds.append(Fraction(read_frames(path).duration))
    return paths, seconds


def main() -> None:
    """Makes the films, runs the races and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    version = subprocess.run(["ffmpeg", "-version"], check=True, capture_output=True, text=True).stdout
    print(
        f"{options.repeats} repeats; PyAV {av.__version__} with FFmpeg {av.ffmpeg_version_info}, command line "
        f"{version.split()[2]}, Python {platform.python_version()}\n"
    )
    print(f"| film | ours, CPU seconds | {' | '.join(list(CONTESTANTS)[1:])} |")
    print("|---" * (len(CONTESTANTS) + 1) + "|")
    with tempfile.TemporaryDirectory(prefix="bench-frames-", dir=options.folder) as base:
        for clip, path in zip(CLIPS, make_clips(Path(base)), strict=True):
            taken = race([path], [Fraction(clip[4])], CONTESTANTS, options.repeats, checked=True)
            print(row(f"{clip[0]}, {clip[4]} s", taken), flush=True)
    if os.environ.get("VITA_TEST_CORPUS"):
        paths, seconds = corpus_films()
        peers = {name: run for name, run in CONTESTANTS.items() if name != "ffmpeg, seeking"}
        taken = race(paths, seconds, peers, options.repeats, checked=False)
        taken = {name: taken.get(name, []) for name in CONTESTANTS}
        print(row(f"{len(paths)} real films", taken))


if __name__ == "__main__":
    main()
