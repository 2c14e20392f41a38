"""Hours of a turn, added to what earlier turns made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from mltox.base.clock import now_micros
from pipelines.held import Held
from pipelines.transforms.aggregate import Keyed, RolledUp, by_topic, rolled_up
from pipelines.transforms.deduplicate import Candidate
from pipelines.transforms.hour_accumulator import HourAccumulator
from pipelines.transforms.metrics import counter
from pipelines.transforms.turn_state import HourKey, TurnState


def added_up(before: HourAccumulator | None, now: HourAccumulator) -> HourAccumulator:
    """The hour as it is written next; neither of the two is changed."""
    total = HourAccumulator(now.threshold)
    if before is not None:
        total.merge(before)
    total.merge(now)
    total.fresh = 0
    total.revision += 1
    return total


class AddUp(beam.DoFn):
    """The state says what the hour was before, and whether more may come."""

    def __init__(self, state: Held[TurnState]) -> None:
        self._state = state
        self._hours = counter("hours")

    def process(
        self,
        element: tuple[tuple[str, str], HourAccumulator],
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[RolledUp]:
        (topic, model), accumulator = element
        state, key = self._state.value, HourKey(topic, window.start.micros, model)
        total = added_up(state.before(key), accumulator)
        state.keep(key, total)
        self._hours.inc()
        summary = total.summary(
            topic,
            key.hour,
            model,
            revision=total.revision,
            is_final=state.is_final(key.hour),
            updated_at=now_micros(),
        )
        yield RolledUp(summary, fresh=accumulator.fresh > 0)


@dataclass(eq=False)
class AddUpHours(beam.PTransform):
    """PCollection[Candidate] in hours -> PCollection[RolledUp], one a topic, hour and model.

    `due` are hours without a new post that are to be written again, as they are.
    """

    threshold: float
    state: Held[TurnState]
    due: beam.PCollection[HourKey]

    def expand(self, posts: beam.PCollection[Candidate]) -> beam.PCollection[RolledUp]:
        due = self.due | "KeyDue" >> beam.Map(
            lambda key: ((key.topic, key.model), None)
        ).with_output_types(Keyed)
        keyed = (by_topic(posts), due) | "WithDue" >> beam.Flatten()
        return rolled_up(keyed, self.threshold, AddUp(self.state))
