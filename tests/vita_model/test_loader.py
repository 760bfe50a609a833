"""Prefetching: in order, bounded, and honest about errors."""

from __future__ import annotations

import threading
import time

import pytest

from vita_model.batch.loader import prefetch


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_order_whatever_takes_how_long(workers: int) -> None:
    def slow(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number * number

    assert list(prefetch(slow, range(40), ahead=5, workers=workers)) == [n * n for n in range(40)]


def test_no_more_than_ahead_are_taken_before_they_are_asked_for() -> None:
    taken: list[int] = []
    results = prefetch(lambda n: taken.append(n) or n, range(100), ahead=4)
    assert next(results) == 0
    time.sleep(0.05)
    assert len(taken) <= 5
    results.close()


def test_work_is_done_off_the_main_thread_before_it_is_asked_for() -> None:
    done = threading.Event()

    def work(number: int) -> str:
        if number == 1:
            done.set()
        return threading.current_thread().name

    results = prefetch(work, range(3), ahead=2)
    assert next(results) != threading.main_thread().name
    assert done.wait(5)
    results.close()


def test_an_exception_is_raised_where_its_result_would_have_come() -> None:
    def fail_at_two(number: int) -> int:
        if number == 2:
            raise ValueError("two is odd here")
        return number

    results = prefetch(fail_at_two, range(5), ahead=3)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two is odd"):
        next(results)
