"""One of the many small bounded runs that together are a live run on one machine."""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam

from mltox.detection.monitor import MonitorSettings
from mltox.posts.records import Post
from pipelines.graph.modes.mode import Admitted
from pipelines.graph.settings import Settings
from pipelines.held import Held
from pipelines.progress import UNHEARD, RowProgress
from pipelines.transforms.add_up import AddUpHours
from pipelines.transforms.aggregate import RolledUp
from pipelines.transforms.deduplicate import BestOfEach, Candidate
from pipelines.transforms.detect import DetectInOrder
from pipelines.transforms.drop_known import DropKnown
from pipelines.transforms.parse import DEAD, POSTS_TAG
from pipelines.transforms.score import Score
from pipelines.transforms.turn_state import HourKey, MonitorsOf, TurnState, is_due
from pipelines.transforms.window import IntoHours


@dataclass(frozen=True)
class Turn:
    """Posts that the `state` knows are duplicates, hours are added to what they were before, and
    are judged when they are `due`."""

    state: Held[TurnState]
    due: beam.PCollection[HourKey]
    batch_wait: float = 0.0
    progress: RowProgress = UNHEARD

    def admit(self, posts: beam.PCollection[Post]) -> Admitted:
        split = posts | "DropKnown" >> DropKnown(self.state)
        return Admitted(split[POSTS_TAG], (split[DEAD],))

    @property
    def into_hours(self) -> IntoHours:
        return IntoHours()

    def stored(self) -> tuple[beam.PCollection[Candidate], ...]:
        return ()

    def score(self, settings: Settings) -> Score:
        return Score(settings.model(self.batch_wait))

    @property
    def deduplicate(self) -> BestOfEach:
        return BestOfEach()

    def roll_up(self, threshold: float) -> AddUpHours:
        return AddUpHours(threshold, self.state, self.due)

    def to_be_judged(self, hours: beam.PCollection[RolledUp]) -> beam.PCollection[RolledUp]:
        return hours | "DueHours" >> beam.Filter(is_due, self.state)

    def detect(self, settings: MonitorSettings) -> DetectInOrder:
        return DetectInOrder(MonitorsOf(self.state), settings)
