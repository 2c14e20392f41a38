"""One post a key (topic, post id), whatever was delivered twice, and in whatever hour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BooleanCoder
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec
from apache_beam.transforms.window import GlobalWindows, TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from mltox.posts.records import ScoredPost
from mltox.posts.versions import PostVersion, VersionVerdict, has_sound_id, id_apart, settle
from pipelines.transforms.metrics import counter
from pipelines.transforms.window import IntoHours, hour_of

PostKey = tuple[str, str]
HourlyPostKey = tuple[str, str, int]
"""Of a live stream, whose windows are hours: what it remembers goes with its hour."""


class Candidate(NamedTuple):
    """A scored post, and whether this run read it (or the warehouse held it already).

    One that is `superseded` counts nowhere. It only says that its hour under its model changed,
    since another model has scored the post anew, or its time was corrected.
    """

    post: ScoredPost
    fresh: bool
    superseded: bool = False


def keyed(candidate: Candidate) -> tuple[PostKey, Candidate]:
    return (candidate.post.topic, candidate.post.post_id), candidate


def keyed_in_hour(candidate: Candidate) -> tuple[HourlyPostKey, Candidate]:
    post = candidate.post
    return (post.topic, post.post_id, hour_of(post.created_at)), candidate


def winner(candidates: Iterable[Candidate]) -> Candidate:
    """The one that stays, the same in any order: a fresh one before a stored one (it has its text
    even where texts are not stored), then the latest, then by text."""
    return max(candidates, key=lambda c: (c.fresh, c.post.created_at, c.post.text_sha256))


def superseded_by(kept: Candidate, candidates: Iterable[Candidate]) -> list[Candidate]:
    """One for each other hour and model in which the post was counted until now."""
    place = _place(kept)
    others = {_place(c): c for c in candidates if not c.fresh and _place(c) != place}
    return [c._replace(superseded=True) for c in others.values()]


def _place(candidate: Candidate) -> tuple[int, str]:
    return hour_of(candidate.post.created_at), candidate.post.model


def several_posts(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """The candidates of one id, by post: an id that no network gave may be that of several, see
    `mltox.posts.versions`. Each but the first has an id of its own then."""
    post_id = candidates[0].post.post_id
    versions = {version_of(candidate) for candidate in candidates}
    if len(versions) == 1 or has_sound_id(post_id):
        return [list(candidates)]
    stored = {version_of(c) for c in candidates if not c.fresh}
    if not all(version.text for version in versions):
        return [list(candidates)]  # whose text is not stored can't be compared
    apart = [
        version
        for version, verdict in settle(versions, sound_id=False, stored=stored).items()
        if verdict is VersionVerdict.APART
    ]
    posts: list[list[Candidate]] = [[]]
    rest = list(candidates)
    for version in apart:
        alike = [c for c in rest if c.fresh and version_of(c) == version]
        rest = [c for c in rest if c not in alike]
        own = id_apart(post_id, version)
        posts.append([c._replace(post=c.post._replace(post_id=own)) for c in alike])
    posts[0] = rest
    return [group for group in posts if group]


def version_of(candidate: Candidate) -> PostVersion:
    return PostVersion(candidate.post.created_at, candidate.post.text_sha256[:16])


class KeepOne(beam.DoFn):
    """Counts `posts_kept` and `duplicates` among the fresh ones, and how many of these have another
    text or time than the one that stays: `other_versions`."""

    def __init__(self) -> None:
        self._kept = counter("posts_kept")
        self._duplicates = counter("duplicates")
        self._other_versions = counter("other_versions")

    def process(self, group: tuple[PostKey, Iterable[Candidate]]) -> Iterator[TimestampedValue]:
        for candidates in several_posts(list(group[1])):
            yield from self._one(candidates)

    def _one(self, candidates: Sequence[Candidate]) -> Iterator[TimestampedValue]:
        kept = winner(candidates)
        fresh = [candidate for candidate in candidates if candidate.fresh]
        if fresh:
            self._kept.inc()
            self._duplicates.inc(len(fresh) - 1)
            same = version_of(kept)
            self._other_versions.inc(sum(version_of(candidate) != same for candidate in fresh))
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
        self, keyed: tuple[HourlyPostKey, Candidate], seen: Any = beam.DoFn.StateParam(SEEN)
    ) -> Iterator[Candidate]:
        if seen.read():
            self._duplicates.inc()
            return
        seen.write(True)
        self._kept.inc()
        yield keyed[1]


class FirstOfEach(beam.PTransform):
    """PCollection[Candidate] in hours -> the first of each key, at once: for a live stream."""

    def expand(self, candidates: beam.PCollection[Candidate]) -> beam.PCollection[Candidate]:
        # Not WithKeys: it types its keys Any, whose coder is no promise, and names a line of Beam.
        key = beam.Map(keyed_in_hour).with_output_types(tuple[HourlyPostKey, Candidate])
        first = beam.ParDo(KeepFirst()).with_output_types(Candidate)
        return candidates | "KeyByPost" >> key | "KeepFirst" >> first


class BestOfEach(beam.PTransform):
    """PCollection[Candidate] in hours -> of each key the one that stays whatever their order.

    A bounded input is grouped in the global window, and each post then put back into its hour: a
    post is one whatever its hour, and a grouping by post in hourly windows costs the local runner
    three times as much, for the trigger it builds for every key and window.
    """

    def expand(self, candidates: beam.PCollection[Candidate]) -> beam.PCollection[Candidate]:
        return (
            candidates
            | "IntoOneWindow" >> beam.WindowInto(GlobalWindows())
            | "KeyByPost" >> beam.Map(keyed).with_output_types(tuple[PostKey, Candidate])
            | "GroupByPost" >> beam.GroupByKey()
            | "KeepOne" >> beam.ParDo(KeepOne()).with_output_types(Candidate)
            | "BackIntoHours" >> IntoHours()
        )
