"""Texts of concurrent requests, scored together.

A free worker takes what waits at once when no other request is on its way; otherwise it waits for
those, at most `wait` seconds. While all workers score, texts gather by themselves.

    request A  |--arrives--|submit........|         |
    request B     |--arrives-----|submit..|  score  |
    request C                       |--arrives--|submit...| the next batch

The order of texts has no influence on a score (the scorer's promise), so batches may be any.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(eq=False)
class _Waiting(Generic[Item, Result]):
    items: Sequence[Item]
    since: float
    done: asyncio.Future[list[Result]]
    results: list[Result] = field(default_factory=list)
    taken: int = 0


class MicroBatches(Generic[Item, Result]):
    """Calls `work(items)` in `workers` threads with the items of many callers: as many at a time as
    weigh `at_most`, but always one. All other methods belong to one event loop.

    `observe(size)` is told of each batch.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        wait: float,
        at_most: int,
        workers: int = 1,
        weigh: Callable[[Item], int] = lambda item: 1,
        observe: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._work = work
        self._wait = wait
        self._at_most = at_most
        self._observe = observe
        self._weigh = weigh
        self._free = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="score")
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.waiting = 0
        """Items that no worker has yet."""
        self.arriving = 0
        """Requests that may yet submit something."""

    @contextmanager
    def arrival(self) -> Iterator[Callable[[], None]]:
        """Around the reading of a request; call what it yields when the request has been read."""
        self.arriving += 1
        counted = True

        def arrived() -> None:
            nonlocal counted
            if counted:
                counted = False
                self.arriving -= 1
                if not self.arriving:
                    self._pump()

        try:
            yield arrived
        finally:
            arrived()

    def submit(self, items: Sequence[Item]) -> Awaitable[list[Result]]:
        """The result of each item, in order, or what `work` raises."""
        loop = asyncio.get_running_loop()
        entry: _Waiting[Item, Result] = _Waiting(items, loop.time(), loop.create_future())
        self._queue.append(entry)
        self.waiting += len(items)
        self._pump()
        return entry.done

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    def _pump(self) -> None:
        """Hands out batches while there are free workers and no reason to wait."""
        loop = asyncio.get_running_loop()
        while self._free and self._queue:
            left = self._queue[0].since + self._wait - loop.time()
            if self.arriving and left > 0 and self.waiting < self._at_most:
                if self._timer is None:
                    self._timer = loop.call_later(left, self._on_time)
                return
            self._hand_out(loop)

    def _on_time(self) -> None:
        self._timer = None
        self._pump()

    def _hand_out(self, loop: asyncio.AbstractEventLoop) -> None:
        batch: list[Item] = []
        owners: list[tuple[_Waiting[Item, Result], int]] = []
        weight = 0
        while self._queue and weight < self._at_most:
            entry = self._queue[0]
            if entry.done.done():  # its client has gone
                self.waiting -= len(entry.items) - entry.taken
                self._queue.popleft()
                continue
            first = entry.taken
            while entry.taken < len(entry.items):
                more = self._weigh(entry.items[entry.taken])
                if batch and weight + more > self._at_most:
                    break
                batch.append(entry.items[entry.taken])
                entry.taken += 1
                weight += more
            if entry.taken > first:
                owners.append((entry, entry.taken - first))
            if entry.taken < len(entry.items):
                break
            self._queue.popleft()
        self.waiting -= len(batch)
        if not batch:
            return
        self._free -= 1
        self._observe(len(batch))
        future = loop.run_in_executor(self._threads, self._work, batch)
        future.add_done_callback(lambda done: self._deliver(owners, done))

    def _deliver(
        self,
        owners: Sequence[tuple[_Waiting[Item, Result], int]],
        done: asyncio.Future[Sequence[Result]],
    ) -> None:
        self._free += 1
        error = None if done.cancelled() else done.exception()
        start = 0
        for entry, count in owners:
            if entry.done.done():
                pass
            elif error is not None or done.cancelled():
                entry.done.set_exception(error or asyncio.CancelledError())
            else:
                entry.results.extend(done.result()[start : start + count])
                if len(entry.results) == len(entry.items):
                    entry.done.set_result(entry.results)
            start += count
        if self._queue:
            self._pump()
