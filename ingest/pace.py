"""The pace of a replay: rows come when their posts were written, or so much faster."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope
from mltox.posts.formats import decode
from mltox.posts.records import SECOND, Micros

T = TypeVar("T")

TICK = 0.25
"""Seconds between two looks at the clock."""
ROWS_AT_ONCE = 5_000
"""Rows at once, so that whoever sends them can be stopped."""


class Stamps:
    """When each row of a file came: at the stamp of its post, but never before the row above it.

    A row without a usable post came with the one above it; 0 if there is none above. `now` is the
    clock for stamps that lie in the future, which are not usable.
    """

    def __init__(self, now: Micros) -> None:
        # Only stamps are read here; the pseudonyms that this key makes go nowhere.
        self._authors = AuthorKeys(b"no pseudonym leaves here")
        self._now = now
        self._last: Micros = 0

    def of(self, payload: bytes) -> Micros:
        for item in decode(payload, authors=self._authors, now=self._now):
            if isinstance(item, Envelope):
                self._last = max(self._last, item.created_at)
        return self._last


def paced(
    rows: Iterable[tuple[Micros, T]], speed: float, stopping: threading.Event
) -> Iterator[list[T]]:
    """Yields what is due since the last time, at every tick; the first row with a stamp is due at
    once. `speed` is event time by wall clock."""
    remaining = iter(rows)
    pending = next(remaining, None)
    origin: Micros = 0
    began = time.monotonic()
    while pending is not None and not stopping.wait(TICK):
        due: list[T] = []
        reached = origin + (time.monotonic() - began) * speed * SECOND
        while pending is not None and len(due) < ROWS_AT_ONCE:
            at, row = pending
            if not origin and at:
                origin, began, reached = at, time.monotonic(), at
            if at > reached:
                break
            due.append(row)
            pending = next(remaining, None)
        yield due
