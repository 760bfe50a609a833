"""What a codec makes of clips: how far they are off, and which of its codes it takes for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch.nn import functional

from vita_data.shards.read import Place, Stage
from vita_model.batch.left_out import LeftOut
from vita_model.batch.segments import clip
from vita_model.eval.answers import Line
from vita_model.nets.codec.codec import Codec
from vita_model.nets.codec.losses import MelDistances


@torch.no_grad()
def codec_lines(
    codec: Codec, stage: Stage, places: Sequence[Place], left_out: LeftOut | None = None
) -> list[Line]:
    """A line for every clip, each through codes and back as a whole: mel distances, frame codes and global codes.

    The codec is to be in eval mode; `codes` is how many there are to choose from. What no decoder reads is left out.
    """
    device = next(codec.parameters()).device
    mels = MelDistances(codec.config).to(device)
    found = []
    for place in places:
        read = (LeftOut() if left_out is None else left_out).tried(
            stage, place, partial(clip, stage, rate=codec.config.rate)
        )
        if read is None:
            continue
        sound = read.to(device)
        frame_codes, global_codes = codec.encode([sound])[0]
        again = codec.decode(frame_codes, global_codes)
        whole = functional.pad(sound, (0, len(again) - len(sound)))
        apart = mels(again[None, None], whole[None, None])
        found.append(
            {
                "key": place.key,
                "turn": 0,
                "source": stage.shard(place.shard).table.column("source")[place.row].as_py(),
                "type": "tts",
                **{name: float(value) for name, value in apart.items()},
                "frame_codes": frame_codes.tolist(),
                "global_codes": global_codes.tolist(),
                "codes": codec.config.codes,
            }
        )
    return found
