"""How a run in this process shows how far it is."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.held import Held

RowProgress = Callable[[int], object]
"""Hears how many more rows are done. A stage is pickled with it."""


def nobody(rows: int) -> None:
    """On remote workers nobody listens."""


UNHEARD: RowProgress = nobody


class BarProgress:
    """Tells a listener of this process, such as the bar of a terminal."""

    def __init__(self, listener: RowProgress) -> None:
        self._held = Held(_Listener(listener))

    def __call__(self, rows: int) -> None:
        self._held.value.advance(rows)


class _Listener:
    def __init__(self, advance: RowProgress) -> None:
        self.advance = advance
