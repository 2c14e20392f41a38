"""Gaps of the collection: stretches in which no topic has a post, where that is no chance.

A topic that is silent while others go on is news; all of them silent at once is the collector.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from mltox.posts.records import HOUR, Micros


class HourSpan(NamedTuple):
    """[start, end)."""

    start: Micros
    end: Micros


LEAST_GAP_HOURS = 2
LEAST_MISSED = 20.0
"""So many posts would have come by the rate of the hours around."""
AROUND = 24
"""Hours with posts on either side that tell the rate."""


def gaps(hours: Iterable[tuple[Micros, int]]) -> list[HourSpan]:
    """From the posts of all topics by hour, hours without any left out.

    >>> day = [(hour * HOUR, 10) for hour in range(24)]
    >>> later = [((hour + 48) * HOUR, 10) for hour in range(24)]
    >>> [(gap.start // HOUR, gap.end // HOUR) for gap in gaps(day + later)]
    [(24, 48)]
    """
    known = sorted(hours)
    found = []
    for place, ((before, _), (after, _)) in enumerate(pairwise(known), start=1):
        missing = (after - before) // HOUR - 1
        if missing < LEAST_GAP_HOURS:
            continue
        left, right = known[max(0, place - AROUND) : place], known[place : place + AROUND]
        rate = min(_rate(left), _rate(right))
        if missing * rate >= LEAST_MISSED:
            found.append(HourSpan(before + HOUR, after))
    return found


def _rate(hours: list[tuple[Micros, int]]) -> float:
    """Posts an hour, empty hours between them counted; the busiest hour makes no rate alone."""
    posts = sorted(posts for _, posts in hours)
    elapsed = (hours[-1][0] - hours[0][0]) // HOUR + 1
    return min(sum(posts) / elapsed, 2.0 * posts[len(posts) // 2])
