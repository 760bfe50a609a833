"""Prefetching: packs are encoded in the background, in order, a bounded number ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(
    work: Callable[[Item], Result], items: Iterable[Item], ahead: int, workers: int = 1
) -> Iterator[Result]:
    """`work` of every item in order, done by threads at most `ahead` items early.

    An exception of `work` is raised where its result would have come. What is decoded (pictures) and counted
    (tokens) releases the interpreter lock, so threads are enough. Closing the iterator stops the threads.
    """
    source = iter(items)
    with ThreadPoolExecutor(workers, thread_name_prefix="encode") as pool:
        waiting: deque[Future[Result]] = deque(pool.submit(work, item) for item in islice(source, ahead))
        try:
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(work, item) for item in islice(source, 1))
                yield result
        finally:
            for future in waiting:
                future.cancel()
