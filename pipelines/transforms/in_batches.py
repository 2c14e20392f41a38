"""Elements of a bundle taken some at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue


class InBatches(beam.DoFn):
    """Holds elements until there are `most` or the bundle ends. Each keeps the timestamp and window
    it came with: a batch that spans hours moves none of them. (BatchElements would cut the batches
    at every hour of a quiet topic.)

    And no bundle ends before its elements are worked on: the watermark cannot pass one that waits,
    as it could one that waits in state between two bundles.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: list[WindowedValue] = []

    def start_bundle(self) -> None:
        self._held = []

    def process(
        self,
        element: Any,
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[WindowedValue | TaggedOutput]:
        self._held.append(WindowedValue(element, timestamp, (window,)))
        if len(self._held) >= self._most:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue | TaggedOutput]:
        yield from self._flush()

    def _flush(self) -> Iterator[WindowedValue | TaggedOutput]:
        if self._held:
            held, self._held = self._held, []
            yield from self.work(held)

    def work(self, held: Sequence[WindowedValue]) -> Iterator[WindowedValue | TaggedOutput]:
        """What becomes of a batch, of one element at least."""
        raise NotImplementedError
