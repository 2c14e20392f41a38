"""How far a run is, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

LINE_SECONDS = 10.0
"""Between two lines on how far a run is, where nobody watches a bar: in a log, in a notebook."""


@contextmanager
def progress_bar(
    total: int, what: str, unit: str, *, shown: bool = True
) -> Iterator[Callable[[int], object]]:
    """Shows on standard error how far a run is, and yields what is to be called with each step.

    A bar on a terminal, else a line every ten seconds; units as in `1,234 of 5,678 B`.
    """
    if not shown:
        yield lambda step: None
    elif sys.stderr.isatty():
        with tqdm(total=total, desc=what, unit=unit, unit_scale=True) as bar:
            yield bar.update
    else:
        yield _Lines(total, what, unit).advance


class _Lines:
    def __init__(self, total: int, what: str, unit: str) -> None:
        self._total, self._what, self._unit = total, what, unit
        self._done = 0
        self._next = time.monotonic() + LINE_SECONDS

    def advance(self, step: int) -> None:
        self._done += step
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LINE_SECONDS
            share = 100 * self._done // max(self._total, 1)
            done = f"{self._done:,} of {self._total:,} {self._unit}"
            print(f"{self._what}: {share} % ({done})", file=sys.stderr, flush=True)
