"""Bluesky by Jetstream: all posts of the network as they are written, free and without a key.

Edits come as posts, deletions as deletions. That an account is gone is an event of its own, which
names no posts and is left out. Jetstream keeps 24 to 36 hours: a cursor that is older starts where
that begins.

Messages come uncompressed: Jetstream compresses with a zstd dictionary of its own, and no package
has it.

Reference: https://github.com/bluesky-social/jetstream
"""

from __future__ import annotations

import argparse
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson

from ingest.sources.handover import Handover, batches_of
from ingest.sources.retries import BACKOFF, Backoff, Retries, Trouble
from ingest.sources.source import Batch, CurrentTopics, Cursor, Source, SourceError
from ingest.sources.websocket import (
    LIVENESS,
    MAX_MESSAGE_BYTES,
    Denied,
    Liveness,
    connected,
    received,
)
from mltox.base.clock import now_micros
from mltox.posts.records import HOUR, SECOND, Micros

log = logging.getLogger(__name__)

HOSTS = (
    "jetstream2.us-east.bsky.network",
    "jetstream2.us-west.bsky.network",
    "jetstream1.us-east.bsky.network",
    "jetstream1.us-west.bsky.network",
)
POST_COLLECTION = "app.bsky.feed.post"
REWIND: Micros = 5 * SECOND
"""Each server stamps events by its own clock, so that another one's start a little earlier."""
GAP: Micros = 300 * SECOND
_CURSOR = "time_us"

MicrosClock = Callable[[], Micros]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host",
        action="append",
        metavar="HOST",
        help="a Jetstream server; several times: the next one where one fails"
        f" (default: {', '.join(HOSTS)})",
    )


def open_source(options: argparse.Namespace, topics: CurrentTopics) -> Source:
    """Jetstream cannot search, so that the topics are found by whoever reads."""
    return Bluesky(options.host or HOSTS)


class Bluesky:
    """Posts from the first of several Jetstream servers that works.

    A host may have ws:// in front, for a server on this machine.
    """

    name = "bluesky"

    def __init__(
        self,
        hosts: Sequence[str] = HOSTS,
        *,
        backoff: Backoff = BACKOFF,
        liveness: Liveness = LIVENESS,
    ) -> None:
        self._hosts = tuple(hosts)
        self._backoff = backoff
        self._liveness = liveness

    def read(self, cursor: Cursor, stopping: threading.Event) -> Iterator[Batch]:
        position = StreamPosition(cursor)
        return batches_of(lambda hand: self._listen(hand, position), stopping)

    def _listen(self, hand: Handover, position: StreamPosition) -> None:
        retries = Retries(hand, self.name, self._backoff)
        refused: set[str] = set()
        for host in itertools.cycle(self._hosts):
            try:
                for message in self._messages(host, position.resume(), hand):
                    retries.worked()
                    refused.clear()
                    event = sift(message)
                    cursor = position.moved(event.time_us)
                    if event.wanted or cursor is not None:
                        hand.put(Batch((message,) if event.wanted else (), cursor))
            except Trouble as trouble:
                if isinstance(trouble, Denied) and trouble.for_good:
                    refused.add(host)
                    if refused.issuperset(self._hosts):
                        raise SourceError(f"bluesky: {trouble}") from trouble
                retries.wait(trouble)

    def _messages(self, host: str, start: Micros | None, hand: Handover) -> Iterator[bytes]:
        heard = time.monotonic()
        with connected(address(host, start), host, self._liveness) as connection:
            for message in received(connection, host):
                hand.check()
                if message is not None:
                    heard = time.monotonic()
                    yield message
                elif time.monotonic() - heard > self._liveness.silence:
                    raise Trouble(f"{host} has sent nothing for {self._liveness.silence:.0f} s")


def address(host: str, start: Micros | None) -> str:
    """The URL to listen at, from `start` in microseconds since 1970, else from now on."""
    query = {"wantedCollections": POST_COLLECTION, "maxMessageSizeBytes": str(MAX_MESSAGE_BYTES)}
    if start is not None:
        query["cursor"] = str(start)
    base = host if "://" in host else f"wss://{host}"
    return f"{base.rstrip('/')}/subscribe?{urlencode(query)}"


class JetstreamEvent(NamedTuple):
    """Whether a message is to be passed on, and its time on the stream, if any."""

    wanted: bool
    time_us: Micros | None


def sift(message: bytes) -> JetstreamEvent:
    """Looks at a message: posts and their deletions are wanted, and so is what cannot be read: it
    becomes a dead letter. Events of accounts are not, nor posts of pictures alone, which no topic
    could match; they move the cursor."""
    try:
        event = orjson.loads(message)
    except ValueError:
        return JetstreamEvent(True, None)
    if not isinstance(event, dict):
        return JetstreamEvent(True, None)
    stamp, commit = event.get("time_us"), event.get("commit")
    return JetstreamEvent(
        wanted=isinstance(commit, dict)
        and commit.get("collection") == POST_COLLECTION
        and _has_text(commit),
        time_us=stamp if type(stamp) is int else None,
    )


def _has_text(commit: dict[str, Any]) -> bool:
    record = commit.get("record")
    text = record.get("text") if isinstance(record, dict) else None
    return not isinstance(text, str) or bool(text.strip())


def wall_clock() -> Micros:
    return now_micros()


class StreamPosition:
    """How far the stream has been read, in microseconds since 1970 on the server's clock."""

    def __init__(self, cursor: Cursor, clock: MicrosClock = wall_clock) -> None:
        self._last: Micros = int(cursor.get(_CURSOR, "0"))
        self._clock = clock
        self._resumed = False

    def resume(self) -> Micros | None:
        """Where a connection that is made now starts; None at the very first."""
        self._resumed = self._last > 0
        return self._last - REWIND if self._last else None

    def moved(self, stamp: Micros | None) -> Cursor | None:
        """The cursor after an event of this time; None where it is not a later one.

        A time of tomorrow is none: it would skip a day after the next start.
        """
        if stamp is None or stamp > self._clock() + HOUR:
            return None
        if self._resumed:
            self._resumed = False
            if stamp - self._last > GAP:
                log.warning(
                    "bluesky: what was posted from %s to %s is no longer to be had",
                    *(datetime.fromtimestamp(t / SECOND, UTC) for t in (self._last, stamp)),
                )
        if stamp <= self._last:
            return None
        self._last = stamp
        return {_CURSOR: str(stamp)}
