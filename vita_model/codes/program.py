"""`vita-model encode`: the speech of a finished stage as codec tokens beside its shards.

Every shard's table is written whole or not at all and is skipped when it is there, and codec.json comes last: a
run that was killed goes on where it was. One utterance is encoded at a time by one thread, so the tokens do not
depend on how many processes share the shards.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from vita_data import files
from vita_data.errors import UsageError, VitaError
from vita_data.shards.read import Stage
from vita_data.shards.seal import sha256
from vita_model.batch.codes import FACTS, VERSION, codes_file, codes_folder, parts, utterances_digest
from vita_model.batch.reference import reference_clip
from vita_model.codes.codec import find_codec, origin, read_codec
from vita_model.codes.shard import Work, encode_shard, is_whole, start_worker
from vita_model.codes.tally import Tally, tally
from vita_model.nets.codec.codec import Codec
from vita_model.nets.codec.identity import codec_digest

LOSS = "codec-tokens"
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Options:
    """What the command line says: a run, the folder of a stage, the clip of a voice, and how many processes."""

    codec: Path
    data: str
    voice: str | None = None
    workers: int = 1


def encode(options: Options, tell: Tell = lambda done, total: None) -> dict[str, Any]:
    """Encodes what is missing; {folder, encoded, ...} with all that codec.json says.

    Raises UsageError for a stage that is not spoken, one whose tokens a second are not the codec's, and a clip that
    is none.
    """
    torch.set_num_threads(1)  # as workers do: sums have one order
    place = find_codec(options.codec)
    codec, stage = read_codec(place), Stage(options.data)
    _check(stage, codec, options)
    chosen = None if options.voice is None else _voice_of(options.voice, codec)
    digest = codec_digest(codec)
    folder = codes_folder(stage, digest)
    with files.locked(folder):
        works = {
            part: [
                Work(inner.folder, number, str(place), digest, codes_file(folder, part, number))
                for number in range(inner.shard_count)
            ]
            for part, inner in parts(stage).items()
        }
        missing = [
            work for part, inner in parts(stage).items() for work in works[part] if not is_whole(work, inner)
        ]
        _run(missing, options.workers, tell)
        files.remove_unfinished(folder)
        tallies = {part: tally([work.path for work in some]) for part, some in works.items()}
        facts = {
            "version": VERSION,
            "digest": folder.rpartition("/")[2],
            "codec": {"digest": digest, **_dimensions(codec), **origin(place)},
            "stage": {"name": stage.plan["stage"], "utterances": utterances_digest(stage)},
            "parts": {part or "train": held.to_json() for part, held in tallies.items()},
            **(chosen or _kept_voice(folder) or _typical_voice(tallies[""])),
            "files": {
                work.path.removeprefix(f"{folder}/"): sha256(work.path) for work in chain(*works.values())
            },
        }
        files.write_json(files.join(folder, FACTS), facts)
    return {"folder": folder, "encoded": len(missing), **facts}


def _check(stage: Stage, codec: Codec, options: Options) -> None:
    if stage.plan.get("loss") != LOSS:
        raise UsageError(
            f"{options.data} is stage {stage.plan['stage']}, which learns no codec tokens; "
            "give the folder of stage 3.2."
        )
    if not stage.shard_count:
        raise UsageError(f"{options.data} holds no speech; build the stage from a source that has some.")
    said, made = stage.plan["geometry"]["codec_rate"], codec.config.rate / codec.config.hop
    if said != made:
        raise UsageError(
            f"{options.data} counts {said:g} codec tokens a second and the codec of {options.codec} makes {made:g}; "
            "build the stage with the codec's geometry."
        )


def _run(missing: list[Work], workers: int, tell: Tell) -> None:
    """Encodes shards, by several workers in processes of their own, each of which ends with this one."""
    tell(0, len(missing))
    if min(workers, len(missing)) < 2:
        for done, work in enumerate(missing, 1):
            encode_shard(work)
            tell(done, len(missing))
        return
    spawn = get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(missing)), spawn, initializer=start_worker) as pool:
        try:
            for done, _ in enumerate(pool.map(encode_shard, missing), 1):
                tell(done, len(missing))
        except BrokenProcessPool as error:
            raise VitaError(
                "a process that encodes was killed, as for want of memory; run the same command again with fewer "
                "--workers: it goes on from here."
            ) from error


def _dimensions(codec: Codec) -> dict[str, int]:
    return {name: getattr(codec.config, name) for name in ("rate", "hop", "codes", "global_codes")}


def _voice_of(clip: str, codec: Codec) -> dict[str, Any]:
    _, codes = codec.encode([reference_clip(clip, codec.config.rate)])[0]
    return {"voice": codes.tolist(), "voice_of": {"clip": sha256(clip)}}


def _kept_voice(folder: str) -> dict[str, Any] | None:
    """The voice that was chosen before."""
    path = files.join(folder, FACTS)
    if not files.exists(path):
        return None
    before = files.read_json(path)
    return {name: before[name] for name in ("voice", "voice_of")}


def _typical_voice(heard: Tally) -> dict[str, Any]:
    """The most ordinary voice of the stage: any other codec's numbers would be noise to this one."""
    key, voice = heard.typical_voice()
    return {"voice": voice, "voice_of": {"utterance": key}}
