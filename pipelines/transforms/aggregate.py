"""Scored posts of an hour, rolled up per topic and model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.utils.windowed_value import PaneInfoTiming

from mltox.posts.records import HourSummary
from pipelines.transforms.deduplicate import Candidate
from pipelines.transforms.hour_accumulator import HourAccumulator
from pipelines.transforms.ledger import HourKey, Ledger
from pipelines.transforms.metrics import counter
from pipelines.transforms.parse import now_micros
from pipelines.transforms.state import AccumulatorCoder


class Hour(NamedTuple):
    """A rolled-up hour, and whether a post of this run is in it (else it only gives context)."""

    summary: HourSummary
    fresh: bool


class CombineHour(beam.CombineFn):
    """HourAccumulator as a CombineFn, so that runners can add up before they shuffle."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold

    def get_accumulator_coder(self) -> AccumulatorCoder:
        return AccumulatorCoder()

    def create_accumulator(self) -> HourAccumulator:
        return HourAccumulator(self._threshold)

    def add_input(
        self, accumulator: HourAccumulator, candidate: Candidate | None
    ) -> HourAccumulator:
        if candidate is None or candidate.superseded:
            accumulator.touch()
        else:
            accumulator.add(candidate.post, fresh=candidate.fresh)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[HourAccumulator]) -> HourAccumulator:
        merged = HourAccumulator(self._threshold)
        for accumulator in accumulators:
            merged.merge(accumulator)
        return merged

    def extract_output(self, accumulator: HourAccumulator) -> HourAccumulator:
        return accumulator


class ToHour(beam.DoFn):
    """Names the window. Panes of one hour count up from revision 1.

    With a ledger the pane is one of many small runs: the hour as it was before is added to it, and
    the ledger says whether more may come.
    """

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger
        self._hours = counter("hours")

    def process(
        self,
        element: tuple[tuple[str, str], HourAccumulator],
        window: Any = beam.DoFn.WindowParam,
        pane: Any = beam.DoFn.PaneInfoParam,
    ) -> Iterator[Hour]:
        (topic, model), accumulator = element
        key = HourKey(topic, window.start.micros, model)
        is_final = pane.timing != PaneInfoTiming.EARLY
        revision = pane.index + 1
        fresh = accumulator.fresh > 0
        if self._ledger is not None:
            accumulator = self._added_up(self._ledger, key, accumulator)
            is_final, revision = self._ledger.is_final(key.hour), accumulator.revision
        self._hours.inc()
        yield Hour(
            accumulator.summary(
                topic,
                key.hour,
                model,
                revision=revision,
                is_final=is_final,
                updated_at=now_micros(),
            ),
            fresh,
        )

    def _added_up(
        self, ledger: Ledger, key: HourKey, accumulator: HourAccumulator
    ) -> HourAccumulator:
        total = HourAccumulator(accumulator.threshold)
        if (before := ledger.before(key)) is not None:
            total.merge(before)
        total.merge(accumulator)
        total.fresh = 0
        total.revision += 1
        ledger.keep(key, total)
        return total


@dataclass(eq=False)
class AggregateHours(beam.PTransform):
    """PCollection[Candidate] in hours -> PCollection[Hour], one a topic, hour and model.

    `due` are hours without a new post that are to be written again, as they are.
    """

    threshold: float
    ledger: Ledger | None = None
    due: beam.PCollection[HourKey] | None = None

    def expand(self, posts: beam.PCollection[Candidate]) -> beam.PCollection[Hour]:
        keyed = posts | "KeyByTopic" >> beam.Map(
            lambda candidate: ((candidate.post.topic, candidate.post.model), candidate)
        ).with_output_types(tuple[tuple[str, str], Candidate | None])
        if self.due is not None:
            due = self.due | "KeyDue" >> beam.Map(
                lambda key: ((key.topic, key.model), None)
            ).with_output_types(tuple[tuple[str, str], Candidate | None])
            keyed = (keyed, due) | "WithDue" >> beam.Flatten()
        return (
            keyed
            | "Combine" >> beam.CombinePerKey(CombineHour(self.threshold))
            | "ToHour" >> beam.ParDo(ToHour(self.ledger)).with_output_types(Hour)
        )
