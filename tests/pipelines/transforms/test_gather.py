"""Calls of several threads made into one: everybody gets the results of their own items."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest

from pipelines.transforms.gather import Gather

FOR_EVER = 600.0
"""Seconds. A test that waits this long has failed: the batch should have been full."""


class Squares:
    """The work, and what it was called with."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.calls.append(list(items))
        return [item * item for item in items]


def test_a_full_batch_is_one_call_for_all_and_waits_no_longer() -> None:
    work, gather = Squares(), Gather[int, int](5, FOR_EVER)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(gather, [1, 2], work)
        second = threads.submit(gather, [3, 4, 5], work)
        assert list(first.result(60)) == [1, 4]
        assert list(second.result(60)) == [9, 16, 25]
    assert [sorted(call) for call in work.calls] == [[1, 2, 3, 4, 5]]


def test_nobody_waits_for_ever_for_others() -> None:
    work, gather = Squares(), Gather[int, int](5, 0.01)
    assert list(gather([1], work)) == [1]
    assert list(gather([2], work)) == [4]
    assert work.calls == [[1], [2]]


def test_without_a_wait_every_call_is_its_own() -> None:
    work, gather = Squares(), Gather[int, int](5, 0)
    assert gather([1, 2], work) == [1, 4]
    assert work.calls == [[1, 2]]


def test_an_error_of_the_work_is_raised_in_every_call_and_the_next_batch_is_sound() -> None:
    def broken(items: Sequence[int]) -> list[int]:
        raise ValueError("broken")

    gather = Gather[int, int](2, FOR_EVER)
    with ThreadPoolExecutor(2) as threads:
        for failed in [threads.submit(gather, [item], broken) for item in (1, 2)]:
            with pytest.raises(ValueError, match="broken"):
                failed.result(60)
    assert list(gather([3, 4], Squares())) == [9, 16]


@pytest.mark.parametrize("seed", [1, 2])
def test_many_threads_get_each_their_own(seed: int) -> None:
    generator = random.Random(seed)
    asked = [
        [generator.randrange(1_000) for _ in range(generator.randint(1, 9))] for _ in range(400)
    ]
    work, gather = Squares(), Gather[int, int](20, 0.002)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda items: list(gather(items, work)), asked))
    assert answers == [[item * item for item in items] for items in asked]
    assert Counter(chain(*work.calls)) == Counter(chain(*asked))
