"""What a local live run carries from one small bounded run to the next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from mltox.detection.monitor import TopicMonitor
from mltox.posts.records import Micros
from pipelines.held import Held
from pipelines.transforms.aggregate import RolledUp
from pipelines.transforms.hour_accumulator import HourAccumulator


class HourKey(NamedTuple):
    """A row of `hourly_toxicity`."""

    topic: str
    hour: Micros
    model: str


class TurnState(Protocol):
    """The memory that a streaming runner would keep as state.

    A bounded run over a handful of messages asks it for what came before, and leaves in it what it
    found. The driver makes that permanent together with the tables, or forgets it.
    """

    def known(self, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of the keys (topic, post id) that are in the tables already."""
        ...

    def far_out(self, topic: str, stamps: Sequence[Micros]) -> list[bool]:
        """Of each post of a topic, by its created_at, whether it lies far outside the topic's own
        time."""
        ...

    def before(self, key: HourKey) -> HourAccumulator | None:
        """The hour as the tables have it. Not to be changed."""
        ...

    def keep(self, key: HourKey, hour: HourAccumulator) -> None:
        """The hour as it is now."""
        ...

    def is_final(self, hour: Micros) -> bool:
        """Whether the watermark has passed the hour's end."""
        ...

    def is_due(self, topic: str, hour: Micros) -> bool:
        """Whether the hour is to be shown to the topic's monitor in this run."""
        ...

    def monitor(self, topic: str) -> TopicMonitor | None:
        """The topic's monitor after its last hour; the run may show it more."""
        ...


def is_due(hour: RolledUp, state: Held[TurnState]) -> bool:
    return state.value.is_due(hour.summary.row.topic, hour.summary.row.hour)


@dataclass(frozen=True)
class MonitorsOf:
    """Topic -> the monitor that the state has of it."""

    state: Held[TurnState]

    def __call__(self, topic: str) -> TopicMonitor | None:
        return self.state.value.monitor(topic)
