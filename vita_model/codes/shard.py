"""One shard of a stage as codec tokens, in a process that does nothing else."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import cache
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from vita_data import files
from vita_data.errors import ShardError
from vita_data.records.canon import canonical
from vita_data.records.schema import CODES, CODES_VERSION
from vita_data.shards.read import Stage
from vita_data.shards.write import index_name
from vita_model.batch.clauses import spoken_answer
from vita_model.batch.codes import read_codes
from vita_model.batch.sounds import waveform
from vita_model.codes.codec import read_codec
from vita_model.nets.codec.codec import Codec


@dataclass(frozen=True)
class Work:
    """A shard to encode: the folder of its stage, its number, the codec's checkpoint and digest, and where to."""

    stage: str
    number: int
    checkpoint: str
    codec: str
    path: str


def start_worker() -> None:
    """Makes ready a process that encodes: one thread, so that sums have one order, and no life of its own."""
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def encode_shard(work: Work) -> None:
    """Writes the codes of a shard's utterances, in the order of its rows, each encoded alone.

    Raises ShardError that names an utterance whose tokens are not as many as its index says.
    """
    codec, stage = _codec(work.checkpoint), _stage(work.stage)
    shard = stage.shard(work.number)
    expected = shard.table.column("audio_tokens").to_pylist()
    rows = [_encoded(codec, stage, work.number, row, expected[row]) for row in range(len(shard))]
    table = pa.Table.from_pylist(rows, CODES.with_metadata(_said(work, stage)))
    files.write_table(work.path, table)


def is_whole(work: Work, stage: Stage) -> bool:
    """Whether a shard's codes were written already, from its utterances and by this codec."""
    if not files.exists(work.path):
        return False
    try:
        table = read_codes(work.path)
    except ShardError:
        return False
    said = {name.encode(): value.encode() for name, value in _said(work, stage).items()}
    return table.schema.metadata == said and len(table) == len(stage.shard(work.number))


@cache
def _codec(checkpoint: str) -> Codec:
    return read_codec(Path(checkpoint))


@cache
def _stage(folder: str) -> Stage:
    return Stage(folder)


def _encoded(codec: Codec, stage: Stage, number: int, row: int, expected: int) -> dict[str, Any]:
    sample = stage.sample(number, row)
    _, member = spoken_answer(sample.record)
    data = sample.media[stage.shard(number).names(row)[1:].index(member)]
    frame_codes, global_codes = codec.encode([waveform(data, codec.config.rate, sample.key)])[0]
    if len(frame_codes) != expected:
        raise ShardError(
            f"{sample.key} makes {len(frame_codes)} codec tokens and its index says {expected}; build the stage again "
            "with the geometry of this codec."
        )
    codes = {"frame_codes": frame_codes.tolist(), "global_codes": global_codes.tolist()}
    return {"key": sample.key, "row": row, **codes}


def _said(work: Work, stage: Stage) -> dict[str, str]:
    """What a table says of itself: its version, its codec, and the digest of the index it was made from."""
    index = stage.facts["files"][f"index/{index_name(work.number)}"]
    return {"vita": canonical({"version": CODES_VERSION, "codec": work.codec, "index": index})}
