"""Which hours of a topic were judged, and which could not be: no hour is normal unless somebody
looked at it.

A detector judges nothing until it has seen `FIRST_JUDGED` hours with posts, and early, by wide
ranges, until it has seen `WARM_UP_HOURS`; hours of a gap are
unknown to it; a file that was judged in retrospect has all its hours judged, those of the warm-up
from what came after them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from dashboards.queries import Hour
from mltox.detection.detector import FIRST_JUDGED, WARM_UP_HOURS
from mltox.detection.gaps import HourSpan
from mltox.posts.records import HOUR, Micros

JUDGED, EARLY, AFTERWARDS = "judged", "early", "afterwards"
UNJUDGED, GAP = "unjudged", "gap"


class HourStatuses(NamedTuple):
    """The hours from a topic's first to its last with posts, by status: runs of (status, hours)."""

    start: Micros
    runs: Sequence[tuple[str, int]]

    @property
    def known(self) -> int:
        """Hours that somebody looked at, at the time or afterwards."""
        return self.count(JUDGED) + self.count(EARLY) + self.count(AFTERWARDS)

    def count(self, status: str) -> int:
        return sum(hours for of, hours in self.runs if of == status)


def hour_statuses(
    hours: Sequence[Hour], afterwards: Sequence[HourSpan], gaps: Sequence[HourSpan]
) -> HourStatuses:
    """`hours` are one topic's, in order. `afterwards` are the spans judged in retrospect."""
    if not hours:
        return HourStatuses(0, ())
    with_posts = [hour.hour for hour in hours if hour.posts]
    first = with_posts[FIRST_JUDGED] if len(with_posts) > FIRST_JUDGED else None
    warm = with_posts[WARM_UP_HOURS] if len(with_posts) > WARM_UP_HOURS else None
    start, end = hours[0].hour, hours[-1].hour + HOUR

    def status(at: Micros) -> str:
        if any(gap.start <= at < gap.end for gap in gaps):
            return GAP
        if warm is not None and at >= warm:
            return JUDGED
        if first is not None and at >= first:
            return EARLY
        return AFTERWARDS if any(s.start <= at < s.end for s in afterwards) else UNJUDGED

    runs = [(of, len(list(run))) for of, run in groupby(map(status, range(start, end, HOUR)))]
    return HourStatuses(start, runs)


def judged_sentence(found: HourStatuses) -> str:
    """Of how many hours somebody can say something: never an all-clear for the others."""
    counts = {status: found.count(status) for status in (JUDGED, EARLY, AFTERWARDS, UNJUDGED, GAP)}
    all_hours = sum(counts.values())
    parts = [f"{counts[JUDGED] + counts[EARLY]:,} of {all_hours:,} hours were judged"]
    if counts[EARLY]:
        parts.append(f"{counts[EARLY]:,} of them early, when little was known")
    if counts[AFTERWARDS]:
        parts.append(f"{counts[AFTERWARDS]:,} from what came after them")
    if counts[UNJUDGED]:
        parts.append(f"{counts[UNJUDGED]:,} were not: too little was known before them")
    if counts[GAP]:
        parts.append(f"{counts[GAP]:,} are a gap of the collection")
    return ", ".join(parts)
