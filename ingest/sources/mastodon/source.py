"""Mastodon: the public timeline of an instance, or its hashtags, as they are written.

An edit comes as the post again. After every connection what the stream may have missed is fetched
from the timelines; deletions in between are lost.

The stream is read over one WebSocket: it carries any number of hashtags where server-sent events
need a connection each, servers other than Mastodon have it as well, and Mastodon.py's own reader of
either ends the connection at the first message that it cannot read.

Reference: https://docs.joinmastodon.org/methods/streaming/
"""

from __future__ import annotations

import argparse
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from ingest.sources.handover import Handover, batches_of
from ingest.sources.mastodon.api import MASTODON_TOKEN, Instance
from ingest.sources.mastodon.feeds import (
    Addresses,
    Feed,
    FeedEvent,
    event_of,
    feeds,
    has_text,
    later,
    rewound,
)
from ingest.sources.retries import BACKOFF, Backoff, Retries, Trouble
from ingest.sources.source import Batch, CurrentTopics, Cursor, Source, SourceError
from ingest.sources.websocket import Denied, Liveness, connected, received
from mltox.google.secrets import secret

MASTODON_LIVENESS = Liveness(silence=300.0)
_LOOK_SECONDS = 1.0
"""How often the topics are looked at for other hashtags."""
_SETTLE_SECONDS = 0.25

CurrentFeeds = Callable[[], Mapping[str, Feed]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--instance",
        required=True,
        metavar="mastodon.social",
        help=f"whose timelines; most want a key to stream, which is read from {MASTODON_TOKEN}",
    )
    parser.add_argument(
        "--timeline",
        choices=("public", "local", "hashtag"),
        default="public",
        help="all that the instance sees, what is written there, or the hashtags of the topics"
        " (default: public)",
    )


def open_source(options: argparse.Namespace, topics: CurrentTopics) -> Source:
    """A key is asked for only by the server: some instances need none."""
    given = any(os.environ.get(name) for name in (MASTODON_TOKEN, f"{MASTODON_TOKEN}_SECRET"))
    instance = Instance(options.instance, secret(MASTODON_TOKEN) if given else None)
    if not feeds(options.timeline, topics()):
        raise SourceError("--timeline hashtag needs a topic with hashtags")
    return MastodonTimelines(instance, lambda: feeds(options.timeline, topics()))


class MastodonTimelines:
    """The feeds of one instance, which may change while it is read."""

    name = "mastodon"

    def __init__(
        self,
        instance: Instance,
        current: CurrentFeeds,
        *,
        backoff: Backoff = BACKOFF,
        liveness: Liveness = MASTODON_LIVENESS,
    ) -> None:
        self._instance = instance
        self._current = current
        self._backoff = backoff
        self._liveness = liveness

    def read(self, cursor: Cursor, stopping: threading.Event) -> Iterator[Batch]:
        return batches_of(lambda hand: self._listen(hand, dict(cursor)), stopping)

    def _listen(self, hand: Handover, last: dict[str, str]) -> None:
        retries = Retries(hand, self.name, self._backoff)
        reader = _Reader(self._instance, hand, last)
        while True:
            try:
                self._connect(reader, hand, retries)
            except Denied as denied:
                if denied.status in (401, 403):
                    raise self._instance.denied(denied.status) from denied
                if denied.for_good:
                    raise SourceError(f"mastodon: {denied}") from denied
                retries.wait(denied)
            except Trouble as trouble:
                retries.wait(trouble)

    def _connect(self, reader: _Reader, hand: Handover, retries: Retries) -> None:
        url, where = self._instance.stream_url(), self._instance.host
        # A long gap is closed before there is a connection, which would else wait unread.
        for feed in self._current().values():
            reader.catch_up(feed)
        token = self._instance.token
        headers = None if token is None else {"Authorization": f"Bearer {token}"}
        heard = time.monotonic()
        look = 0.0
        with connected(url, where, self._liveness, headers) as connection:
            for message in itertools.chain([None], received(connection, where)):
                hand.check()
                now = time.monotonic()
                if now >= look:
                    reader.follow(self._current(), connection)
                    look = now + _LOOK_SECONDS
                if message is not None:
                    heard = now
                    retries.worked()
                    reader.take(message)
                elif now - heard > self._liveness.silence:
                    heard = now
                    if reader.missed_any():
                        raise Trouble(f"the stream of {where} has stalled")


class _Reader:
    """What has been read of each feed: `last` is the latest status, by the feed's key."""

    def __init__(self, instance: Instance, hand: Handover, last: dict[str, str]) -> None:
        self._instance = instance
        self._hand = hand
        self._last = last
        self._followed: dict[str, Feed] = {}
        self._connection: ClientConnection | None = None
        self._addresses = Addresses()

    def follow(self, wanted: Mapping[str, Feed], connection: ClientConnection) -> None:
        """Subscribes to what is wanted and not followed over this connection, and the reverse."""
        if connection is not self._connection:
            self._connection, self._followed = connection, {}
        if wanted == self._followed:
            return
        try:
            for key in self._followed.keys() - wanted.keys():
                connection.send(self._followed[key].command("unsubscribe"))
            for key in wanted.keys() - self._followed.keys():
                connection.send(wanted[key].command("subscribe"))
        except ConnectionClosed as error:
            raise Trouble(f"{self._instance.host} ended the connection") from error
        fresh = wanted.keys() - self._followed.keys()
        self._followed = dict(wanted)
        if fresh & self._last.keys():
            # The server takes a moment to subscribe; what comes from now on waits in the socket.
            self._hand.rest(_SETTLE_SECONDS)
        for key in fresh:
            self.catch_up(wanted[key])

    def take(self, message: bytes) -> None:
        """Hands a message of the stream over."""
        event = event_of(message)
        if event.kind == "error":
            if event.refusal in (401, 403):
                raise self._instance.denied(event.refusal)
            raise Trouble(f"{self._instance.host} refuses a subscription (status {event.refusal})")
        feed = self._followed.get(event.feed)
        topics = feed.topics if feed else ()
        if event.kind == "unreadable":
            self._hand.put(Batch((message,)))
        elif event.kind == "delete":
            payload = self._addresses.deletion(event.status_id, message)
            self._hand.put(Batch((payload,)))
        elif event.status is not None:
            self._addresses.keep(event.status_id, event.status)
            payloads = (message,) if has_text(event.status) else ()
            self._hand.put(Batch(payloads, self._moved(event, feed), topics))

    def _moved(self, event: FeedEvent, feed: Feed | None) -> Cursor | None:
        # What was edited is an old status.
        if feed is None or event.kind != "update":
            return None
        return self._move(feed, event.status_id)

    def _move(self, feed: Feed, status_id: str) -> Cursor | None:
        last = self._last.get(feed.key, "")
        self._last[feed.key] = later(last, status_id)
        return None if self._last[feed.key] == last else {feed.key: self._last[feed.key]}

    def missed_any(self) -> bool:
        """Whether a timeline holds what the stream has not brought; hands it over."""
        return any(self.catch_up(feed) for feed in self._followed.values())

    def catch_up(self, feed: Feed) -> bool:
        """Hands over what follows the last status, and tells whether there was any.

        Starts a little before. Nothing for a feed of which nothing has been read.
        """
        before = self._last.get(feed.key)
        if before is None:
            return False
        at = rewound(before)
        while page := self._instance.after(feed, at):
            for found in page:
                self._addresses.keep(found.status_id, found.status)
            payloads = tuple(found.payload for found in page if has_text(found.status))
            newest = page[-1].status_id
            self._hand.put(Batch(payloads, self._move(feed, newest), feed.topics))
            if later(at, newest) == at:
                break  # the server does not know min_id
            at = newest
        return self._last[feed.key] != before
