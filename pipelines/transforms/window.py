"""Fixed hourly windows in event time."""

from __future__ import annotations

import apache_beam as beam
from apache_beam.transforms.window import FixedWindows

from pipelines.records import HOUR, SECOND, Micros, Post

WINDOW_SECONDS = HOUR // SECOND


def hour_of(moment: Micros) -> Micros:
    """The start of the hour that holds the moment."""
    return moment - moment % HOUR


class IntoHours(beam.PTransform):
    """Puts each element into the hour of its timestamp. Comes before scoring, since batching in the
    global window would move event time."""

    def expand(self, posts: beam.PCollection[Post]) -> beam.PCollection[Post]:
        return posts | "FixedWindows" >> beam.WindowInto(FixedWindows(WINDOW_SECONDS))
