"""A Mastodon instance's REST API, through Mastodon.py: where it streams, and its timelines."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mastodon import Mastodon
from mastodon.errors import (
    MastodonAPIError,
    MastodonError,
    MastodonNetworkError,
    MastodonNotFoundError,
    MastodonRatelimitError,
    MastodonServerError,
)

from ingest.sources.mastodon.feeds import Feed
from ingest.sources.retries import LONGEST_REQUEST, Trouble
from ingest.sources.source import SourceError

MASTODON_TOKEN = "MASTODON_ACCESS_TOKEN"
TIMELINE_PAGE = 40
"""The most that a timeline gives at once."""
MASTODON_SECONDS = 30.0
_KEY_ERRORS = (401, 403, 422)


class TimelinePost(NamedTuple):
    """A status of a timeline: its number on this instance, and itself as JSON."""

    status_id: str
    status: dict[str, Any]
    payload: bytes


class Instance:
    """One instance, such as https://mastodon.social; `token` may be None.

    Methods raise Trouble, and SourceError for what a new try cannot mend.
    """

    def __init__(self, address: str, token: str | None) -> None:
        self.address = address if "://" in address else f"https://{address}"
        self.token = token
        self._api = Mastodon(
            access_token=token,
            api_base_url=self.address,
            ratelimit_method="throw",
            request_timeout=MASTODON_SECONDS,
            user_agent="mltox",
        )

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    def stream_url(self) -> str:
        """Where its streams are: https://docs.joinmastodon.org/entities/Instance/#streaming"""
        base = ""
        try:
            base = str(self._api.instance_v2().configuration.urls.streaming)
        except (MastodonNotFoundError, AttributeError, KeyError, TypeError):
            pass  # it is older than Mastodon 4, or something else
        except MastodonError as error:
            raise self._explained(error) from error
        scheme, _, rest = (base if "://" in base else self.address).partition("://")
        secure = scheme in ("https", "wss")
        return f"{'wss' if secure else 'ws'}://{rest.rstrip('/')}/api/v1/streaming"

    def after(self, feed: Feed, status_id: str) -> Sequence[TimelinePost]:
        """The statuses of a feed that follow this one, oldest first, at most 40."""
        try:
            page = self._api.timeline(feed.timeline, min_id=status_id, limit=TIMELINE_PAGE)
            found = [
                TimelinePost(str(status["id"]), status, json.dumps(status, default=_text).encode())
                for status in page
            ]
        except (MastodonError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._explained(error) from error
        return sorted(found, key=lambda each: (len(each.status_id), each.status_id))

    def denied(self, status: int) -> SourceError:
        """What to tell a person about an HTTP status that means a key."""
        if self.token is None:
            return SourceError(f"{self.host} wants a key (HTTP {status}): set {MASTODON_TOKEN}")
        return SourceError(
            f"{self.host} refuses {MASTODON_TOKEN} (HTTP {status}): wrong, or may not read"
        )

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, MastodonRatelimitError):
            reset = self._api.ratelimit_reset
            wait = None if reset is None else min(max(reset - time.time(), 0.0), LONGEST_REQUEST)
            return Trouble(f"{self.host} asks for a rest (HTTP 429)", wait)
        if isinstance(error, MastodonNetworkError):
            return Trouble(f"cannot reach {self.host}")
        status = error.args[1] if isinstance(error, MastodonAPIError) else None
        if not isinstance(status, int):
            return Trouble(f"the answer of {self.host} can't be read: {type(error).__name__}")
        if status in _KEY_ERRORS:
            return self.denied(status)
        if isinstance(error, MastodonServerError) or status == 408:
            return Trouble(f"{self.host} answers with HTTP {status}")
        return SourceError(
            f"{self.host} does not take the request (HTTP {status}): is it Mastodon?"
        )


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
