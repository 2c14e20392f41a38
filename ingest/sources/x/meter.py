"""Counts reads against the budget, some hundreds at a time: the count may lie in the cloud, where a
value can be written about once a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

from ingest.sources.handover import Handover, Stopped, batches_of
from ingest.sources.source import Batch
from ingest.sources.x.budget import Budget, ReservedReads

RESERVED_READS = 500
"""Reads that are reserved at once. A run that is killed leaves as many counted, at most."""


class Meter:
    """What is taken is counted until it is given back, so that a request that is given up counts.

    `take` and `count` raise Stopped once it is closed. X pushes what a stream brings: what is on
    its way when the budget ends, X charges although nobody reads it.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._grant: ReservedReads | None = None
        self._used = 0
        self._closed = False

    def take(self, most: int, least: int) -> int:
        """Returns how many reads a request may make; raises BudgetSpent where fewer than `least`
        are left."""
        with self._lock:
            self._renew(least)
            taken = min(most, self._left())
            self._used += taken
            return taken

    def give_back(self, reads: int) -> None:
        """They were taken and not made."""
        with self._lock:
            if not self._closed:
                self._used -= reads

    def count(self, reads: int) -> None:
        """Counts what came unasked; raises BudgetSpent when no more may come."""
        with self._lock:
            self._renew(1)
            self._used += reads
            self._renew(1)

    def rest(self) -> None:
        """Gives what is left back to the budget, until somebody takes again."""
        with self._lock:
            self._settle()

    def close(self) -> None:
        """Gives what is left back to the budget, for good."""
        with self._lock:
            self._closed = True
            self._settle()

    def _renew(self, least: int) -> None:
        if self._closed:
            raise Stopped
        if self._left() < least:
            self._settle()
            self._grant = self._budget.reserve(max(RESERVED_READS, least), least)

    def _left(self) -> int:
        return 0 if self._grant is None else self._grant.reads - self._used

    def _settle(self) -> None:
        grant, used = self._grant, self._used
        self._grant, self._used = None, 0
        if grant is not None:
            self._budget.settle(grant, used)


def metered(
    work: Callable[[Meter, Handover], None], budget: Budget, stopping: threading.Event
) -> Iterator[Batch]:
    """The batches of `work`, whose reads are counted. Closed here: a thread that is stopped is
    not waited for."""
    meter = Meter(budget)
    try:
        yield from batches_of(partial(work, meter), stopping)
    finally:
        meter.close()
