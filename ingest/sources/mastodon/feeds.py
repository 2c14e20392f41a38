"""What of Mastodon is listened to, and what its messages say.

Reference: https://docs.joinmastodon.org/methods/streaming/
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from mltox.posts.envelope import encode_deletion
from mltox.posts.formats.mastodon import native_id
from mltox.posts.topics import Topic

REMEMBERED_STATUSES = 100_000
LATE_SECONDS = 120
_SNOWFLAKE_BITS = 16
_FIRST_SNOWFLAKE = 1_000_000_000_000 << _SNOWFLAKE_BITS
"""The id of September 2001: a number below is no snowflake."""


class Feed(NamedTuple):
    """A stream as the streaming API calls it, with its tag if it is one of a hashtag; `topics` are
    those that asked for it."""

    stream: str
    tag: str = ""
    topics: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.stream}:{self.tag}" if self.tag else self.stream

    @property
    def timeline(self) -> str:
        """The timeline of the REST API that holds the same."""
        if self.tag:
            return f"tag/{quote(self.tag, safe='')}"
        return "local" if self.stream == "public:local" else "public"

    def command(self, kind: str) -> str:
        """The message that subscribes or unsubscribes."""
        tag = {"tag": self.tag} if self.tag else {}
        return orjson.dumps({"type": kind, "stream": self.stream, **tag}).decode()


def feeds(timeline: str, topics: Iterable[Topic]) -> dict[str, Feed]:
    """The feeds of `--timeline` by key: one, or one for each hashtag of the topics.

    A hashtag's feed names the topics, since Mastodon takes `café` and `cafe` for one tag, which the
    text does not show; but not those limited to languages, which the text has to decide.
    """
    if timeline != "hashtag":
        feed = Feed("public:local" if timeline == "local" else "public")
        return {feed.key: feed}
    askers: dict[str, list[str]] = {}
    for topic in topics:
        for hashtag in topic.hashtags:
            names = askers.setdefault(hashtag.lstrip("#＃").lower(), [])
            if not topic.languages and topic.name not in names:
                names.append(topic.name)
    found = [Feed("hashtag", tag, tuple(names)) for tag, names in askers.items()]
    return {feed.key: feed for feed in found}


class FeedEvent(NamedTuple):
    """A message of the stream. `status_id` is the number of the status that it is about."""

    kind: str
    feed: str = ""
    status_id: str = ""
    status: dict[str, Any] | None = None
    refusal: int = 0


def event_of(message: bytes) -> FeedEvent:
    """Reads a message; of the kind `unreadable` is what is none, and becomes a dead letter."""
    frame = _loaded(message)
    if not isinstance(frame, dict):
        return FeedEvent("unreadable")
    if "error" in frame:
        status = frame.get("status")
        return FeedEvent("error", refusal=status if isinstance(status, int) else 0)
    kind, payload = str(frame.get("event")), frame.get("payload")
    feed = _feed_key(frame.get("stream"))
    if kind == "delete":
        return FeedEvent(kind, feed, str(payload))
    if kind not in ("update", "status.update"):
        return FeedEvent(kind, feed)
    status = _loaded(payload)
    if not isinstance(status, dict):
        return FeedEvent("unreadable", feed)
    return FeedEvent(kind, feed, str(status.get("id", "")), status)


def _loaded(text: Any) -> Any:
    try:
        return orjson.loads(text)
    except (ValueError, TypeError):
        return None


def _feed_key(stream: Any) -> str:
    if not isinstance(stream, list) or not all(isinstance(part, str) for part in stream):
        return ""
    return ":".join(stream).lower()


def has_text(status: dict[str, Any]) -> bool:
    """Whether a topic could match it: a status of pictures alone has no words."""
    texts = (status.get("content"), status.get("spoiler_text"))
    wordless = all(text is None or (isinstance(text, str) and not text.strip()) for text in texts)
    return not wordless or status.get("reblog") is not None


def later(one: str, other: str) -> str:
    """The later of two ids: the longer one, else the one behind in the alphabet.

    https://docs.joinmastodon.org/api/guidelines/#id
    """
    return max(one, other, key=lambda status_id: (len(status_id), status_id))


def rewound(status_id: str) -> str:
    """An id two minutes earlier; one that is no snowflake as it is.

    Mastodon's ids begin with milliseconds. A status of another server gets the id of when it was
    written, so that one that took its time has an id below those that came before it.
    """
    if not (status_id.isascii() and status_id.isdecimal()) or int(status_id) < _FIRST_SNOWFLAKE:
        return status_id
    return str(int(status_id) - (LATE_SECONDS * 1000 << _SNOWFLAKE_BITS))


class Addresses:
    """Remembers which post a server's number stands for: a deletion names nothing else.

    Only the last 100,000, and only while the process runs; an older deletion can't be told whose it
    is. Holds post ids, which are hashes of the addresses.
    """

    def __init__(self) -> None:
        self._post_ids: OrderedDict[str, str] = OrderedDict()

    def keep(self, status_id: str, status: dict[str, Any]) -> None:
        self._post_ids[status_id] = f"mastodon:{native_id(status)}"
        if len(self._post_ids) > REMEMBERED_STATUSES:
            self._post_ids.popitem(last=False)

    def deletion(self, status_id: str, message: bytes) -> bytes:
        """The payload for a deletion: our own if the post is known, else the message."""
        post_id = self._post_ids.get(status_id)
        return message if post_id is None else encode_deletion(post_id)
