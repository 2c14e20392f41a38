"""X API v2 through tweepy, with an app's bearer token. Answers are JSON as X sent it.

tweepy itself waits, sleeps and logs on its own account: here its sessions raise `XError` before it
can, so that all waiting is done where it can be stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
import requests
import tweepy

from ingest.sources.x.errors import XError

API = "https://api.x.com"
TIMEOUT_SECONDS = 30.0
CONNECT_SECONDS = 10.0
REQUESTED_FIELDS = {
    "tweet_fields": [
        "author_id",
        "created_at",
        "lang",
        "note_tweet",
        "referenced_tweets",
    ],
    "expansions": ["referenced_tweets.id"],
}
"""What is asked for of a post: its whole text, and the posts it refers to. No accounts."""

_ADDRESS_OF_TWEEPY = "https://api.twitter.com"
_LONGEST_ERROR = 10_000

Obj = dict[str, Any]


class _NoHeaders(logging.Filter):
    """tweepy's debug lines hold the headers of a request, and they hold the token."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


logging.getLogger("tweepy.client").addFilter(_NoHeaders())


class XSession(requests.Session):
    """Sends to `address` what tweepy addresses to its own, and never waits without an end.

    Raises XError for an answer of 400 or more, and requests' exceptions. `latest` is the answer
    that came last.
    """

    def __init__(self, address: str = API, read_seconds: float = TIMEOUT_SECONDS) -> None:
        super().__init__()
        self.latest: requests.Response | None = None
        self._address = address.rstrip("/")
        self._timeout = (CONNECT_SECONDS, read_seconds)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        request.url = self._address + str(request.url).removeprefix(_ADDRESS_OF_TWEEPY)
        return super().prepare_request(request)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = super().send(request, **options | {"timeout": self._timeout})
        if response.status_code >= 400:
            with response:
                body = next(response.iter_content(_LONGEST_ERROR), b"")
            raise XError.of(response.status_code, response.headers, body)
        self.latest = response
        return response


class Endpoint(NamedTuple):
    """Where X is, and as whom. Its repr hides the token."""

    token: str
    address: str = API

    def __repr__(self) -> str:
        return f"Endpoint({self.address})"


class XClient:
    """Recent search and the rules of the filtered stream. All raise XError and requests'
    exceptions."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._search = tweepy.Client(endpoint.token, return_type=requests.Response)
        self._search.session = XSession(endpoint.address)
        self._rules = tweepy.StreamingClient(endpoint.token, return_type=requests.Response)
        self._rules.session = XSession(endpoint.address)

    def search(self, query: str, most: int, page: str | None, span: Mapping[str, str]) -> Obj:
        """Returns a page of at most `most` posts (10 to 100), the newest first."""
        return _answered(
            self._search.search_recent_tweets(
                query, max_results=most, next_token=page, **span, **REQUESTED_FIELDS
            )
        )

    def count(self, query: str, span: Mapping[str, str]) -> int:
        """Returns how many posts a search would find. That reads none."""
        answer = _object(self._search.get_recent_tweets_count(query, granularity="day", **span))
        meta = answer.get("meta")
        total = meta.get("total_tweet_count") if isinstance(meta, dict) else None
        if not isinstance(total, int):
            raise XError(200, "a count without a number")
        return total

    def rules(self) -> Obj:
        return _object(self._rules.get_rules())

    def add_rules(self, rules: list[tweepy.StreamRule]) -> Obj:
        return _object(self._rules.add_rules(rules))

    def delete_rules(self, ids: list[str]) -> Obj:
        return _object(self._rules.delete_rules(ids))


def _answered(response: requests.Response) -> Obj:
    """X says 200 also where it has errors alone: no page, and not one without posts."""
    answer = _object(response)
    if answer.get("errors") and "data" not in answer:
        raise XError.of(response.status_code, response.headers, response.content[:_LONGEST_ERROR])
    return answer


def _object(response: requests.Response) -> Obj:
    try:
        answer = orjson.loads(response.content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise XError(response.status_code, "an answer that is no JSON object")
    return answer
