"""Reddit: new submissions and comments of subreddits, looked for every half minute.

Needs the keys of an application (type script or web) of https://www.reddit.com/prefs/apps, which
reads as nobody: no account, only what is public. PRAW keeps within the rate limit that Reddit tells
in its headers. At the very first run it begins with what the listings still show, up to about 1,000
submissions and as many comments.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

import praw
from praw.exceptions import PRAWException
from prawcore.exceptions import OAuthException, RequestException, ResponseException

from ingest.sources.handover import Handover, batches_of
from ingest.sources.reddit.listing import LISTING_PAGE, Listing, Page
from ingest.sources.retries import Backoff, Retries, Trouble, asked_wait
from ingest.sources.source import Batch, CurrentTopics, Cursor, Source, SourceError
from mltox.google.secrets import secret

CLIENT_ID, CLIENT_SECRET = "REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET"
API_URL, LOGIN_URL = "https://oauth.reddit.com", "https://www.reddit.com"
LISTINGS = {"submissions": "new", "comments": "comments"}
"""What the cursor calls a listing, and its address below a subreddit's."""
REDDIT_BACKOFF = Backoff(first=5.0, longest=300.0)
_NAME = re.compile(r"[A-Za-z0-9_]{2,30}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--subreddits",
        type=subreddit_names,
        required=True,
        metavar="news,worldnews",
        help="subreddits to read; a listing shows the newest 1,000 of all of them together, so give"
        " busy ones runs of their own",
    )
    parser.add_argument(
        "--every",
        type=seconds,
        default=30.0,
        metavar="SECONDS",
        help="how often to look (default: 30; at least 5). A look is at least two requests, and"
        " Reddit allows 100 a minute",
    )
    parser.add_argument(
        "--once", action="store_true", help="look once, then end; for a run that is scheduled"
    )
    parser.add_argument(
        "--user-agent",
        default=f"python:mltox:{importlib.metadata.version('mltox')}",
        help="what Reddit asks to be told, best with a name to write to:"
        " 'python:mltox:0.1.0 (by /u/you)' (default: %(default)s)",
    )


def subreddit_names(value: str) -> tuple[str, ...]:
    names = tuple(name.strip().removeprefix("r/") for name in value.split(","))
    for name in names:
        if not _NAME.fullmatch(name):
            raise argparse.ArgumentTypeError(f"{name!r} is no name of a subreddit")
    return names


def seconds(value: str) -> float:
    number = float(value)
    if not number >= 5:
        raise argparse.ArgumentTypeError("looking more often than every 5 seconds is not polite")
    return number


def open_source(options: argparse.Namespace, topics: CurrentTopics) -> Source:
    """Reddit's search misses comments, so that the topics are found by whoever reads."""
    client = open_client(secret(CLIENT_ID), secret(CLIENT_SECRET), options.user_agent)
    return Reddit(client, options.subreddits, every=options.every, once=options.once)


def open_client(client_id: str, client_secret: str, user_agent: str) -> praw.Reddit:
    # PRAW takes what is missing here from a praw.ini in the working directory, whoever put it in.
    client = praw.Reddit(
        "DEFAULT",
        client_id=client_id,
        client_secret=client_secret,
        user_agent=user_agent,
        oauth_url=API_URL,
        reddit_url=LOGIN_URL,
        check_for_updates=False,
        check_for_async=False,
    )
    client.read_only = True
    return client


class Reddit:
    """Polls the listings of some subreddits, which Reddit shows as one."""

    name = "reddit"

    def __init__(
        self,
        client: praw.Reddit,
        subreddits: Sequence[str],
        *,
        every: float,
        once: bool = False,
        backoff: Backoff = REDDIT_BACKOFF,
    ) -> None:
        self._client = client
        self._subreddits = "+".join(subreddits)
        self._every = every
        self._once = once
        self._backoff = backoff

    def read(self, cursor: Cursor, stopping: threading.Event) -> Iterator[Batch]:
        return batches_of(lambda hand: self._listen(hand, cursor), stopping)

    def _listen(self, hand: Handover, cursor: Cursor) -> None:
        retries = Retries(hand, self.name, self._backoff)
        listings = {path: Listing(name, cursor) for name, path in LISTINGS.items()}
        while True:
            try:
                for path, listing in listings.items():
                    for batch in listing.poll(partial(self._page, path)):
                        hand.put(batch)
            except Trouble as trouble:
                retries.wait(trouble)
            else:
                if self._once:
                    return
                retries.worked()
                hand.rest(self._every)

    def _page(self, path: str, after: str | None) -> Page:
        params: dict[str, str | int] = {"limit": LISTING_PAGE}
        if after is not None:
            params["after"] = after
        try:
            answer = self._client.request(
                method="GET", path=f"r/{self._subreddits}/{path}", params=params
            )
            data = answer["data"]
            children, after = data["children"], data.get("after")
        except ResponseException as error:
            raise self._refused(error) from error
        except OAuthException as error:
            raise SourceError(_BAD_KEYS) from error
        except RequestException as error:
            name = type(error.original_exception).__name__
            raise Trouble(f"cannot reach Reddit: {name}") from error
        except (PRAWException, ValueError, KeyError, TypeError, AttributeError) as error:
            # The client itself trips over answers that are no JSON or lack a header.
            raise Trouble(f"Reddit's answer can't be read: {type(error).__name__}") from error
        if not isinstance(children, list) or not isinstance(after, str | None):
            raise Trouble("Reddit's answer is no listing")
        return children, after

    def _refused(self, error: ResponseException) -> Exception:
        status = error.response.status_code
        if status == 401:
            return SourceError(_BAD_KEYS)
        if status in (302, 403, 404):
            return SourceError(
                f"reddit: r/{self._subreddits} can't be read (HTTP {status}): it is private, banned"
                " or not there, or Reddit has blocked this application"
            )
        wait = asked_wait(error.response.headers, datetime.now(UTC))
        return Trouble(f"Reddit answers with HTTP {status}", wait)


_BAD_KEYS = f"reddit: {CLIENT_ID} or {CLIENT_SECRET} is refused (HTTP 401): wrong, or revoked"
