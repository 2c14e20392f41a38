"""A topic's last 24 hours against what is usual for it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from dashboards.queries import Hour
from pipelines.records import DAY, Micros

USUAL_DAYS = 28
MIN_USUAL_DAYS = 3


class Now(NamedTuple):
    """Toxic share of the last 24 hours, and of the 24-hour spans before them.

    `usual` is their median, `low` and `high` the least and greatest; all None where fewer than
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
    return Now(posts[0], shares[0], median(past), min(past), max(past))
