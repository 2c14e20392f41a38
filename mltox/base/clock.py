"""Time as the records have it: integer microseconds since 1970-01-01 UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now_micros() -> int:
    """The wall clock."""
    return time.time_ns() // 1000


def datetime_of(micros: int) -> datetime:
    """Exact, in UTC.

    >>> datetime_of(1_500_000)
    datetime.datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=datetime.timezone.utc)
    """
    return _EPOCH + timedelta(microseconds=micros)


def micros_of(moment: datetime) -> int:
    """Of a moment with a time zone.

    >>> micros_of(datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=UTC))
    1500000
    """
    return (moment - _EPOCH) // _MICROSECOND


def rfc3339(micros: int) -> str:
    """As an attribute of a message has it.

    >>> rfc3339(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    return datetime_of(micros).isoformat().replace("+00:00", "Z")
