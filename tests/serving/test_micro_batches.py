"""Which texts are scored together, and when. Time is the loop's, and no test waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from serving.micro_batches import MicroBatches


class Worker:
    """Doubles numbers, one batch at a time as it is let."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Semaphore(0)

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        assert self.go.acquire(timeout=10)
        if 13 in items:
            raise ValueError("unlucky")
        return [2 * item for item in items]


def run(test: Callable[[MicroBatches[int, int], Worker], Any], **options: Any) -> Worker:
    worker = Worker()

    async def body() -> None:
        texts: MicroBatches[int, int] = MicroBatches(
            worker, **{"wait": 60.0, "at_most": 4, **options}
        )
        try:
            await asyncio.wait_for(test(texts, worker), timeout=20)
        finally:
            worker.go.release(100)
            texts.close()

    asyncio.run(body())
    return worker


def test_one_alone_does_not_wait() -> None:
    async def test(texts: MicroBatches[int, int], worker: Worker) -> None:
        worker.go.release()
        assert await texts.submit([1]) == [2]

    assert run(test).batches == [[1]]


def test_those_on_their_way_are_waited_for() -> None:
    async def test(texts: MicroBatches[int, int], worker: Worker) -> None:
        worker.go.release()
        with texts.arrival() as first_is_here, texts.arrival() as second_is_here:
            first = texts.submit([1])
            first_is_here()
            assert not worker.batches
            second = texts.submit([2])
            second_is_here()
            assert [await first, await second] == [[2], [4]]

    assert run(test).batches == [[1, 2]]


def test_one_that_never_submits_is_no_longer_waited_for() -> None:
    async def test(texts: MicroBatches[int, int], worker: Worker) -> None:
        worker.go.release()
        with texts.arrival():
            with texts.arrival() as here:
                waiting = texts.submit([1])
                here()
            assert not worker.batches
        assert await waiting == [2]

    assert run(test).batches == [[1]]


def test_the_wait_is_bounded() -> None:
    async def test(texts: MicroBatches[int, int], worker: Worker) -> None:
        worker.go.release()
        with texts.arrival():
            assert await texts.submit([1]) == [2]

    assert run(test, wait=0.01).batches == [[1]]


def test_what_comes_while_a_worker_works_goes_next_together_and_bounded() -> None:
    async def test(texts: MicroBatches[int, int], worker: Worker) -> None:
        first = texts.submit([0])
        later = [texts.submit([number]) for number in range(1, 8)]
        assert texts.waiting == 7
        worker.go.release(3)
        assert await first == [0]
        assert [await each for each in later] == [[2 * number] for number in range(1, 8)]
        assert texts.waiting == 0

    assert run(test).batches == [[0], [1, 2, 3, 4], [5, 6, 7]]


def test_a_caller_with_more_than_a_batch_gets_all_in_order() -> None:
    async def test(texts: MicroBatches[int, int], worker: Worker) -> None:
        worker.go.release(3)
        assert await texts.submit(list(range(10))) == [2 * number for number in range(10)]

    assert [len(batch) for batch in run(test).batches] == [4, 4, 2]


def test_an_error_reaches_those_of_its_batch_alone() -> None:
    async def test(texts: MicroBatches[int, int], worker: Worker) -> None:
        first, second = texts.submit([0]), texts.submit([13])
        with pytest.raises(ValueError, match="unlucky"):
            worker.go.release(2)
            await second
        assert await first == [0]
        worker.go.release()
        assert await texts.submit([3]) == [6]

    run(test)


def test_a_client_that_has_gone_is_not_scored() -> None:
    async def test(texts: MicroBatches[int, int], worker: Worker) -> None:
        first, gone, last = (texts.submit([number]) for number in (0, 1, 2))
        assert isinstance(gone, asyncio.Future)
        gone.cancel()
        worker.go.release(2)
        assert [await first, await last] == [[0], [4]]
        assert texts.waiting == 0

    assert run(test).batches == [[0], [2]]


def test_workers_work_side_by_side() -> None:
    async def test(texts: MicroBatches[int, int], worker: Worker) -> None:
        waiting = [texts.submit([number]) for number in range(2)]
        while len(worker.batches) < 2:
            await asyncio.sleep(0.001)
        worker.go.release(2)
        assert [await each for each in waiting] == [[0], [2]]

    run(test, workers=2)
