"""One post a key (topic, post id) and hour, whatever was delivered twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BooleanCoder
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec
from apache_beam.transforms.window import GlobalWindows, TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from mltox.posts.records import ScoredPost
from pipelines.transforms.metrics import counter
from pipelines.transforms.window import IntoHours, hour_of

PostKey = tuple[str, str, int]


class Candidate(NamedTuple):
    """A scored post, and whether this run read it (or the warehouse held it already).

    One that is `superseded` counts nowhere. It only says that its hour under its model changed,
    since another model has scored the post anew.
    """

    post: ScoredPost
    fresh: bool
    superseded: bool = False


def key_of(candidate: Candidate) -> PostKey:
    post = candidate.post
    return post.topic, post.post_id, hour_of(post.created_at)


def keyed(candidate: Candidate) -> tuple[PostKey, Candidate]:
    return key_of(candidate), candidate


def winner(candidates: Iterable[Candidate]) -> Candidate:
    """The one that stays, the same in any order: a fresh one before a stored one (it has its text
    even where texts are not stored), then the latest, then by text."""
    return max(candidates, key=lambda c: (c.fresh, c.post.created_at, c.post.text_sha256))


def superseded_by(kept: Candidate, candidates: Iterable[Candidate]) -> list[Candidate]:
    """One for each other model under which the post was counted until now."""
    others = {
        c.post.model: c for c in candidates if not c.fresh and c.post.model != kept.post.model
    }
    return [c._replace(superseded=True) for c in others.values()]


class KeepOne(beam.DoFn):
    """Counts `posts_kept` and `duplicates` among the fresh ones."""

    def __init__(self) -> None:
        self._kept = counter("posts_kept")
        self._duplicates = counter("duplicates")

    def process(self, group: tuple[PostKey, Iterable[Candidate]]) -> Iterator[TimestampedValue]:
        candidates = list(group[1])
        fresh = sum(candidate.fresh for candidate in candidates)
        if fresh:
            self._kept.inc()
            self._duplicates.inc(fresh - 1)
        kept = winner(candidates)
        for candidate in (kept, *superseded_by(kept, candidates)):
            yield TimestampedValue(candidate, Timestamp(micros=candidate.post.created_at))


class KeepFirst(beam.DoFn):
    """Lets the first post of a key through. The state goes with the hour's window, after the
    allowed lateness. Nothing here can raise, so that no bundle is retried for ever."""

    SEEN = ReadModifyWriteStateSpec("seen", BooleanCoder())

    def __init__(self) -> None:
        self._kept = counter("posts_kept")
        self._duplicates = counter("duplicates")

    def process(
        self, keyed: tuple[PostKey, Candidate], seen: Any = beam.DoFn.StateParam(SEEN)
    ) -> Iterator[Candidate]:
        if seen.read():
            self._duplicates.inc()
            return
        seen.write(True)
        self._kept.inc()
        yield keyed[1]


def by_post(candidates: beam.PCollection[Candidate]) -> beam.PCollection[tuple[PostKey, Candidate]]:
    # Not WithKeys: it types its keys Any, whose coder is no promise, and names a line of Beam.
    return candidates | "KeyByPost" >> beam.Map(keyed).with_output_types(tuple[PostKey, Candidate])


class FirstOfEach(beam.PTransform):
    """PCollection[Candidate] in hours -> the first of each key, at once: for a live stream."""

    def expand(self, candidates: beam.PCollection[Candidate]) -> beam.PCollection[Candidate]:
        first = beam.ParDo(KeepFirst()).with_output_types(Candidate)
        return by_post(candidates) | "KeepFirst" >> first


class BestOfEach(beam.PTransform):
    """PCollection[Candidate] in hours -> of each key the one that stays whatever their order.

    A bounded input is grouped in the global window, with the hour in the key, and each post then
    put back into its hour: a grouping by post in hourly windows costs the local runner three times
    as much, for the trigger it builds for every key and window.
    """

    def expand(self, candidates: beam.PCollection[Candidate]) -> beam.PCollection[Candidate]:
        return (
            by_post(candidates | "IntoOneWindow" >> beam.WindowInto(GlobalWindows()))
            | "GroupByPost" >> beam.GroupByKey()
            | "KeepOne" >> beam.ParDo(KeepOne()).with_output_types(Candidate)
            | "BackIntoHours" >> IntoHours()
        )
