"""How long to wait before X is asked again.

https://docs.x.com/x-api/fundamentals/handling-disconnections and
https://docs.x.com/x-api/fundamentals/rate-limits
"""

from __future__ import annotations

from collections import Counter

from ingest.sources.source import SourceError
from ingest.sources.x.errors import TOO_MANY, XError, fatal

LONGEST_WINDOW_SECONDS = 86_400.0
"""The longest of X's rate limit windows."""
USUAL_WINDOW_SECONDS = 900.0
"""The most common one."""


def network_seconds(failures: int) -> float:
    """After a connection broke: at once, then 250 ms more each time, at most 16 s."""
    return min(0.25 * failures, 16.0)


def http_seconds(failures: int) -> float:
    """After an error of X's own: 5 s, doubled each time, at most 320 s."""
    return min(5.0 * 2 ** min(failures, 10), 320.0)


def rate_limit_seconds(failures: int, reset: float | None, now: float) -> float:
    """After a 429: until `reset`, the time (s since 1970) that X names, and a second more for
    clocks that differ; without one 60 s, doubled each time, at most a window of 15 minutes."""
    if reset is None:
        return min(60.0 * 2 ** min(failures, 10), USUAL_WINDOW_SECONDS)
    return min(max(reset - now, 0.0) + 1.0, LONGEST_WINDOW_SECONDS)


class Patience:
    """Counts failures since the last success, each kind apart, as X asks for."""

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()

    def seconds(self, error: Exception, now: float) -> float:
        """Returns how long to wait after this one. Raises SourceError where waiting is in vain."""
        if isinstance(error, XError) and (reason := fatal(error)):
            raise SourceError(reason)
        kind = "network"
        if isinstance(error, XError):
            kind = "rate limit" if error.status == TOO_MANY else "http"
        failures = self._failures[kind]
        self._failures[kind] += 1
        if kind == "network":
            return network_seconds(failures)
        if isinstance(error, XError) and kind == "rate limit":
            return rate_limit_seconds(failures, error.reset, now)
        return http_seconds(failures)

    def reset(self) -> None:
        """What was asked for came."""
        self._failures.clear()
