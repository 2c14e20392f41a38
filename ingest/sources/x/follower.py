"""Follows one connection of X's filtered stream for as long as it lasts."""

from __future__ import annotations

import logging
import time

from ingest.sources.handover import Handover
from ingest.sources.source import Batch
from ingest.sources.x.connection import Connection, StreamLine
from ingest.sources.x.errors import TOO_MANY, XError
from ingest.sources.x.gap import fill_gap
from ingest.sources.x.lines import parsed_line
from ingest.sources.x.meter import Meter
from ingest.sources.x.position import Position
from ingest.sources.x.reader import XReader
from ingest.sources.x.rule_keeper import RuleKeeper

log = logging.getLogger(__name__)

STREAM = "stream"
"""The cursor's only key."""
TAKE_SECONDS = 0.25
LOOK_SECONDS = 1.0
"""How often the topics are looked at."""
SEARCH_LAG_MS = 40_000
"""X's search finds a post half a minute after it was written."""


class Follower:
    """Hands over its lines, keeps the rules as the topics are, and fills the gap before it."""

    def __init__(
        self,
        connection: Connection,
        position: Position,
        keeper: RuleKeeper,
        reader: XReader,
        meter: Meter,
        rule_length: int,
        backfilled: bool,
    ) -> None:
        """`backfilled`: X itself sends what was missed."""
        self._connection = connection
        self._position = position
        self._keeper = keeper
        self._reader = reader
        self._meter = meter
        self._rule_length = rule_length
        self._backfilled = backfilled
        self._looked = time.monotonic()
        self.lived = False
        """Whether anything came."""
        self.refused: XError | None = None
        """Why X closed it, where it is not to be opened again at once."""

    def follow(self, hand: Handover) -> None:
        """Returns when the connection is over. Raises SourceError and Stopped."""
        while not self._connection.over:
            hand.check()
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._keeper.follow(hand)
                self._looked = time.monotonic()
            self._fill_when_due(hand)
            line = self._connection.take(TAKE_SECONDS)
            if line is not None:
                self.lived = True
                if self._hand_over(line, hand):
                    return

    def _hand_over(self, line: StreamLine, hand: Handover) -> bool:
        """Returns whether X is about to close the connection."""
        if not line.content:
            self._position.saw_life(line.at_ms)
            hand.put(Batch(cursor=self._cursor()))
            return False
        found = parsed_line(line.content)
        if found.trouble is not None:
            log.warning("X's stream reports: %s", found.trouble.title or "an error")
            if found.trouble.status == TOO_MANY:
                self.refused = found.trouble
            return found.ends
        self._position.saw_post(found.post_id)
        names = {topic.name for topic in self._keeper.topics}
        topics = tuple(name for name in found.topics if name in names)
        hand.put(Batch((line.content,), self._cursor(), topics))
        self._meter.count(found.reads)
        return False

    def _fill_when_due(self, hand: Handover) -> None:
        since = self._connection.connected_ms
        if not self._position.gap or since is None:
            return
        if time.time_ns() // 1_000_000 < since + SEARCH_LAG_MS:
            return
        if not self._backfilled:
            after = self._position.missing_after()
            log.info("asking X's search for what the stream missed")
            fill_gap(self._reader, self._keeper.topics, self._rule_length, after, since, hand)
        self._position.filled()
        hand.put(Batch(cursor=self._cursor()))

    def _cursor(self) -> dict[str, str]:
        return {STREAM: str(self._position.safe)} if self._position.safe else {}
