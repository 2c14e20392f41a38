"""The means that the graph asks of a mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import apache_beam as beam

from mltox.detection.monitor import MonitorSettings
from mltox.posts.records import DeadLetter, Post
from pipelines.graph.settings import Settings
from pipelines.progress import RowProgress
from pipelines.transforms.aggregate import RolledUp
from pipelines.transforms.deduplicate import Candidate


@dataclass(frozen=True)
class Admitted:
    """The posts that go on, and the letters of those that are refused, if any can be."""

    posts: beam.PCollection[Post]
    refused: tuple[beam.PCollection[DeadLetter], ...] = ()


class Mode(Protocol):
    """Transforms of one label and signature, so that the graph reads the same in every mode."""

    @property
    def progress(self) -> RowProgress:
        """Hears of each message that is done."""
        ...

    def admit(self, posts: beam.PCollection[Post]) -> Admitted:
        """Which of the parsed posts go on."""
        ...

    @property
    def into_hours(self) -> beam.PTransform[Post, Post]:
        """Comes before scoring: batching in the global window would move event time."""
        ...

    def score(self, settings: Settings) -> beam.PTransform[Post, object]:
        """Posts -> scored posts, scores of texts, dead letters."""
        ...

    def stored(self) -> tuple[beam.PCollection[Candidate], ...]:
        """Posts of before that count in their hour again."""
        ...

    @property
    def deduplicate(self) -> beam.PTransform[Candidate, Candidate]: ...

    def roll_up(self, threshold: float) -> beam.PTransform[Candidate, RolledUp]: ...

    def to_be_judged(self, hours: beam.PCollection[RolledUp]) -> beam.PCollection[RolledUp]:
        """The hours that are shown to the detectors."""
        ...

    def detect(self, settings: MonitorSettings) -> beam.PTransform[RolledUp, object]: ...
