"""The newest page of a warehouse that changes: made when asked for, and only when it has to be."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import NamedTuple

from dashboards.errors import DashboardError
from dashboards.page import LivePage
from mltox.base.clock import now_micros
from mltox.posts.records import Micros
from mltox.warehouse import WarehouseError

log = logging.getLogger(__name__)

LOOK_PAUSE = 1.0
"""Seconds between two looks at the warehouse, however many readers ask."""
REST = 4
"""Times as long as a page took to make, nothing is made again: readers must not slow a live run."""


class LastPage(NamedTuple):
    """What readers get: the last page that could be made, when, and why there is no newer one."""

    page: LivePage | None = None
    updated: Micros | None = None
    problem: str | None = None


class NewestPage:
    """Makes a page with `render(now)` where `stamp()` has changed since the last one was begun.

    `stamp` is taken before the page is made, so that what changes meanwhile brings another page.
    Any thread may ask. An error is a problem that readers see, never one of the caller.
    """

    def __init__(self, render: Callable[[Micros], LivePage], stamp: Callable[[], Hashable]) -> None:
        self._render = render
        self._stamp = stamp
        self._lock = threading.Lock()
        self._shown = LastPage()
        self._seen: Hashable = object()
        self._next_look = 0.0

    def look(self) -> LastPage:
        # Who asks while a newer page is made gets the older one at once.
        if self._lock.acquire(blocking=self._shown.page is None):
            try:
                if time.monotonic() >= self._next_look:
                    self._look()
            finally:
                self._lock.release()
        return self._shown

    def _look(self) -> None:
        began = time.monotonic()
        # The hour beside it: where nothing comes any more, that is news as well.
        stamp = (self._stamp(), time.time() // 3600)
        if stamp != self._seen or self._shown.problem:
            now: Micros = now_micros()
            try:
                self._shown = LastPage(self._render(now), now)
                self._seen = stamp
            except (DashboardError, WarehouseError) as error:
                self._shown = self._shown._replace(problem=str(error))
            except Exception:
                log.exception("the page could not be made")
                problem = "the page could not be made, the log of the server says why"
                self._shown = self._shown._replace(problem=problem)
        ended = time.monotonic()
        self._next_look = ended + max(LOOK_PAUSE, REST * (ended - began))


def file_stamp(path: Path) -> Hashable:
    """Another value once somebody has written to a DuckDB file; commits go to the log beside it."""
    return tuple(_stat(each) for each in (path, path.with_name(path.name + ".wal")))


def _stat(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
