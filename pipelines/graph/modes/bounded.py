"""A bounded input: all posts of an hour come in one run, in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import apache_beam as beam

from mltox.detection.monitor import MonitorSettings, TopicMonitor
from mltox.posts.records import Post, ScoredPost
from pipelines.graph.modes.mode import Admitted
from pipelines.graph.settings import Settings
from pipelines.progress import UNHEARD, RowProgress
from pipelines.transforms.aggregate import AggregateHours, RolledUp
from pipelines.transforms.deduplicate import BestOfEach, Candidate
from pipelines.transforms.detect import DetectInOrder
from pipelines.transforms.known import Known
from pipelines.transforms.score_once import ScoreOnce
from pipelines.transforms.window import IntoHours


@dataclass(frozen=True)
class Bounded:
    """`stored_posts` are posts that the warehouse already holds of the same hours: they count in
    their hour again, so that an hour that arrives in two files ends as if it had come in one.
    `monitors` are the detectors' states at the start. `progress` hears of each message. `known`
    are scores of earlier runs. `spread`: posts are shared out among workers by their texts."""

    stored_posts: beam.PCollection[ScoredPost] | None = None
    monitors: Mapping[str, TopicMonitor] = field(default_factory=dict)
    progress: RowProgress = UNHEARD
    known: Known | None = None
    spread: bool = False

    @property
    def into_hours(self) -> IntoHours:
        return IntoHours()

    def score(self, settings: Settings) -> ScoreOnce:
        return ScoreOnce(settings.model(), self.known, self.spread)

    @property
    def deduplicate(self) -> BestOfEach:
        return BestOfEach()

    def admit(self, posts: beam.PCollection[Post]) -> Admitted:
        return Admitted(posts)

    def stored(self) -> tuple[beam.PCollection[Candidate], ...]:
        if self.stored_posts is None:
            return ()
        windowed = self.stored_posts | "WindowStored" >> IntoHours()
        return (windowed | "Stored" >> beam.Map(Candidate, fresh=False),)

    def roll_up(self, threshold: float) -> AggregateHours:
        return AggregateHours(threshold)

    def to_be_judged(self, hours: beam.PCollection[RolledUp]) -> beam.PCollection[RolledUp]:
        return hours

    def detect(self, settings: MonitorSettings) -> DetectInOrder:
        return DetectInOrder(self.monitors.get, settings)
