"""How far a stream has been read, and what it missed."""

from __future__ import annotations

from mltox.posts.formats.x_v2 import first_id_at, snowflake_millis

OVERLAP_MS = 30_000
"""A stream gives posts in about the order of their ids; this much is asked for twice."""


class Position:
    """The id of a post, or of a moment, up to which all has been handed over.

    While a gap is open, that is since a connection began anew and until the gap is filled, it stays
    where it was.
    """

    def __init__(self, safe: int) -> None:
        self.safe = safe
        """0 where nothing was ever read: then nothing can be missing either."""
        self._latest = safe
        self.gap = False

    def broke(self) -> None:
        """A new connection begins."""
        self.gap = self.safe > 0

    def saw_post(self, post_id: int) -> None:
        self._move(post_id)

    def saw_life(self, at_ms: int) -> None:
        """X had nothing else to send."""
        self._move(first_id_at(at_ms))

    def filled(self) -> None:
        """What was missing has been handed over."""
        self.gap = False
        self.safe = self._latest

    def missing_after(self) -> int:
        """The id after which posts may be missing."""
        millis = snowflake_millis(self.safe)
        return self.safe if millis is None else first_id_at(millis - OVERLAP_MS)

    def missing_ms(self, now_ms: int) -> int:
        """How long the gap is."""
        millis = snowflake_millis(self.safe)
        return 0 if millis is None else max(now_ms - millis, 0)

    def _move(self, to: int) -> None:
        self._latest = max(self._latest, to)
        if not self.gap:
            self.safe = self._latest
