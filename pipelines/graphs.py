"""The graphs. Every element is a small tuple that names files; every step leaves its results in files.

Only Impulse/Create, Map, FlatMap and GroupByKey are used: what every engine does alike. `Spread` is a
GroupByKey on the item's number, which hands items to all workers where a fused Create would keep them on one.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam

from vita_data.catalog.merge import merge_bucket
from vita_data.catalog.read import read_batch
from vita_data.catalog.repack import list_container
from vita_data.catalog.splits import split_batch
from vita_data.errors import VitaError
from vita_data.packs.window import pack_window
from vita_data.select.fill import fill_shard_to_file
from vita_data.select.gather import gather_part, order_bucket
from vita_data.select.measure import measure_part
from vita_data.speech.fit import fit_bucket, voice_bucket
from vita_data.speech.questions import question_bucket
from vita_data.speech.speak import speak_bucket
from vita_data.verdicts.judge import judge_part
from vita_data.verdicts.kept import kept_part
from vita_data.verdicts.leaks import leaks_part
from vita_data.verdicts.meet import emit_part, meet_bucket
from vita_data.verdicts.prints import prints_part
from vita_data.verdicts.readings import readings_part
from vita_data.verdicts.signals import signals_part

Item = tuple[Any, ...]
Graph = Callable[[Any], Any]


ERROR_MARK = "VITA-ERROR"


def marked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turns what a person can mend into text that survives any engine's way of passing errors on."""

    @functools.wraps(function)
    def guarded(item: Any) -> Any:
        try:
            result = function(item)
            return list(result) if isinstance(result, Iterator) else result
        except VitaError as error:
            raise _text(error.status, str(error)) from error
        except OSError as error:
            words = f"{error.filename or function.__name__}: {error.strerror or error}"
            raise _text(VitaError.status, f"{words}; mend that and run the same command again.") from error

    return guarded


def _text(status: int, words: str) -> RuntimeError:
    return RuntimeError(f"{ERROR_MARK}{json.dumps([status, words])}{ERROR_MARK}")


class Spread(beam.PTransform):  # type: ignore[misc]
    """Items, each with its number, handed out to workers."""

    def __init__(self, items: list[Item]) -> None:
        super().__init__()
        self._items = list(enumerate(items))

    def expand(self, pbegin: Any) -> Any:
        """Create -> GroupByKey -> the item again."""
        return (
            pbegin
            | "Items" >> beam.Create(self._items, reshuffle=False)
            | "Spread" >> beam.GroupByKey()
            | "Item" >> beam.FlatMap(_values)
        )


def _values(numbered: tuple[int, Iterable[Item]]) -> Iterator[Item]:
    yield from numbered[1]


def _bucketed(task: str, refs: Iterable[tuple[int, str, int]]) -> Iterator[tuple[str, tuple[str, int]]]:
    """Refs keyed by bucket and task, as text: the key every engine groups alike."""
    for bucket, path, batch in refs:
        yield f"{bucket}:{task}", (path, batch)


def _unkey(key: str) -> tuple[str, int]:
    bucket, _, task = key.partition(":")
    return task, int(bucket)


@marked
def _split(item: Item) -> None:
    split_batch(*item)


@marked
def _list(item: Item) -> None:
    list_container(*item)


@marked
def _read(item: Item) -> Iterator[tuple[str, tuple[str, int]]]:
    task, number = item
    yield from _bucketed(task, read_batch(task, number))


@marked
def _merge(group: tuple[str, Iterable[tuple[str, int]]]) -> None:
    merge_bucket(*_unkey(group[0]), sorted(group[1]))


@marked
def _measure(item: Item) -> None:
    measure_part(*item)


@marked
def _signals(item: Item) -> None:
    signals_part(*item)


@marked
def _readings(item: Item) -> None:
    readings_part(*item)


@marked
def _judge(item: Item) -> None:
    judge_part(*item)


@marked
def _emit(item: Item) -> Iterator[tuple[str, tuple[str, int]]]:
    task, place, part = item
    yield from _bucketed(task, emit_part(task, place, part))


@marked
def _meet(group: tuple[str, Iterable[tuple[str, int]]]) -> None:
    meet_bucket(*_unkey(group[0]), sorted(group[1]))


@marked
def _prints(item: Item) -> None:
    prints_part(*item)


@marked
def _leaks(item: Item) -> None:
    leaks_part(*item)


@marked
def _keep(item: Item) -> None:
    kept_part(*item)


@marked
def _gather(item: Item) -> Iterator[tuple[str, tuple[str, int]]]:
    task, source, part = item
    yield from _bucketed(task, gather_part(task, source, part))


@marked
def _order(group: tuple[str, Iterable[tuple[str, int]]]) -> None:
    order_bucket(*_unkey(group[0]), sorted(group[1]))


@marked
def _question(item: Item) -> None:
    question_bucket(*item)


@marked
def _speak(item: Item) -> None:
    speak_bucket(*item)


@marked
def _fit(item: Item) -> None:
    fit_bucket(*item)


@marked
def _voice(item: Item) -> None:
    voice_bucket(*item)


@marked
def _fill(item: Item) -> None:
    fill_shard_to_file(*item)


@marked
def _pack(item: Item) -> None:
    pack_window(*item)


def split_graph(items: list[Item]) -> Graph:
    """(list of annotations,): batches of annotation files into slices."""
    return lambda p: p | Spread(items) | "Split" >> beam.Map(_split)


def list_graph(items: list[Item]) -> Graph:
    """(root, archive, place, catalog's folder, keep what is cut): archives into listings of their members."""
    return lambda p: p | Spread(items) | "List" >> beam.Map(_list)


def catalog_graph(items: list[Item]) -> Graph:
    """(task, batch): batches of slices into chunks, chunks by bucket into catalog parts."""
    return lambda p: (
        p
        | Spread(items)
        | "Read" >> beam.FlatMap(_read)
        | "ByBucket" >> beam.GroupByKey()
        | "Merge" >> beam.Map(_merge)
    )


def measure_graph(items: list[Item]) -> Graph:
    """(task, part): catalog parts into measures."""
    return lambda p: p | Spread(items) | "Measure" >> beam.Map(_measure)


def signals_graph(items: list[Item]) -> Graph:
    """(task, part): catalog parts into signals."""
    return lambda p: p | Spread(items) | "Signals" >> beam.Map(_signals)


def readings_graph(items: list[Item]) -> Graph:
    """(task, part): catalog parts into what is read in the pictures of some samples."""
    return lambda p: p | Spread(items) | "Readings" >> beam.Map(_readings)


def judge_graph(items: list[Item]) -> Graph:
    """(task, part): signals into rejects."""
    return lambda p: p | Spread(items) | "Judge" >> beam.Map(_judge)


def meet_graph(items: list[Item]) -> Graph:
    """(task, place of the source, part): signals by bucket into pairs."""
    return lambda p: (
        p
        | Spread(items)
        | "Emit" >> beam.FlatMap(_emit)
        | "ByBucket" >> beam.GroupByKey()
        | "Meet" >> beam.Map(_meet)
    )


def prints_graph(items: list[Item]) -> Graph:
    """(task, part): catalog parts into the fingerprints of their sounds."""
    return lambda p: p | Spread(items) | "Prints" >> beam.Map(_prints)


def leaks_graph(items: list[Item]) -> Graph:
    """(task, part): catalog parts into what they hold of benchmarks."""
    return lambda p: p | Spread(items) | "Leaks" >> beam.Map(_leaks)


def keep_graph(items: list[Item]) -> Graph:
    """(task, part): measures into those of what stays."""
    return lambda p: p | Spread(items) | "Keep" >> beam.Map(_keep)


def select_graph(items: list[Item]) -> Graph:
    """(task, source, part): selected rows by bucket into the stage's order."""
    return lambda p: (
        p
        | Spread(items)
        | "Gather" >> beam.FlatMap(_gather)
        | "ByBucket" >> beam.GroupByKey()
        | "Order" >> beam.Map(_order)
    )


def questions_graph(items: list[Item]) -> Graph:
    """(task, bucket): ordered rows into tables of their questions."""
    return lambda p: p | Spread(items) | "Question" >> beam.Map(_question)


def speak_graph(items: list[Item]) -> Graph:
    """(task, bucket of clips): questions into sounds in the cache."""
    return lambda p: p | Spread(items) | "Speak" >> beam.Map(_speak)


def fit_graph(items: list[Item]) -> Graph:
    """(task, bucket): which of the spoken questions fit into their samples."""
    return lambda p: p | Spread(items) | "Fit" >> beam.Map(_fit)


def voice_graph(items: list[Item]) -> Graph:
    """(task, bucket): ordered rows into rows whose chosen questions are sounds."""
    return lambda p: p | Spread(items) | "Voice" >> beam.Map(_voice)


def fill_graph(items: list[Item]) -> Graph:
    """(task, shard, pieces): rows into shards."""
    return lambda p: p | Spread(items) | "Fill" >> beam.Map(_fill)


def pack_graph(items: list[Item]) -> Graph:
    """(stage, window, shards, capacity, digests): indexes into packs."""
    return lambda p: p | Spread(items) | "Pack" >> beam.Map(_pack)


GRAPHS = {
    "split": split_graph,
    "list": list_graph,
    "catalog": catalog_graph,
    "measure": measure_graph,
    "signals": signals_graph,
    "readings": readings_graph,
    "judge": judge_graph,
    "meet": meet_graph,
    "prints": prints_graph,
    "leaks": leaks_graph,
    "keep": keep_graph,
    "select": select_graph,
    "questions": questions_graph,
    "speak": speak_graph,
    "fit": fit_graph,
    "voice": voice_graph,
    "fill": fill_graph,
    "pack": pack_graph,
}
