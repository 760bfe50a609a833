"""The yardstick for unseen speakers: MFCC means and a support vector machine on single digits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import soundfile
import torch

from vita_data import files
from vita_model.eval.metrics import wilson
from vita_model.nets.fbank import fbank

COEFFICIENTS, PARTS, MELS = 13, 5, 40
_NAME = re.compile(r"(\d)_(.+)_\d+\.flac")


def score_baseline(learned: Path, unseen: Path, out: Path) -> dict[str, Any]:
    """Trains on the clips of one folder and tests on those of another; {right, clips, errors, interval} into `out`.

    Both hold files named {digit}_{speaker}_{take}.flac at 16 kHz.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    known, said = _read(learned)
    strange, wanted = _read(unseen)
    machine = make_pipeline(StandardScaler(), SVC(C=10.0))
    right = int((machine.fit(known, said).predict(strange) == wanted).sum())
    share = 1.0 - right / len(wanted)
    interval = wilson(len(wanted) - right, len(wanted))
    found = {"right": right, "clips": len(wanted), "errors": share, "interval": interval}
    files.write_json(str(out), found)
    return found


def _read(folder: Path) -> tuple[Any, Any]:
    named = [(path, match) for path in sorted(folder.iterdir()) if (match := _NAME.fullmatch(path.name))]
    rows = [_features(soundfile.read(path, dtype="float32")[0]) for path, _ in named]
    return numpy.stack(rows), numpy.array([int(match[1]) for _, match in named])


def _features(sound: Any) -> Any:
    """(COEFFICIENTS * PARTS,): cepstra averaged over equal parts of the clip."""
    noise = numpy.random.default_rng(0).normal(0.0, 1e-4, len(sound))
    mels = fbank(torch.from_numpy(numpy.float32(sound + noise)), (len(sound),), MELS)
    cepstra = mels @ _cosines(MELS, COEFFICIENTS)
    parts: Sequence[torch.Tensor] = torch.tensor_split(cepstra, PARTS)
    return torch.stack([part.mean(0) if len(part) else cepstra.mean(0) for part in parts]).flatten().numpy()


def _cosines(bands: int, count: int) -> torch.Tensor:
    """The discrete cosine transform (bands, count) of type II."""
    places = torch.arange(bands)[:, None] + 0.5
    return torch.cos(torch.pi / bands * places * torch.arange(count)[None, :])
