"""Spans of time as X's search takes them: by post ids, which hold their time.

https://docs.x.com/fundamentals/x-ids
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from ingest.sources.source import Cursor
from mltox.posts.formats.x_v2 import first_id_at, snowflake_millis

HOUR_MS = 3_600_000
REACH_MS = 7 * 24 * HOUR_MS - HOUR_MS // 2
"""How far back recent search reaches: seven days, less what a rate limit may hold a page up."""
SETTLED_MS = 60_000
"""Search finds a post half a minute after it was written; after a minute it is taken for sure."""


class IdSpan(NamedTuple):
    """Posts with an id above `after` and below `until`, which is None for up to now."""

    after: int
    until: int | None

    def beyond(self, now_ms: int) -> bool:
        """Returns whether it begins before what recent search reaches."""
        return self.after < first_id_at(now_ms - REACH_MS)

    def parameters(self, now_ms: int) -> dict[str, str] | None:
        """Returns the span as options of a search, None where it is out of reach by now.

        X refuses ids from before its reach, and ids together with times.
        """
        oldest_ms = now_ms - REACH_MS
        if self.until is not None and self.until <= first_id_at(oldest_ms):
            return None
        if self.beyond(now_ms):
            times = {"start_time": _rfc3339(oldest_ms)}
            return times if self.until is None else times | {"end_time": _time_of(self.until)}
        ids = {"since_id": str(self.after)}
        return ids if self.until is None else ids | {"until_id": str(self.until)}

    def end(self, now_ms: int) -> int | None:
        """Returns the id from which to go on when all was read and nothing was found, or None
        where search may still come to know a post of this span."""
        if self.until is None or (millis := snowflake_millis(self.until)) is None:
            return None
        return self.until - 1 if millis <= now_ms - SETTLED_MS else None


def id_spans(after: int, now_ms: int) -> Iterator[IdSpan]:
    """Cuts the time from a post until now at full hours, so that what was found in one can be held
    in memory and turned round, since X gives the newest first."""
    began_ms = max(snowflake_millis(after) or 0, now_ms - REACH_MS)
    cut_ms = (began_ms // HOUR_MS + 1) * HOUR_MS
    while cut_ms <= now_ms - SETTLED_MS:
        yield IdSpan(after, first_id_at(cut_ms))
        after = first_id_at(cut_ms) - 1
        cut_ms += HOUR_MS
    yield IdSpan(after, None)


def ids_of(cursor: Cursor) -> dict[str, int]:
    """The ids of a cursor, without what is none."""
    return {name: int(at) for name, at in cursor.items() if at.isascii() and at.isdigit()}


def _time_of(post_id: int) -> str:
    return _rfc3339(snowflake_millis(post_id) or 0)


def _rfc3339(millis: int) -> str:
    return f"{datetime.fromtimestamp(millis / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
