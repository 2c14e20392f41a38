"""Calls of several threads made into one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class _Batch(Generic[Item, Result]):
    items: list[Item] = field(default_factory=list)
    full: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    results: Sequence[Result] = ()
    error: BaseException | None = None


class Gather(Generic[Item, Result]):
    """Who comes first waits up to `seconds` for the items of others, or until there are `at_most`,
    then works for all of them; the others wait for that.

        bundle A   |--3 posts--|............wait............|--scores 10--|
        bundle B         |--7 posts--|.....................................|

    An error of the work is raised in every call whose items were in it.
    """

    def __init__(self, at_most: int, seconds: float) -> None:
        self._at_most = at_most
        self._seconds = seconds
        self._open: _Batch[Item, Result] | None = None
        self._lock = threading.Lock()

    def __call__(
        self, items: Sequence[Item], work: Callable[[Sequence[Item]], Sequence[Result]]
    ) -> Sequence[Result]:
        """The results of `items`, in their order. `work` gives a result for each item."""
        if not self._seconds:
            return work(items)
        batch, start, leads = self._join(items)
        if leads:
            batch.full.wait(self._seconds)
            self._lead(batch, work)
        batch.done.wait()
        if batch.error is not None:
            raise batch.error
        return batch.results[start : start + len(items)]

    def _join(self, items: Sequence[Item]) -> tuple[_Batch[Item, Result], int, bool]:
        """The batch that the items are in, where in it they begin, and whether they are the first
        there."""
        with self._lock:
            batch = self._open or _Batch()
            start, leads = len(batch.items), self._open is None
            batch.items.extend(items)
            full = len(batch.items) >= self._at_most
            self._open = None if full else batch
        if full:
            batch.full.set()
        return batch, start, leads

    def _lead(
        self, batch: _Batch[Item, Result], work: Callable[[Sequence[Item]], Sequence[Result]]
    ) -> None:
        with self._lock:
            if self._open is batch:
                self._open = None
        try:
            batch.results = work(batch.items)
        except BaseException as error:
            batch.error = error
        finally:
            batch.done.set()
