"""Fixed hourly windows in event time."""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam
from apache_beam.transforms.trigger import (
    AccumulationMode,
    AfterCount,
    AfterProcessingTime,
    AfterWatermark,
)
from apache_beam.transforms.window import FixedWindows

from mltox.posts.records import HOUR, SECOND, Micros, Post

WINDOW_SECONDS = HOUR // SECOND
IN_TRANSIT = 3600
"""Seconds that an hour stays open after its lateness, for posts that were judged to be in time and
are still on their way: the watermark does not wait for a late post."""


def hour_of(moment: Micros) -> Micros:
    """The start of the hour that holds the moment."""
    return moment - moment % HOUR


@dataclass(frozen=True)
class Panes:
    """When an hour of a live stream is written. Units: seconds.

    Every `early` seconds while it fills, once when the watermark has passed its end, and again for
    each late post that comes at most `lateness` after that. Each pane holds all posts so far. Later
    posts are let go before they reach the hour, see `too_late`.
    """

    early: int = 60
    lateness: int = 24 * 3600


class IntoHours(beam.PTransform):
    """Puts each element of a bounded input into the hour of its timestamp: one pane an hour."""

    def expand(self, posts: beam.PCollection[Post]) -> beam.PCollection[Post]:
        return posts | "FixedWindows" >> beam.WindowInto(FixedWindows(WINDOW_SECONDS))


@dataclass(eq=False)
class IntoPanes(beam.PTransform):
    """Puts each element of a stream into the hour of its timestamp, written pane by pane."""

    panes: Panes = Panes()

    def expand(self, posts: beam.PCollection[Post]) -> beam.PCollection[Post]:
        return posts | "FixedWindows" >> beam.WindowInto(
            FixedWindows(WINDOW_SECONDS),
            trigger=AfterWatermark(early=AfterProcessingTime(self.panes.early), late=AfterCount(1)),
            accumulation_mode=AccumulationMode.ACCUMULATING,
            allowed_lateness=self.panes.lateness + IN_TRANSIT,
        )
