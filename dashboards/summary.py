"""A topic's last 24 hours, by the clock of the page, against what is usual for it.

Usual is the median of the days before; a day is outside the usual range where it lies more than
three times the scatter away. The scatter is the median absolute deviation, scaled to a standard
deviation (Rousseeuw and Croux, 1993), which the days of an incident hardly move, but at least the
sampling error of a share of so many posts.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import median
from typing import NamedTuple

from dashboards.queries import DaySpan
from mltox.posts.records import DAY, HOUR, Micros

USUAL_DAYS = 28
MIN_USUAL_DAYS = 3
LEAST_DAY_POSTS = 20
"""A day's share of fewer posts is no figure to call usual or unusual."""
MAD_TO_SIGMA = 1.4826
SIGMAS = 3.0
SURPRISING_SILENCE = 10.0
"""So many posts would have come meanwhile: by chance alone none comes once in 22,000 times."""


class Now(NamedTuple):
    """The last 24 hours of the clock, and the 24-hour spans before them.

    `share` is over `scored` posts, None where there is none. `usual` is the median share of the
    spans before, from `low` to `high` is ordinary; all None where fewer than `MIN_USUAL_DAYS` of
    them have `LEAST_DAY_POSTS` scored posts. `silent` are the hours since the topic's last hour
    with posts, where it is silent against its own habit, else 0.
    """

    posts: int
    scored: int
    share: float | None
    usual: float | None
    low: float | None
    high: float | None
    silent: int = 0

    @property
    def verdict(self) -> str:
        if self.silent:
            return f"no posts for {duration(self.silent)}"
        if self.posts == 0:
            return "no posts"
        if self.share is None:
            return "no scored posts"
        if self.scored < LEAST_DAY_POSTS:
            return "too few posts"
        if self.usual is None or self.low is None or self.high is None:
            return "too little history"
        if self.share > self.high:
            return "above usual"
        if self.share < self.low:
            return "below usual"
        return "as usual"


def duration(hours: int) -> str:
    """
    >>> duration(30), duration(49)
    ('30 h', '2 days')
    """
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def now(spans: Sequence[DaySpan], clock: Micros, last_hour: Micros) -> Now:
    """Compare the 24 hours before `clock` with the 28 spans of 24 hours before them.

    `spans` are one topic's; those without posts may be missing. Shares weigh by scored posts.
    """
    by_place = {span.place: span for span in spans}
    latest = by_place.get(0)
    past = [
        span.toxic / span.scored
        for place, span in by_place.items()
        if 0 < place <= USUAL_DAYS and span.scored >= LEAST_DAY_POSTS
    ]
    posts, scored, toxic = (latest.posts, latest.scored, latest.toxic) if latest else (0, 0, 0.0)
    share = toxic / scored if scored else None
    silent = _silence(by_place, clock, last_hour)
    if len(past) < MIN_USUAL_DAYS:
        return Now(posts, scored, share, None, None, None, silent)
    usual = median(past)
    reach = SIGMAS * _scatter(past, usual, scored)
    low, high = max(0.0, usual - reach), min(1.0, usual + reach)
    return Now(posts, scored, share, usual, low, high, silent)


def _silence(spans: dict[int, DaySpan], clock: Micros, last_hour: Micros) -> int:
    """Whole hours since the end of the last one with posts, where that is no chance."""
    hours = max(0, (clock - last_hour - HOUR) // HOUR)
    ended = (clock - last_hour - 1) // DAY
    active = [spans[place].posts for place in spans if ended <= place < ended + 7]
    usual = sum(active) / 24 / max(len(active), 1)
    return hours if hours >= 24 or hours * usual >= SURPRISING_SILENCE else 0


def _scatter(past: Sequence[float], usual: float, scored: int) -> float:
    deviation = MAD_TO_SIGMA * median(abs(share - usual) for share in past)
    n = max(scored, 1)
    # A share of 0 has no sampling error of its own; one toxic post more must not stand out.
    p = min(max(usual, 1 / n), 1 - 1 / n) if n > 1 else 0.5
    return max(deviation, sqrt(p * (1 - p) / n))
