"""Which column of a table, or key of JSON objects, holds which field of a post."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from mltox.posts.formats.plain import PLAIN_FIELDS
from mltox.posts.reading.errors import InputError

_LIKELY = {
    "text": (
        "full_text", "tweet", "content", "rawContent", "renderedContent", "body", "message",
        "Message", "Full Text", "Hit Sentence", "Opening Text", "Snippet", "selftext", "comment",
        "comment_text", "post", "title", "Title",
    ),
    "created_at": (
        "date", "Date", "timestamp", "time", "datetime", "createdAt", "created", "created_utc",
        "Post Created", "Post Created Date", "published_at", "published", "publish_date",
    ),
    "id": ("tweet_id", "post_id", "status_id", "id_str", "tweetid", "Resource Id", "Tweet Id"),
    "author": ("author_id", "user_id", "username", "Author", "user", "screen_name", "userid"),
}  # fmt: skip
_OF_TWEETS = frozenset(
    {
        "author_id", "conversation_id", "edit_history_tweet_ids", "in_reply_to_screen_name",
        "in_reply_to_status_id", "in_reply_to_user_id", "public_metrics.like_count",
        "public_metrics.retweet_count", "possibly_sensitive", "quoted_status_id", "retweet_count",
        "retweet_id", "tweet_url", "user_screen_name", "author.username",
    }
)  # fmt: skip
"""Columns of exports of tweets (twarc-csv, Hydrator); one alone may be of another network."""


def check_columns(columns: Mapping[str, str]) -> None:
    """Raises InputError if a mapping names a field that a post does not have."""
    for field in columns:
        if field not in PLAIN_FIELDS:
            raise InputError(f"no field {field!r}; a post has {', '.join(PLAIN_FIELDS)}")


def fields_of(mapping: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Which column or key each field of a post is in."""
    own = {name: name for name in names if name in PLAIN_FIELDS and name not in mapping.values()}
    return {**own, **mapping}


def checked_fields(
    name: str, mapping: Mapping[str, str], header: Sequence[str], required: Collection[str]
) -> dict[str, str]:
    """The fields of a table's header; raises InputError for a column that is not there."""
    there = f"{name} has {', '.join(header)}"
    for field, column in mapping.items():
        if column not in header:
            near = get_close_matches(column, header, 1)
            meant = f", did you mean {near[0]!r}?" if near else ";"
            raise InputError(f"no column {column!r} (for {field}){meant} {there}")
    fields = fields_of(mapping, header)
    for field in required:
        if field not in fields:
            raise InputError(
                f"no column {field!r}; name it as {field}=COLUMN{_hint(fields, header)}; {there}"
            )
    return fields


def _hint(fields: Mapping[str, str], header: Sequence[str]) -> str:
    """The mapping that the names of the columns suggest, for the person to say."""
    likely = {
        field: next((name for name in names if name in header), None)
        for field, names in _LIKELY.items()
        if field not in fields
    }
    pairs = ",".join(f"{field}={name}" for field, name in likely.items() if name)
    return f" (perhaps --columns {pairs!r})" if pairs else ""


def is_of_tweets(header: Iterable[str]) -> bool:
    """Whether a table's columns are those of an export of tweets."""
    return len(_OF_TWEETS.intersection(header)) > 1


def value_at(row: Mapping[str, Any], path: str) -> Any:
    """What a JSON object holds under a key, or under keys with dots between them.

    >>> value_at({"user": {"name": "a"}, "a.b": 1}, "user.name")
    'a'
    """
    if path in row:
        return row[path]
    found: Any = row
    for key in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found


def has_path(row: Mapping[str, Any], path: str) -> bool:
    """Whether a JSON object has the key, if only to say that there is nothing."""
    if path in row:
        return True
    *parents, last = path.split(".")
    found = value_at(row, ".".join(parents)) if parents else None
    return isinstance(found, dict) and last in found
