"""Scored posts of an hour, rolled up per topic and model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.utils.windowed_value import PaneInfoTiming

from mltox.base.clock import now_micros
from mltox.posts.records import HourSummary
from pipelines.transforms.deduplicate import Candidate
from pipelines.transforms.hour_accumulator import HourAccumulator
from pipelines.transforms.metrics import counter
from pipelines.transforms.state import AccumulatorCoder


class RolledUp(NamedTuple):
    """A rolled-up hour, and whether a post of this run is in it (else it only gives context)."""

    summary: HourSummary
    fresh: bool


Keyed = tuple[tuple[str, str], Candidate | None]
"""Topic and model, and a post; None says that the hour is to be written again as it is."""


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
    """Names the window. Panes of one hour count up from revision 1."""

    def __init__(self) -> None:
        self._hours = counter("hours")

    def process(
        self,
        element: tuple[tuple[str, str], HourAccumulator],
        window: Any = beam.DoFn.WindowParam,
        pane: Any = beam.DoFn.PaneInfoParam,
    ) -> Iterator[RolledUp]:
        (topic, model), accumulator = element
        self._hours.inc()
        summary = accumulator.summary(
            topic,
            window.start.micros,
            model,
            revision=pane.index + 1,
            is_final=pane.timing != PaneInfoTiming.EARLY,
            updated_at=now_micros(),
        )
        yield RolledUp(summary, fresh=accumulator.fresh > 0)


def keyed_by_model(candidate: Candidate) -> Keyed:
    return (candidate.post.topic, candidate.post.model), candidate


def by_topic(posts: beam.PCollection[Candidate]) -> beam.PCollection[Keyed]:
    return posts | "KeyByTopic" >> beam.Map(keyed_by_model).with_output_types(Keyed)


def rolled_up(
    keyed: beam.PCollection[Keyed], threshold: float, to_hour: beam.DoFn
) -> beam.PCollection[RolledUp]:
    return (
        keyed
        | "Combine" >> beam.CombinePerKey(CombineHour(threshold))
        | "ToHour" >> beam.ParDo(to_hour).with_output_types(RolledUp)
    )


@dataclass(eq=False)
class AggregateHours(beam.PTransform):
    """PCollection[Candidate] in hours -> PCollection[RolledUp], one a topic, hour and model."""

    threshold: float

    def expand(self, posts: beam.PCollection[Candidate]) -> beam.PCollection[RolledUp]:
        return rolled_up(by_topic(posts), self.threshold, ToHour())
