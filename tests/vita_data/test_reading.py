"""The engine reads drawn English and Chinese, asks nobody for anything, and takes odd pictures as they come."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from vita_data.errors import RecordError, UsageError
from vita_data.media import reading
from vita_data.media.reading import engine_versions, read_picture

CHINESE_FONT = Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc")
ENGLISH = ["The quick brown fox jumps", "Invoice no. 48213", "Payment is due soon"]
CHINESE = ["今天的会议改到下午三点", "发票号码：48213", "谢谢惠顾"]


def page(lines: list[str], mode: str = "RGB", size: int = 28) -> Image.Image:
    """A page with a line of text below the other."""
    chinese = any(ord(letter) > 0x3000 for line in lines for letter in line)
    if chinese and not CHINESE_FONT.exists():
        pytest.skip("no Chinese font is installed")
    font = ImageFont.truetype(str(CHINESE_FONT), size) if chinese else ImageFont.load_default(size)
    image = Image.new(mode, (640, 30 + 50 * len(lines)), "white" if mode == "RGB" else (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((20, 15 + 50 * number), line, fill="black", font=font)
    return image


def stored(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


@pytest.mark.parametrize("lines", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_drawn_text_is_read_line_by_line(lines: list[str]) -> None:
    found = read_picture(stored(page(lines)))
    assert [plain(line) for line in found.lines] == [plain(line) for line in lines]
    assert found.certainty > 0.9


def test_a_picture_is_read_as_it_is_to_be_seen() -> None:
    """Turned by its EXIF orientation, and with its transparency on white paper."""
    turned = page(ENGLISH).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 270 degrees
    found = read_picture(stored(turned, "JPEG", exif=exif, quality=95))
    assert plain("".join(found.lines)) == plain("".join(ENGLISH))
    clear = read_picture(stored(page(ENGLISH, "RGBA")))
    assert plain("".join(clear.lines)) == plain("".join(ENGLISH))


def test_a_word_that_fills_its_picture_is_read() -> None:
    """The engine finds no box around it, as in the crops of corpora of single words."""
    word = ImageOps.crop(page(["PACIFIC"], size=24), (18, 15, 510, 38))
    assert plain("".join(read_picture(stored(word)).lines)) == "pacific"


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (40, 30)])
def test_a_picture_without_text_has_no_lines_and_a_strip_takes_no_time(size: tuple[int, int]) -> None:
    begun = time.process_time()
    assert read_picture(stored(Image.new("RGB", size, "grey"))).lines == []
    assert time.process_time() - begun < 20  # where the engine enlarges a strip by itself, minutes pass


def test_reading_the_same_again_gives_the_same() -> None:
    data = stored(page(ENGLISH))
    assert read_picture(data) == read_picture(data)


def test_a_picture_that_no_longer_decodes_says_so() -> None:
    with pytest.raises(RecordError, match="no longer decodes") as caught:
        read_picture(stored(page(ENGLISH))[:100])
    assert caught.value.rule == "media_unreadable"


def test_what_the_engine_trips_over_is_no_end_of_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    def trips(*_: object, **__: object) -> None:
        raise RuntimeError("a dimension of -1")

    monkeypatch.setattr(reading, "_engine", lambda: trips)
    with pytest.raises(RecordError, match="RuntimeError") as caught:
        read_picture(stored(page(ENGLISH)))
    assert caught.value.rule == "ocr_failed"


@pytest.mark.parametrize("missing", ["rapidocr", "onnxruntime"])
def test_an_engine_that_is_not_installed_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr(reading, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(UsageError, match=rf"{missing}.*pip install 'vita-toolkit\[ocr\]'"):
        engine_versions()


OFFLINE = """
import os, pathlib, socket, sys
def refuse(*_, **__):
    raise SystemExit("somebody asked the network")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
from vita_data.media.reading import read_picture
lines = read_picture(sys.stdin.buffer.read()).lines
ticks = {task.name: sum(map(int, (task / "stat").read_text().rpartition(")")[2].split()[11:13]))
         for task in pathlib.Path("/proc/self/task").iterdir()}
mine = ticks.pop(str(os.getpid()))
print(len(lines), mine, sum(ticks.values()))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads tell their time in /proc")
def test_the_engine_asks_no_network_and_works_on_one_thread() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        input=stored(page(ENGLISH)),
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-500:]
    lines, mine, others = map(int, done.stdout.split())
    assert lines == 3
    assert others < mine / 10
