"""The codec tokens of a stage's utterances: where they lie, which codec made them, and each by its place.

STAGE/codec/<digest>/00000.parquet ...       one for each shard, rows in its order
                     eval/00000.parquet ...  of the samples held out
                     codec.json              which codec, how many tokens, the voice; written last
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import torch

from vita_data import files
from vita_data.errors import ShardError, UsageError
from vita_data.records.key import digest_of
from vita_data.shards.read import OPEN_SHARDS, Place, Stage
from vita_data.shards.seal import EVAL, sha256
from vita_data.shards.write import index_name
from vita_model.config.model import ModelConfig

# Raise when a waveform would become other codes, or codec.json say other things.
VERSION = 1
FOLDER = "codec"
FACTS = "codec.json"


def parts(stage: Stage) -> dict[str, Stage]:
    """The stage and what is held out from it, by the folder that each one's codes have below `codec/<digest>`."""
    held_out = stage.held_out
    return {"": stage} | ({EVAL: held_out} if held_out else {})


def utterances_digest(stage: Stage) -> str:
    """Sixteen hex digits over what is encoded; how a stage is packed and trained has no say in them."""
    indexes = [
        {name: digest for name, digest in part.facts["files"].items() if name.startswith("index/")}
        for part in parts(stage).values()
    ]
    return digest_of("utterances", indexes)


def codes_folder(stage: Stage, codec_digest: str) -> str:
    """Where the codes of this stage by that codec lie, or are to lie."""
    digest = digest_of("codes", VERSION, codec_digest, utterances_digest(stage))
    return files.join(stage.folder, FOLDER, digest)


def codes_file(folder: str, part: str, shard: int) -> str:
    """The table of a shard of a part."""
    return files.join(folder, part, index_name(shard)) if part else files.join(folder, index_name(shard))


class Codes:
    """The finished codes of a stage; `facts` is what their codec.json says."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.facts: dict[str, Any] = files.read_json(files.join(folder, FACTS))
        self._tables: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def codec(self) -> str:
        """The digest of the codec that made them."""
        return str(self.facts["codec"]["digest"])

    @property
    def voice(self) -> tuple[int, ...]:
        """The global codes of the voice to speak with."""
        return tuple(self.facts["voice"])

    def of(self, stage: Stage, place: Place) -> torch.Tensor:
        """The frame codes (tokens,) int64 of the utterance at a place of the stage, or of its held-out part."""
        table = self._table(stage, place.shard)
        if place.row >= len(table) or table.column("key")[place.row].as_py() != place.key:
            raise ShardError(
                f"{self.folder} holds other utterances than {stage.folder} at {place.key}; remove it and run "
                "`vita-model encode` again."
            )
        return torch.from_numpy(table.column("frame_codes")[place.row].values.to_numpy().astype("int64"))

    def _table(self, stage: Stage, shard: int) -> Any:
        """The table of a shard, read at first use; the one not used for longest is let go."""
        part = EVAL if stage.folder.rstrip("/").rpartition("/")[2] == EVAL else ""
        path = codes_file(self.folder, part, shard)
        with self._lock:
            table = self._tables.pop(path, None)
            if table is None:
                table = read_codes(path)
            self._tables[path] = table
            if len(self._tables) > OPEN_SHARDS:
                del self._tables[next(iter(self._tables))]
            return table


def read_codes(path: str) -> Any:
    """The table of a shard's codes; raises ShardError for one that is missing or damaged."""
    import pyarrow as pa

    try:
        return files.read_table(path)
    except (OSError, ValueError, pa.lib.ArrowException) as error:
        if getattr(error, "errno", None) and files.exists(path):  # the disk's doing, and not the file's
            raise
        raise ShardError(
            f"{path} is missing or damaged; remove it and run `vita-model encode` again."
        ) from error


def codes_for(folder: str, codec_digest: str | None = None) -> Codes:
    """The codes of a stage by that codec, or the only ones that there are.

    Raises UsageError where there are none, none of the stage as it is now, none by that codec, or, without a
    codec, those of several; ShardError for a table that is not as it was written.
    """
    stage = Stage(folder)
    names = files.matching(folder, f"{FOLDER}/*/{FACTS}")
    found = [Codes(files.join(folder, name).removesuffix(f"/{FACTS}")) for name in names]
    current = [codes for codes in found if codes.folder == codes_folder(stage, codes.codec)]
    fitting = [codes for codes in current if codec_digest in (None, codes.codec)]
    if len(fitting) == 1:
        _check_files(fitting[0])
        return fitting[0]
    advice = f"run `vita-model encode --codec RUN --data {folder}`"
    if fitting:
        names = sorted(codes.codec for codes in fitting)
        raise UsageError(
            f"{folder} holds tokens of several codecs, {', '.join(names)}; start from the run of one."
        )
    if current:
        raise UsageError(
            f"{folder} holds no tokens of the codec {codec_digest}, which the model has, but of "
            f"{', '.join(sorted(codes.codec for codes in current))}; {advice} with the run that the codec is from."
        )
    if found:
        raise UsageError(f"{folder} was built again after its speech had been encoded; {advice} again.")
    raise UsageError(f"{folder} has no codec tokens; {advice} with the run that trained the codec.")


def _check_files(codes: Codes) -> None:
    for name, digest in codes.facts["files"].items():
        path = files.join(codes.folder, name)
        if not files.exists(path) or sha256(path) != digest:
            raise ShardError(f"{path} is not what was encoded; remove it and run `vita-model encode` again.")


def with_voice(config: ModelConfig, codes: Codes) -> ModelConfig:
    """The config of a model that speaks with the voice that was chosen for these codes."""
    return replace(config, codec=replace(config.codec, voice=codes.voice))
