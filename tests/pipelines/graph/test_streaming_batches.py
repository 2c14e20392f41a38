"""Batches that wait for other bundles move no post, in the whole graph."""

from __future__ import annotations

import random

from apache_beam.testing.test_stream import TestStream
from apache_beam.testing.util import assert_that

from pipelines.graph import Tables
from tests.pipelines.streams import HOUR, T0, hours_are, message, run


def test_posts_that_wait_for_others_stay_in_their_hours() -> None:
    """Bundles of mixed hours, and a watermark that passes hours between them."""
    generator = random.Random(4)
    moments = [generator.uniform(0, 4 * HOUR) for _ in range(40)]
    moments += [HOUR - 1e-6, HOUR, 2 * HOUR - 1e-6]  # the edges of hours
    posts = [message(str(number), moment) for number, moment in enumerate(moments)]
    stream = TestStream().advance_watermark_to(T0 - HOUR)
    for number, start in enumerate(range(0, len(posts), 6)):
        stream.add_elements(posts[start : start + 6]).advance_processing_time(61)
        stream.advance_watermark_to(T0 + number * HOUR // 2)
    stream.advance_watermark_to_infinity()
    truth: dict[int, int] = {}
    for moment in moments:
        truth[int(moment // HOUR)] = truth.get(int(moment // HOUR), 0) + 1

    def check(tables: Tables) -> None:
        assert_that(tables.hourly_toxicity, hours_are(truth))

    run(stream, check, batch_wait=0.05)
