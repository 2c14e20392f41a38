"""A topic's last 24 hours against what is usual for it.

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

from dashboards.queries import Hour
from mltox.posts.records import DAY, Micros

USUAL_DAYS = 28
MIN_USUAL_DAYS = 3
MAD_TO_SIGMA = 1.4826
SIGMAS = 3.0


class Now(NamedTuple):
    """Toxic share of the last 24 hours, and of the 24-hour spans before them.

    `usual` is their median, from `low` to `high` is ordinary; all None where fewer than
    `MIN_USUAL_DAYS` spans have scored posts. `share` is None where no post was scored.
    """

    posts: int
    share: float | None
    usual: float | None
    low: float | None
    high: float | None

    @property
    def verdict(self) -> str:
        if self.share is None:
            return "no scored posts"
        if self.usual is None or self.low is None or self.high is None:
            return "too little history"
        if self.share > self.high:
            return "above usual"
        if self.share < self.low:
            return "below usual"
        return "as usual"


def now(hours: Sequence[Hour], last_hour: Micros) -> Now:
    """Compare the 24 hours that end with `last_hour` with the spans of the 28 days before.

    `hours` are one topic's. Shares are weighted by scored posts.
    """
    posts = [0] * (USUAL_DAYS + 1)
    scored = [0] * (USUAL_DAYS + 1)
    toxic = [0.0] * (USUAL_DAYS + 1)
    for hour in hours:
        span = (last_hour - hour.hour) // DAY
        if 0 <= span <= USUAL_DAYS:
            posts[span] += hour.posts
            if hour.toxic_share is not None:
                n = hour.posts - hour.posts_unscored
                scored[span] += n
                toxic[span] += n * hour.toxic_share
    shares = [t / n if n else None for t, n in zip(toxic, scored, strict=True)]
    past = [s for s in shares[1:] if s is not None]
    if len(past) < MIN_USUAL_DAYS:
        return Now(posts[0], shares[0], None, None, None)
    usual = median(past)
    reach = SIGMAS * _scatter(past, usual, scored[0])
    return Now(posts[0], shares[0], usual, max(0.0, usual - reach), min(1.0, usual + reach))


def _scatter(past: Sequence[float], usual: float, scored: int) -> float:
    deviation = MAD_TO_SIGMA * median(abs(share - usual) for share in past)
    n = max(scored, 1)
    # A share of 0 has no sampling error of its own; one toxic post more must not stand out.
    p = min(max(usual, 1 / n), 1 - 1 / n) if n > 1 else 0.5
    return max(deviation, sqrt(p * (1 - p) / n))
