"""Posts whose hour has closed, as dead letters: Beam itself would drop them without a word."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.trigger import AccumulationMode, AfterCount, AfterWatermark
from apache_beam.transforms.window import FixedWindows, GlobalWindows, TimestampedValue
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import PaneInfoTiming

from mltox.base.clock import now_micros
from mltox.posts.letters import letter_id, payload_of
from mltox.posts.records import HOUR, SECOND, DeadLetter, Micros, Post
from pipelines.transforms.metrics import counter
from pipelines.transforms.parse import DEAD, POSTS_TAG
from pipelines.transforms.window import WINDOW_SECONDS, hour_of

STAGE, TOO_LATE = "window", "too_late"
RECENT, OLD = "recent", "old"
SHARDS = 16
AHEAD: Micros = HOUR
"""By so much the watermark may run ahead of the wall clock: stamps of the future push it."""
CENTURY = 100 * 366 * 24 * 3600
"""Seconds of lateness in which the judgement itself loses no post; parsing refuses older ones."""


def closes_at(created_at: Micros, lateness: int) -> Micros:
    """When the post's hour stops to take posts: `lateness` seconds after its end."""
    return hour_of(created_at) + HOUR + lateness * SECOND


def may_be_late(post: Post, lateness: int, now: Micros) -> bool:
    """Whether the watermark can have passed the close of the post's hour. It follows the clock, so
    that nearly every post of a live stream cannot be late, and is spared the judgement."""
    return closes_at(post.created_at, lateness) < now + AHEAD


def shard_of(post: Post) -> int:
    """The same on every worker, unlike Python's own hash."""
    return zlib.crc32(post.post_id.encode()) % SHARDS


def too_late_letter(post: Post, lateness: int, seen_at: Micros) -> DeadLetter:
    """The payload is the whole post as an envelope, so that a backfill can still take it."""
    closed = datetime.fromtimestamp(closes_at(post.created_at, lateness) // SECOND, UTC)
    return DeadLetter(
        letter_id=letter_id(STAGE, f"{post.topic}/{post.post_id}", 0),
        stage=STAGE,
        error_type=TOO_LATE,
        message=f"the post's hour stopped to take posts at {closed:%Y-%m-%d %H:%M} UTC",
        payload=payload_of(post),
        post_id=post.post_id,
        seen_at=seen_at,
    )


class SplitByClock(beam.DoFn):
    """Sends the few posts that may be late to be judged, at the time of their hour's close."""

    def __init__(self, lateness: int) -> None:
        self._lateness = lateness

    def process(self, post: Post) -> Iterator[Post | TaggedOutput]:
        if may_be_late(post, self._lateness, now_micros()):
            moment = Timestamp(micros=post.created_at + self._lateness * SECOND)
            yield TaggedOutput(OLD, TimestampedValue((shard_of(post), post), moment))
        else:
            yield post


class Judge(beam.DoFn):
    """A pane that is not early says that the watermark has passed the close. Counts `too_late`."""

    def __init__(self, lateness: int) -> None:
        self._lateness = lateness
        self._too_late = counter("too_late")
        self._dead = counter("dead_letters")

    def process(
        self, group: tuple[int, Iterable[Post]], pane: Any = beam.DoFn.PaneInfoParam
    ) -> Iterator[TimestampedValue | TaggedOutput]:
        for post in group[1]:
            if pane.timing == PaneInfoTiming.EARLY:
                yield TimestampedValue(post, Timestamp(micros=post.created_at))
                continue
            self._too_late.inc()
            self._dead.inc()
            yield TaggedOutput(DEAD, too_late_letter(post, self._lateness, now_micros()))


@dataclass(eq=False)
class SetLateApart(beam.PTransform):
    """PCollection[Post] in the global window -> `posts`: Post, `dead_letters`: DeadLetter.

    A DoFn cannot read the watermark, but a pane can tell: posts that may be late are moved ahead by
    the lateness, so that the window they then fall into ends when their hour closes. There each
    makes a pane at once, `early` while the watermark is before the close. These windows take posts
    for ever, and keep a few bytes for each hour of late posts.

    A post may reach its own hour a moment after it was judged, and the watermark moves meanwhile:
    hours are kept open longer than `lateness` for that, see `IntoPanes`.
    """

    lateness: int

    def expand(self, posts: beam.PCollection[Post]) -> dict[str, beam.PCollection]:
        split = posts | "SplitByClock" >> beam.ParDo(SplitByClock(self.lateness)).with_outputs(
            OLD, main=RECENT
        )
        split[RECENT].element_type, split[OLD].element_type = Post, tuple[int, Post]
        judged = (
            split[OLD]
            | "UntilClose"
            >> beam.WindowInto(
                FixedWindows(WINDOW_SECONDS, offset=self.lateness % WINDOW_SECONDS),
                trigger=AfterWatermark(early=AfterCount(1), late=AfterCount(1)),
                accumulation_mode=AccumulationMode.DISCARDING,
                allowed_lateness=CENTURY,
            )
            | "Panes" >> beam.GroupByKey()
            | "Judge" >> beam.ParDo(Judge(self.lateness)).with_outputs(DEAD, main=POSTS_TAG)
        )
        judged[POSTS_TAG].element_type, judged[DEAD].element_type = Post, DeadLetter
        cleared = judged[POSTS_TAG] | "BackToGlobal" >> beam.WindowInto(GlobalWindows())
        in_time = (split[RECENT], cleared) | "InTime" >> beam.Flatten()
        return {POSTS_TAG: in_time, DEAD: judged[DEAD]}
