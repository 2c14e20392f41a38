"""X's recent search: the posts of the last seven days on each topic, polled.

https://docs.x.com/x-api/posts/search/introduction
"""

from __future__ import annotations

import argparse
import logging
import threading
import time
from collections.abc import Iterator
from functools import partial

from ingest.sources.handover import Handover
from ingest.sources.source import Batch, CurrentTopics, Cursor, Source, SourceError
from ingest.sources.x.budget import Budget, open_budget
from ingest.sources.x.calls import Wait
from ingest.sources.x.client import Endpoint, XClient
from ingest.sources.x.counts import XCounts
from ingest.sources.x.errors import BEARER_TOKEN
from ingest.sources.x.meter import Meter, metered
from ingest.sources.x.options import add_common_arguments, at_least
from ingest.sources.x.reader import XReader
from ingest.sources.x.rules import RuleError, queries
from ingest.sources.x.spans import HOUR_MS, IdSpan, id_spans, ids_of
from mltox.google.secrets import secret
from mltox.posts.formats.x_v2 import first_id_at
from mltox.posts.topics import Topic

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common_arguments(parser)
    parser.add_argument(
        "--every",
        type=at_least(1),
        metavar="SECONDS",
        help="ask again so long after the last answer; without it, once",
    )
    parser.add_argument(
        "--first-hours",
        type=at_least(1),
        default=24,
        metavar="HOURS",
        help="how far back a topic's first search goes, at most 168; default: %(default)s",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="say how many posts a run would read and what it would cost, and read none",
    )


def open_source(options: argparse.Namespace, topics: CurrentTopics) -> Source:
    """Raises SourceError, also for a topic that X can't be asked for."""
    try:
        for topic in topics():
            queries(topic, options.rule_length)
    except RuleError as error:
        raise SourceError(str(error)) from None
    client, budget = (
        XClient(Endpoint(secret(BEARER_TOKEN), options.x_api)),
        open_budget(options, "x"),
    )
    if options.dry_run:
        return XCounts(topics, client, options)
    return XSearch(topics, client, budget, options.every, options.first_hours, options.rule_length)


class XSearch:
    """Its cursor holds for each topic the id of a post (or of a moment) up to which all is read."""

    name = "x-search"

    def __init__(
        self,
        topics: CurrentTopics,
        client: XClient,
        budget: Budget,
        every: int | None,
        first_hours: int,
        rule_length: int,
        rest: Wait = Handover.rest,
    ) -> None:
        self._topics = topics
        self._client = client
        self._budget = budget
        self._every = every
        self._first_hours = first_hours
        self._rule_length = rule_length
        self._rest = rest

    def read(self, cursor: Cursor, stopping: threading.Event) -> Iterator[Batch]:
        return metered(partial(self._work, cursor), self._budget, stopping)

    def _work(self, cursor: Cursor, meter: Meter, hand: Handover) -> None:
        reader, at = XReader(self._client, meter, self._rest), ids_of(cursor)
        while True:
            for topic in self._topics():
                self._topic(topic, reader, at, hand)
            if self._every is None:
                return
            meter.rest()
            self._rest(hand, self._every)

    def _topic(self, topic: Topic, reader: XReader, at: dict[str, int], hand: Handover) -> None:
        try:
            asked_for = queries(topic, self._rule_length)
        except RuleError as error:
            # Of a topics file that was edited meanwhile; the other topics go on.
            log.error("%s; it is left out", error)
            return
        now_ms = time.time_ns() // 1_000_000
        after = at.get(topic.name)
        if after is None:
            after = first_id_at(now_ms - self._first_hours * HOUR_MS) - 1
        elif IdSpan(after, None).beyond(now_ms):
            log.warning(
                "topic %r was read last longer ago than the seven days of X's search:"
                " it goes on seven days ago (by start_time), what was written before is missing",
                topic.name,
            )
        for span in id_spans(after, now_ms):
            found = reader.read(asked_for, span, hand)
            for post in found.posts:
                cursor = None
                if found.spent is None:
                    at[topic.name] = max(after, post.id)
                    cursor = {topic.name: str(at[topic.name])}
                hand.put(Batch((post.payload,), cursor, (topic.name,)))
            if found.spent is not None:
                # They are paid for; the older ones are still to be read.
                raise found.spent
            end = span.end(now_ms)
            if end is not None:
                # A topic that nobody writes about must not fall back behind the seven days.
                at[topic.name] = end
                hand.put(Batch(cursor={topic.name: str(end)}))
