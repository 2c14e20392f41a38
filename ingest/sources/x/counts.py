"""What a search of X would read and cost. Counting reads no post, so it costs none."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial

from ingest.sources.handover import Handover, batches_of
from ingest.sources.source import Batch, CurrentTopics, Cursor
from ingest.sources.x.calls import Wait, ask
from ingest.sources.x.client import XClient
from ingest.sources.x.rules import queries
from ingest.sources.x.spans import HOUR_MS, IdSpan, ids_of
from mltox.posts.formats.x_v2 import first_id_at


class XCounts:
    """A source that only says what `XSearch` would do from the same cursor."""

    name = "x-search"

    def __init__(
        self,
        topics: CurrentTopics,
        client: XClient,
        options: argparse.Namespace,
        rest: Wait = Handover.rest,
    ) -> None:
        self._topics = topics
        self._client = client
        self._rest = rest
        self._first_hours: int = options.first_hours
        self._rule_length: int = options.rule_length
        self._price: Decimal | None = options.price_per_read

    def read(self, cursor: Cursor, stopping: threading.Event) -> Iterator[Batch]:
        return batches_of(partial(self._work, ids_of(cursor)), stopping)

    def _work(self, at: Mapping[str, int], hand: Handover) -> None:
        total = 0
        for topic in self._topics():
            first = first_id_at(time.time_ns() // 1_000_000 - self._first_hours * HOUR_MS) - 1
            span = IdSpan(at.get(topic.name, first), None)
            found = self._count(queries(topic, self._rule_length), span, hand)
            total += found
            print(f"{topic.name}: {described(found, self._price)}")
        print(f"all topics: {described(total, self._price)}")
        print("posts that these retweet, quote or answer come along and may be charged as well")

    def _count(self, asked_for: Sequence[str], span: IdSpan, hand: Handover) -> int:
        """A post that two queries of a topic find counts twice."""
        within = span.parameters(time.time_ns() // 1_000_000)
        if within is None:
            return 0
        questions = [partial(self._client.count, query, within) for query in asked_for]
        return sum(ask(question, hand, self._rest) for question in questions)


def described(posts: int, price: Decimal | None) -> str:
    """One line for a person; `price` is in US dollars a post."""
    cost = "" if price is None else f", {posts * price:,.2f} USD"
    return f"{posts:,} posts{cost}"
