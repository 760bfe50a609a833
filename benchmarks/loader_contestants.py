"""The contestants of loader.py: each writes the samples in its own format, shuffles, and goes on where it stopped.

A row is what the peers store: the record as it is, the media joined, and beside them what our index says of a sample.
Three members are fewer than the peers' own habits would make of it, and so the quickest for them. Of every row they
make what our reader makes, by our functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, ClassVar

from vita_data import files
from vita_data.packs.stage import pack_stage
from vita_data.shards.read import Pack, Sample, Stage
from vita_data.shards.seal import FACTS, PLAN, sealed_facts
from vita_data.shards.write import ShardSample, write_shard
from vita_model.batch.collate import collate
from vita_model.batch.decoder import within
from vita_model.batch.loader import prefetch
from vita_model.batch.order import order_of
from vita_model.config.presets import preset
from vita_model.train.task import open_task, run_of

Row = dict[str, Any]
Delivered = dict[str, Any]  # keys, and what there is of these samples
MEMBERS = ("json", "facts", "media")
SHUFFLED = 1000  # samples in the buffer of those that have one
SHARD = 1 << 23  # bytes of a file, so that an epoch has several to shuffle
SEED = 7


def repeated(stage: Stage, folder: Path, copies: int) -> None:
    """Writes a stage that holds every sample of another so often, each time by another key."""
    shards = [(copy, number) for copy in range(copies) for number in range(stage.shard_count)]
    facts = [
        asdict(write_shard(str(folder), place, _again(stage, number, copy)))
        for place, (copy, number) in enumerate(shards)
    ]
    files.write_json(str(folder / PLAN), stage.plan)
    packs = pack_stage(str(folder), len(shards), stage.plan)
    said = {"stage": stage.plan["stage"], "digest": stage.plan["digest"], "shards": facts, "packs": packs}
    files.write_json(str(folder / FACTS), sealed_facts(str(folder), said))


def _again(stage: Stage, number: int, copy: int) -> Iterator[ShardSample]:
    shard = stage.shard(number)
    kept = {field.name for field in fields(ShardSample)} - {"key", "grids"}
    for row, said in enumerate(shard.table.to_pylist()):
        record, *media = shard.read(row)
        kinds = [name.rsplit(".", 1)[1] for name in shard.names(row)[1:]]
        yield ShardSample(
            key=f"{said['key']}-{copy}",
            record=record,
            media=list(zip(kinds, media, strict=True)),
            grids=tuple((grid["cols"], grid["rows"]) for grid in said["grids"] or ()),
            **{name: said[name] for name in kept & said.keys()},
        )


def rows(stage: Stage) -> Iterator[Row]:
    """All samples of a stage as the peers store them."""
    for number in range(stage.shard_count):
        shard = stage.shard(number)
        for row in range(len(shard)):
            sample = shard.sample(row)
            facts = {name: getattr(sample, name) for name in ("key", "source", "grids", "length")}
            said = json.dumps({**facts, "sizes": list(map(len, sample.media))})
            yield {"json": shard.read(row)[0], "facts": said.encode(), "media": b"".join(sample.media)}


def sample_of(row: Row) -> Sample:
    """The sample that a row was made from."""
    said = json.loads(row["facts"])
    bounds = pairwise(accumulate(said["sizes"], initial=0))
    media = [row["media"][first:end] for first, end in bounds]
    grids = [(cols, rows) for cols, rows in said["grids"]]
    return Sample(said["key"], said["source"], json.loads(row["json"]), media, grids, said["length"])


def delivered(samples: Sequence[Sample], encoder: Any) -> Delivered:
    """A batch: the samples as they are, or encoded and joined where there is an encoder."""
    content: Any = collate([encoder.encode(one) for one in samples]) if encoder else list(samples)
    return {"keys": [one.key for one in samples], "content": content}


def of_rows(encoder: Any, found: Iterable[Row]) -> Delivered:
    """A batch of rows."""
    return delivered([sample_of(row) for row in found], encoder)


@dataclass(frozen=True)
class Setting:
    """What all contestants are given: their folder, the samples of a batch, worker processes, whether to decode."""

    home: Path
    preset: str
    batch: int
    workers: int
    decoded: bool


class Contestant:
    """One loader. All that is not its own (packages, tokenizer) is there when it is made; `open` is what is timed."""

    package = ""
    library: Any = None
    decode: ClassVar[dict[str, Any]] = {}  # as `open_task` is told; none is decoding in the very process

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.folder = setting.home / type(self).__name__.lower()
        self.stage = setting.home / "ours"
        task = open_task(str(self.stage), preset(setting.preset), None, "fp32", **self.decode)
        self.reader: Any = task.reader
        self.rounds = task.order.rounds(1)
        encoder = self.reader.encoder if setting.decoded else None
        self.collate: Callable[[Iterable[Row]], Delivered] = partial(of_rows, encoder)

    def write(self) -> None:
        """Writes the samples of our stage in this format."""

    def open(self, place: Any) -> Iterator[Delivered]:
        """The rest of an epoch from a place that `place` gave, or all of it."""
        raise AssertionError("each contestant has its own")

    def place(self, done: int) -> Any:
        """What is needed to go on after so many batches of the one epoch that was opened."""
        raise AssertionError("each contestant has its own")


class Ours(Contestant):
    """Stage, order and prefetch as the trainer's loop has them; a place is a step."""

    package = "vita-toolkit"
    decode: ClassVar[dict[str, Any]] = {"by": within()}

    def open(self, place: int | None) -> Iterator[Delivered]:
        """From the first pack of a step on."""
        stage = Stage(str(self.stage))
        order = order_of(stage, run_of(stage.plan, None), SEED)
        steps = range(place or 0, order.steps_per_epoch)
        packs = (slot.pack for step in steps for slot in order.shares(step, 1)[0] if slot.pack)
        return prefetch(partial(self._read, stage), packs, ahead=order.rounds(1) + 2)

    def _read(self, stage: Stage, pack: Pack) -> Delivered:
        if not self.setting.decoded:
            return delivered([stage.sample(place.shard, place.row) for place in pack.samples], None)
        found = self.reader.batch(stage, pack)
        return {"keys": list(found.keys), "content": found}

    def place(self, done: int) -> int:
        """The step after so many packs."""
        return done // self.rounds


class WebDataset(Contestant):
    """Tars read in turn; a place is a count of samples, which are read and thrown away before anything is parsed."""

    package = "webdataset"

    def __init__(self, setting: Setting) -> None:
        import webdataset

        super().__init__(setting)
        self.library = webdataset

    def write(self) -> None:
        """`ShardWriter`."""
        self.folder.mkdir()
        with self.library.ShardWriter(f"{self.folder}/%05d.tar", maxsize=SHARD, verbose=0) as sink:
            for row in rows(Stage(str(self.stage))):
                sink.write({"__key__": json.loads(row["facts"])["key"], **row})

    def open(self, place: int | None) -> Iterator[Delivered]:
        """Shards shuffled by a seed, then a buffer, then the skipping."""
        shards = sorted(map(str, self.folder.glob("*.tar")))
        found = self.library.WebDataset(shards, shardshuffle=len(shards), detshuffle=True, seed=SEED)
        found = found.compose(self.library.filters.detshuffle(SHUFFLED, seed=SEED)).slice(place or 0, None)
        found = found.batched(self.setting.batch, collation_fn=self.collate)
        return iter(self.library.WebLoader(found, batch_size=None, num_workers=self.setting.workers))

    def place(self, done: int) -> int:
        """The samples of so many batches."""
        return done * self.setting.batch


class WithState(Contestant):
    """What has a DataLoader of its own, whose `state_dict` is a place."""

    loader: Any = None

    def open(self, place: Any) -> Iterator[Delivered]:
        """Dataset and loader, and the state where there is one."""
        self.loader = self.library.StreamingDataLoader(
            self.dataset(),
            batch_size=self.setting.batch,
            num_workers=self.setting.workers,
            collate_fn=self.collate,
        )
        if place:
            self.loader.load_state_dict(place)
        return iter(self.loader)

    def place(self, done: int) -> Any:
        """The state of the loader."""
        return self.loader.state_dict()

    def dataset(self) -> Any:
        """The samples, shuffled."""
        raise AssertionError("each library has its own")


class LitData(WithState):
    """Optimized chunks."""

    package = "litdata"

    def __init__(self, setting: Setting) -> None:
        import litdata

        super().__init__(setting)
        self.library = litdata

    def write(self) -> None:
        """`optimize`."""
        found = list(rows(Stage(str(self.stage))))
        self.library.optimize(
            dict, inputs=found, output_dir=str(self.folder), chunk_bytes=SHARD, num_workers=1
        )

    def dataset(self) -> Any:
        """Chunks shuffled, and windows inside them."""
        return self.library.StreamingDataset(str(self.folder), shuffle=True, seed=SEED)


class Streaming(WithState):
    """MDS shards."""

    package = "mosaicml-streaming"

    def __init__(self, setting: Setting) -> None:
        import streaming

        super().__init__(setting)
        self.library = streaming

    def write(self) -> None:
        """`MDSWriter`."""
        columns = dict.fromkeys(MEMBERS, "bytes")
        with self.library.MDSWriter(out=str(self.folder), columns=columns, size_limit=SHARD) as sink:
            for row in rows(Stage(str(self.stage))):
                sink.write(row)

    def dataset(self) -> Any:
        """Shuffled by its default, py1e."""
        return self.library.StreamingDataset(
            local=str(self.folder), shuffle=True, shuffle_seed=SEED, batch_size=self.setting.batch
        )


class Energon(WebDataset):
    """The same tars with Energon's index; a place is the savable loader's state."""

    package = "megatron-energon"

    def __init__(self, setting: Setting) -> None:
        from megatron import energon

        super().__init__(setting)
        self.energon = energon
        self.loader: Any = None

    def write(self) -> None:
        """`ShardWriter`, then what `energon prepare` does."""
        from megatron.energon.flavors import BaseWebdatasetFactory

        super().write()
        names = sorted(path.name for path in self.folder.glob("*.tar"))
        BaseWebdatasetFactory.prepare_dataset(
            self.folder, names, split_parts_ratio=[("train", 1.0)], workers=1
        )
        said = "__module__: megatron.energon\n__class__: CrudeWebdataset\n"
        (self.folder / ".nv-meta" / "dataset.yaml").write_text(said)

    def open(self, place: Any) -> Iterator[Delivered]:
        """Slices of shards shuffled, then a buffer; where there is a worker it keeps its state with every batch."""
        energon = self.energon
        dataset = energon.get_train_dataset(
            self.folder,
            worker_config=energon.WorkerConfig(rank=0, world_size=1, num_workers=self.setting.workers),
            batch_size=self.setting.batch,
            shuffle_buffer_size=SHUFFLED,
            max_samples_per_sequence=100,
            task_encoder=self._encoder(),
            repeat=False,
        )
        self.loader = energon.get_savable_loader(
            dataset, checkpoint_every_sec=0, checkpoint_every_min_n_samples=1
        )
        if place:
            self.loader.restore_state_rank(place)
        return iter(self.loader)

    def place(self, done: int) -> Any:
        """The state of the loader."""
        return self.loader.save_state_rank()

    def _encoder(self) -> Any:
        energon, made = self.energon, self.collate

        @energon.stateless
        def cooked(sample: Row) -> Row:
            return sample

        class Encoder(energon.DefaultTaskEncoder):
            decoder = None
            cookers = (energon.Cooker(cooked),)

            @energon.stateless
            def batch(self, samples: list[Row]) -> Delivered:
                return made(samples)

        return Encoder()


CONTESTANTS: dict[str, type[Contestant]] = {
    "ours": Ours,
    "webdataset": WebDataset,
    "Megatron-Energon": Energon,
    "litdata": LitData,
    "mosaicml-streaming": Streaming,
}
