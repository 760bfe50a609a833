"""What a trained codec makes of held-out clips: how far it is off by source, which codes it uses, and how it sounds."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import torch
from torch import distributed
from torch.nn import functional

from vita_data import files
from vita_data.shards.read import Place, Stage
from vita_model.batch.segments import clip
from vita_model.nets.codec.losses import MelDistances
from vita_model.train.codec.engines import Engines
from vita_model.train.codec.task import CodecTask
from vita_model.train.codec.use import counts_of, told
from vita_model.train.engine import total

FOLDER = "eval"
HEARD = 2
MAIN = "mel_1024"


def score(engines: Engines, task: CodecTask, stage: Stage, run: Path) -> dict[str, Any]:
    """{loss, samples, mel_*, sources: {name: the same}, code_use} of held-out clips; all ranks call it.

    Each clip goes through codes and back as a whole; distances are means over clips, `loss` that of the longest
    window. The first two clips are left in RUN/eval, <key>.wav as recorded and <key>.codec.wav made anew.
    """
    codec, mels = engines.codec, MelDistances(task.config.codec).to(engines.maker.device)
    codec.eval()
    places = _places(stage)
    sources = sorted({source for source, _ in places})
    sums = {source: dict.fromkeys(("samples", *mels.spectra), 0.0) for source in sources}
    counts = torch.zeros(1 + codec.config.global_codes, codec.config.codes, dtype=torch.int64)
    counts = counts.to(engines.maker.device)
    for number in range(distributed.get_rank(), len(places), distributed.get_world_size()):
        source, place = places[number]
        sound = clip(stage, place, codec.config.rate).to(engines.maker.device)
        frame_codes, global_codes = codec.encode([sound])[0]
        again = codec.decode(frame_codes, global_codes)
        counts += counts_of(codec, frame_codes, global_codes[None])
        whole = functional.pad(sound, (0, len(again) - len(sound)))
        with torch.no_grad():
            apart = mels(again[None, None], whole[None, None])
        for name, value in (("samples", 1.0), *((name, float(value)) for name, value in apart.items())):
            sums[source][name] += value
        if number < HEARD:
            _write(run / FOLDER / f"{place.key}.wav", sound, codec.config.rate)
            _write(run / FOLDER / f"{place.key}.codec.wav", again[: len(sound)], codec.config.rate)
    codec.train()
    flat = iter(total([value for named in sums.values() for value in named.values()], engines.maker.device))
    by_source = {source: {name: next(flat) for name in named} for source, named in sums.items()}
    whole_sums = {
        name: sum(named[name] for named in by_source.values()) for name in ("samples", *mels.spectra)
    }
    return {
        **_said(whole_sums),
        "sources": {source: _said(named) for source, named in by_source.items()},
        "code_use": told(counts),
    }


def _places(stage: Stage) -> list[tuple[str, Place]]:
    """Every clip of a stage with its source, in the order of its shards."""
    return [
        (said["source"], Place(number, row, said["key"]))
        for number in range(stage.shard_count)
        for row, said in enumerate(stage.shard(number).table.select(["key", "source"]).to_pylist())
    ]


def _said(sums: dict[str, float]) -> dict[str, Any]:
    clips = int(sums["samples"])
    means = {name: value / clips if clips else None for name, value in sums.items() if name != "samples"}
    return {"loss": means[MAIN], "samples": clips, **means}


def _write(path: Path, waveform: torch.Tensor, rate: int) -> None:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((waveform.clamp(-1.0, 1.0) * 32767.0).round().to(torch.int16).cpu().numpy().tobytes())
    files.write_bytes(str(path), stream.getvalue())
