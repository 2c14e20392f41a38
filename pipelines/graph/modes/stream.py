"""A stream of its runner's: hours fill over time, and the runner keeps what they need as state."""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam

from mltox.detection.monitor import MonitorSettings
from mltox.posts.records import Post
from pipelines.graph.modes.mode import Admitted
from pipelines.graph.settings import Settings
from pipelines.progress import UNHEARD, RowProgress
from pipelines.transforms.aggregate import AggregateHours, RolledUp
from pipelines.transforms.deduplicate import Candidate, FirstOfEach
from pipelines.transforms.detect import DetectAsTimePasses
from pipelines.transforms.parse import DEAD, POSTS_TAG
from pipelines.transforms.score import Score
from pipelines.transforms.too_late import SetLateApart
from pipelines.transforms.window import IntoPanes, Panes


@dataclass(frozen=True)
class Stream:
    """`panes`: when an hour is written. `batch_wait`: for how long a post may wait for others to be
    scored with, in seconds."""

    panes: Panes = Panes()  # noqa: RUF009 - frozen
    batch_wait: float = 0.0
    progress: RowProgress = UNHEARD

    def admit(self, posts: beam.PCollection[Post]) -> Admitted:
        """Of posts whose hour has closed Beam itself would say nothing."""
        in_time = posts | "LetGoTooLate" >> SetLateApart(self.panes.lateness)
        return Admitted(in_time[POSTS_TAG], (in_time[DEAD],))

    @property
    def into_hours(self) -> IntoPanes:
        return IntoPanes(self.panes)

    def stored(self) -> tuple[beam.PCollection[Candidate], ...]:
        return ()

    def score(self, settings: Settings) -> Score:
        return Score(settings.model(self.batch_wait))

    @property
    def deduplicate(self) -> FirstOfEach:
        return FirstOfEach()

    def roll_up(self, threshold: float) -> AggregateHours:
        return AggregateHours(threshold)

    def to_be_judged(self, hours: beam.PCollection[RolledUp]) -> beam.PCollection[RolledUp]:
        return hours

    def detect(self, settings: MonitorSettings) -> DetectAsTimePasses:
        return DetectAsTimePasses(settings)
