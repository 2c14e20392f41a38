"""Reads a span of X's recent search, the oldest post first, and within the budget."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from ingest.sources.handover import Handover
from ingest.sources.x.budget import BudgetSpent
from ingest.sources.x.calls import Wait, ask
from ingest.sources.x.client import Obj, XClient
from ingest.sources.x.meter import Meter
from ingest.sources.x.pages import MOST_OF_A_POST, PagePost, next_page, posts_of_page, reads
from ingest.sources.x.spans import IdSpan

PAGE_LEAST, PAGE_MOST = 10, 100
"""Posts that a page of recent search may be asked to hold."""


class SearchResult(NamedTuple):
    """Posts by their time. If the budget ended before all were read, `spent` says so: then they are
    the newest ones."""

    posts: list[PagePost]
    spent: BudgetSpent | None = None


class XReader:
    """All raise SourceError for what a new try cannot mend, and Stopped."""

    def __init__(self, client: XClient, meter: Meter, rest: Wait = Handover.rest) -> None:
        self._client = client
        self._meter = meter
        self._rest = rest

    def read(self, queries: Sequence[str], span: IdSpan, hand: Handover) -> SearchResult:
        """Returns the posts that any of the queries finds, each once. No page is asked for that the
        month can't pay for."""
        within = span.parameters(time.time_ns() // 1_000_000)
        if within is None:
            return SearchResult([])
        found: dict[int | bytes, PagePost] = {}
        spent = None
        try:
            for query in queries:
                for page in self._pages(query, within, hand):
                    for message in posts_of_page(page):
                        found.setdefault(message.id or message.payload, message)
        except BudgetSpent as error:
            spent = error
        return SearchResult(sorted(found.values(), key=lambda message: message.id), spent)

    def _pages(self, query: str, within: Mapping[str, str], hand: Handover) -> Iterator[Obj]:
        token: str | None = None
        while True:
            page = ask(partial(self._bought, query, token, within), hand, self._rest)
            yield page
            if (token := next_page(page)) is None:
                return

    def _bought(self, query: str, token: str | None, within: Mapping[str, str]) -> Obj:
        taken = self._meter.take(PAGE_MOST * MOST_OF_A_POST, PAGE_LEAST * MOST_OF_A_POST)
        try:
            most = min(PAGE_MOST, taken // MOST_OF_A_POST)
            page = self._client.search(query, most, token, within)
        except Exception:
            # X charges for what it returns, and for a post that is asked for again only once a day.
            self._meter.give_back(taken)
            raise
        self._meter.give_back(taken - reads(page))
        return page
