"""X's filtered stream: posts on the topics within seconds.

https://docs.x.com/x-api/posts/filtered-stream/introduction
"""

from __future__ import annotations

import argparse
import logging
import threading
import time
from collections.abc import Iterator
from functools import partial

import requests

from ingest.sources.handover import Handover
from ingest.sources.source import Batch, CurrentTopics, Cursor, Source, SourceError
from ingest.sources.x.backoff import Patience
from ingest.sources.x.budget import Budget, open_budget
from ingest.sources.x.calls import Wait, error_kind
from ingest.sources.x.client import Endpoint, XClient
from ingest.sources.x.connection import STALL_SECONDS, Connection
from ingest.sources.x.errors import BEARER_TOKEN
from ingest.sources.x.follower import STREAM, Follower
from ingest.sources.x.gap import backfill_minutes
from ingest.sources.x.meter import Meter, metered
from ingest.sources.x.options import add_common_arguments, at_least
from ingest.sources.x.position import Position
from ingest.sources.x.reader import XReader
from ingest.sources.x.rule_keeper import RuleKeeper
from ingest.sources.x.rules import RuleError, rules
from ingest.sources.x.spans import ids_of
from mltox.google.secrets import secret

log = logging.getLogger(__name__)

MOST_BACKFILL = 5
EMPTY_SECONDS = 1.0
"""How often topics are looked for where there are none."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common_arguments(parser)
    parser.add_argument(
        "--max-rules",
        type=at_least(1),
        default=25,
        metavar="N",
        help="how many rules your access level allows, 25 to 1,000; default: %(default)s",
    )
    parser.add_argument(
        "--backfill-minutes",
        type=int,
        choices=range(1, MOST_BACKFILL + 1),
        help="let X send again what a short break missed, where your access level has backfill"
        " (enterprise); else, and after longer ones, recent search is asked, which is charged",
    )


def open_source(options: argparse.Namespace, topics: CurrentTopics) -> Source:
    """Raises SourceError, also for topics that X can't be asked for."""
    try:
        rules(topics(), options.rule_length)
    except RuleError as error:
        raise SourceError(str(error)) from None
    endpoint = Endpoint(secret(BEARER_TOKEN), options.x_api)
    client = XClient(endpoint)
    return XStream(
        endpoint,
        client,
        RuleKeeper(client, topics, options.rule_length, options.max_rules),
        open_budget(options, "x"),
        options.rule_length,
        options.backfill_minutes,
    )


class XStream:
    """Its cursor is the id of the post, or of the moment, up to which all has been read. What a
    break missed comes from recent search, as soon as that knows it."""

    name = "x-stream"

    def __init__(
        self,
        endpoint: Endpoint,
        client: XClient,
        keeper: RuleKeeper,
        budget: Budget,
        rule_length: int,
        backfill_minutes: int | None = None,
        stall_seconds: float = STALL_SECONDS,
        rest: Wait = Handover.rest,
    ) -> None:
        self._endpoint = endpoint
        self._client = client
        self._keeper = keeper
        self._budget = budget
        self._rule_length = rule_length
        self._backfill_minutes = backfill_minutes
        self._stall_seconds = stall_seconds
        self._rest = rest

    def read(self, cursor: Cursor, stopping: threading.Event) -> Iterator[Batch]:
        return metered(partial(self._work, cursor), self._budget, stopping)

    def _work(self, cursor: Cursor, meter: Meter, hand: Handover) -> None:
        position, patience = Position(ids_of(cursor).get(STREAM, 0)), Patience()
        while True:
            self._keeper.keep(hand)
            if not self._keeper.topics:
                self._rest(hand, EMPTY_SECONDS)
                continue
            meter.count(0)
            error = self._followed(position, patience, meter, hand)
            seconds = patience.seconds(error, time.time())
            log.warning("X's stream broke (%s); again in %.1f s", error_kind(error), seconds)
            self._rest(hand, seconds)

    def _followed(
        self, position: Position, patience: Patience, meter: Meter, hand: Handover
    ) -> Exception:
        """Returns why the connection ended."""
        position.broke()
        missing_ms = position.missing_ms(time.time_ns() // 1_000_000) if position.gap else 0
        backfill = backfill_minutes(missing_ms, self._backfill_minutes)
        connection = Connection(self._endpoint, self._stall_seconds)
        follower = Follower(
            connection,
            position,
            self._keeper,
            XReader(self._client, meter, self._rest),
            meter,
            self._rule_length,
            backfilled=backfill is not None,
        )
        try:
            connection.open(backfill)
            follower.follow(hand)
        finally:
            connection.close()
        if follower.lived:
            patience.reset()
        return follower.refused or connection.error or requests.ConnectionError("closed by X")
