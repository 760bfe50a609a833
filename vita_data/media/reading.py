"""The text in a picture, as the models of RapidOCR read it: the one door to that engine, which is an extra.

Detection, direction and recognition (PP-OCRv6 small, Chinese and English) lie inside its wheel and are named by
path: with a path nothing is looked up or fetched. One picture takes about a second of one core and a worker that
reads has about 950 MB more.
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vita_data.errors import RecordError, UsageError
from vita_data.media.image import MAX_PIXELS, check_size, open_picture, without_warnings
from vita_data.media.pixels import make_upright, orientation_of, to_grey_or_rgb

# Raise when the same engine would be asked otherwise.
VERSION = 1
FAILED = "ocr_failed"  # the rule of a picture that the engine trips over, now and ever
# Small pictures are enlarged to this short side, as the engine would by itself, but never beyond the long one, where
# the engine knows no bound: of a strip of 1 x 200 pixels it would make 108 megapixels.
SHORT_SIDE, LONG_SIDE = 736, 2000
ONE_LINE = 64  # pixels
SURE = 0.5  # the certainty from which a line counts as read
_ALONE = threading.Lock()
_LIBRARIES = ("rapidocr", "onnxruntime", "opencv-python-headless", "pillow")
_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}


@dataclass(frozen=True)
class Reading:
    """What was read in a picture: its lines as the engine orders them, and its mean certainty, 0 to 1 (0: no line)."""

    lines: list[str]
    certainty: float


def engine_versions() -> dict[str, str]:
    """The libraries that a reading depends on. UsageError where the engine is not installed."""
    missing = [name for name in ("rapidocr", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the rule `ocr` reads pictures with {' and '.join(missing)}, which is not installed; "
            "run `pip install 'vita-toolkit[ocr]'`, or write `ocr: off` in the cards that ask for it."
        )
    return {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # OpenCV comes in packages of several names
        return ""


def read_picture(data: bytes, max_pixels: int = MAX_PIXELS) -> Reading:
    """Reads a picture, upright, its transparency on white, at most 2,000 pixels long.

    A low one in which no text is found is read as one line, since a word that fills its picture is not found.
    RecordError `media_unreadable` where it no longer decodes, `ocr_failed` where the engine trips over it.
    """
    pixels, low = _pixels(data, max_pixels)
    try:
        with _ALONE:  # what one call is told holds for the next
            found = _engine()(pixels, use_det=True, use_cls=True)
            if not found.txts and low:
                found = _engine()(pixels, use_det=False, use_cls=False)
    except (
        Exception
    ) as error:  # Three libraries of native code raise whatever they like over one odd picture.
        raise RecordError(FAILED, f"The engine does not read a picture ({type(error).__name__}).") from error
    if not found.txts:
        return Reading([], 0.0)
    lines = [
        (str(line), score) for line, score in zip(found.txts, found.scores, strict=True) if score >= SURE
    ]
    certain = float(np.mean([score for _, score in lines])) if lines else 0.0
    return Reading([line for line, _ in lines], round(certain, 3))


def _pixels(data: bytes, max_pixels: int) -> tuple[Any, bool]:
    """The picture as uint8[height, width, 3], blue first, as the engine wants it; whether it may be a single line."""
    with without_warnings():
        try:
            image = open_picture(data)
            check_size(image.size, max_pixels)
            orientation = orientation_of(image)
            image.draft("RGB", (LONG_SIDE, LONG_SIDE))
            picture = to_grey_or_rgb(image).convert("RGB")
            picture = picture.resize(_size(*picture.size), Image.Resampling.BICUBIC)
        except Exception as error:  # Decoders of broken data raise whatever they trip over.
            words = str(error) if isinstance(error, RecordError) else type(error).__name__
            raise RecordError(
                "media_unreadable", f"A picture no longer decodes ({words}); build its catalog again."
            ) from error
    low = min(image.size) <= ONE_LINE
    return np.ascontiguousarray(np.asarray(make_upright(picture, orientation))[:, :, ::-1]), low


def _size(width: int, height: int) -> tuple[int, int]:
    scale = min(max(1.0, SHORT_SIDE / min(width, height)), LONG_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


@functools.cache
def _engine() -> Any:
    """The engine on one thread: there are as many workers as cores, and each has its own."""
    import cv2
    import rapidocr

    cv2.setNumThreads(1)
    models = Path(rapidocr.__file__).parent / "models"
    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    paths = {f"{task}.model_path": str(models / name) for task, name in _MODELS.items()}
    size = {"Det.limit_type": "max", "Det.limit_side_len": LONG_SIDE}  # as `_size` made it
    return rapidocr.RapidOCR(params={**threads, **paths, **size, "Global.log_level": "critical"})
