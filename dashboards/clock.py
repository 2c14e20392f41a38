"""What time it is for a page.

A live page has the clock of the wall. A file has the end of the last hour of any topic, or the hour
that its maker names: a collection that ended years ago is not silent ever since.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from dashboards.errors import DashboardError
from dashboards.queries import TopicTotals
from mltox.posts.records import DAY, HOUR, SECOND, Micros

ENDED = 3 * DAY


class PageClock(NamedTuple):
    """`now` is where "the last 24 hours" end. `live` tells that it goes on."""

    now: Micros
    live: bool


def clock_of(
    totals: Iterable[TopicTotals], live_at: Micros | None, as_of: Micros | None
) -> PageClock:
    """`as_of` before the clock of the wall, that before the end of the last hour with posts.

    A served page whose data ended `ENDED` ago shows a collection that is over, or is replayed.
    """
    last = max((t.last_hour for t in totals), default=-HOUR) + HOUR
    if as_of is not None:
        return PageClock(as_of, live=False)
    if live_at is not None and live_at - last < ENDED:
        # The end of the running hour: within it, time alone makes no other page.
        return PageClock(live_at - live_at % HOUR + HOUR, live=True)
    return PageClock(last, live=False)


def parse_as_of(text: str) -> Micros:
    """An RFC 3339 time. Raises DashboardError, also for one without a zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise DashboardError(f"--as-of {text!r} is no time such as 2026-05-01T12:00Z") from error
    if moment.tzinfo is None:
        raise DashboardError(f"--as-of {text!r} has no zone; write 2026-05-01T12:00Z")
    return int(moment.timestamp()) * SECOND
