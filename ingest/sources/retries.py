"""When to try again after a network's trouble, and how long to wait before."""

from __future__ import annotations

import email.utils
import logging
import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from ingest.sources.handover import Handover

log = logging.getLogger(__name__)

LONGEST_REQUEST = 900.0
"""Seconds that a server may ask us to wait: the longest window of the networks' rate limits."""
_EPOCH_FROM = 1_000_000_000.0


class Trouble(Exception):
    """What a new try may mend, in one line of our own words.

    `wait` is what the server asked for, in seconds.
    """

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Backoff(NamedTuple):
    """Seconds: what the first wait is about, and what none is longer than."""

    first: float = 1.0
    longest: float = 60.0


BACKOFF = Backoff()


def delay(backoff: Backoff, failures: int, spread: float) -> float:
    """Seconds to wait after so many failures in a row (at least one).

    It doubles each time. `spread`, in [0, 1), takes it from half to the whole, so that many clients
    do not come back at once.

    >>> [delay(Backoff(1, 10), failures, spread=0.5) for failures in (1, 2, 3, 5)]
    [0.75, 1.5, 3.0, 7.5]
    """
    whole = min(backoff.longest, backoff.first * 2.0 ** min(failures - 1, 30))
    return whole * (0.5 + spread / 2)


def asked_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a response asks to wait, at most LONGEST_REQUEST, or None.

    Retry-After holds seconds or a date (RFC 9110), X-RateLimit-Reset seconds (Reddit), a time in
    ISO 8601 (Mastodon) or seconds since 1970.
    """
    for name in ("Retry-After", "X-RateLimit-Reset"):
        seconds = _seconds(headers.get(name, ""), now)
        if seconds is not None:
            return min(max(seconds, 0.0), LONGEST_REQUEST)
    return None


def _seconds(value: str, now: datetime) -> float | None:
    try:
        number = float(value)
    except ValueError:
        pass
    else:
        if math.isnan(number):
            return None
        return number - now.timestamp() if number > _EPOCH_FROM else number
    for parse in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            moment = parse(value)
        except ValueError:
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment - now).total_seconds()
    return None


class Retries:
    """Counts the failures in a row of one connection, and waits after each."""

    def __init__(self, hand: Handover, source: str, backoff: Backoff) -> None:
        self._hand = hand
        self._source = source
        self._backoff = backoff
        self._failures = 0

    def worked(self) -> None:
        self._failures = 0
        self._hand.trouble = None

    def wait(self, trouble: Trouble) -> None:
        """Waits as long as the server asked for, and at least the backoff; raises Stopped."""
        self._failures += 1
        seconds = delay(self._backoff, self._failures, random.random())
        seconds = max(seconds, trouble.wait or 0.0)
        log.warning("%s: %s; next try in %.1f s", self._source, trouble, seconds)
        self._hand.trouble = str(trouble)
        self._hand.rest(seconds)
