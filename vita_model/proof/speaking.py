"""What the model says, written as recordings that somebody else can listen to."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import soundfile
import torch

from vita_data import files
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.shards.read import Stage
from vita_model.batch.reference import read_sound
from vita_model.eval.opened import open_model
from vita_model.nets.sampling import Sampling
from vita_model.nets.speak import speak, spoken

TABLE = "transcripts.csv"
DRAW = Sampling(top_k=10, most=400)  # the likeliest every time was understood less or alike


def speak_texts(run: Path, texts: tuple[str, ...], out: Path) -> None:
    """Each text as the model speaks it in its own voice; `out` gets WAV files and what was to be said."""
    model = open_model(run, None).model.eval()
    tokenizer = load_tokenizer(model.config.geometry.tokenizer)
    rows = []
    out.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts):
        pieces = list(speak(model, [spoken(text, tokenizer)], sampling=DRAW))
        sound = torch.cat(pieces) if pieces else torch.zeros(model.config.codec.rate // 10)
        rows.append((_write(out, number, sound, model.config.codec.rate), text))
    _list(out, rows)


@torch.no_grad()
def round_trips(run: Path, stage: Path, out: Path) -> None:
    """The clips of a stage once as they are (`out`/plain) and once through the codec (`out`/coded)."""
    codec = open_model(run, None).model.codec.eval()
    found = Stage(str(stage))
    plain, coded = out / "plain", out / "coded"
    rows = []
    for folder in (plain, coded):
        folder.mkdir(parents=True, exist_ok=True)
    places = [(n, row) for n in range(found.shard_count) for row in range(len(found.shard(n).table))]
    for number, (shard, row) in enumerate(places):
        sample = found.sample(shard, row)
        text = sample.record["conversations"][-1]["value"]
        path = plain / f"{number:04d}.flac"
        path.write_bytes(sample.media[0])
        sound = read_sound(str(path), codec.config.rate)
        (frames, voice), *_ = codec.encode([sound])
        again = codec.decode(frames, voice)
        _write(coded, number, again[: len(sound)], codec.config.rate)
        rows.append((path.name, text))
    _list(plain, rows)
    _list(coded, [(name.replace(".flac", ".wav"), text) for name, text in rows])


def _write(folder: Path, number: int, sound: torch.Tensor, rate: int) -> str:
    name = f"{number:04d}.wav"
    soundfile.write(folder / name, sound.float().clamp(-1, 1).cpu().numpy(), rate)
    return name


def _list(folder: Path, rows: Iterable[tuple[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("file", "text"))
    writer.writerows(rows)
    files.write_bytes(str(folder / TABLE), text.getvalue().encode())
