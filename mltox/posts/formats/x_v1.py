"""X (Twitter) API v1.1: statuses, search results, and the notices of its streams.

Reference: https://developer.x.com/en/docs/x-api/v1/data-dictionary
"""

from __future__ import annotations

from mltox.posts.formats.draft import Draft, Json, Obj
from mltox.posts.formats.found import FormatParts, as_obj, deletion, no_post, one, unescaped
from mltox.posts.formats.x_v2 import snowflake_millis

_NOTICES = {
    "scrub_geo": "a removal of places",
    "limit": "a notice of rate limiting",
    "status_withheld": "a notice that a status is withheld",
    "user_withheld": "a notice that a user is withheld",
    "disconnect": "a notice of disconnection",
    "warning": "a warning of the stream",
}


_MARKS = frozenset({"full_text", "id_str", "in_reply_to_status_id_str", "retweeted_status"})


def find(obj: Obj) -> FormatParts | None:
    """Finds a status, the statuses of a search result, or a notice."""
    if "text" not in obj and "full_text" not in obj:
        if isinstance(obj.get("delete"), dict):
            return deletion(obj, _deleted_id(obj))
        for key, meaning in _NOTICES.items():
            if isinstance(obj.get(key), dict):
                return no_post(obj, meaning)
        own = obj.get("tweet")
        if isinstance(own, dict) and ("full_text" in own or "id_str" in own):
            return FormatParts(nested=[own])  # a line of Twitter's own archive
        statuses = obj.get("statuses")
        if isinstance(statuses, list):
            if statuses:
                return FormatParts(nested=statuses)
            return no_post(obj, "a search result without posts")
    if _MARKS & obj.keys() or isinstance(obj.get("user"), dict):
        return one(obj, parse)
    return None


def parse(status: Obj) -> Draft:
    """Parses a status; a retweet has the whole text of its original, without `RT @user:`."""
    user = as_obj(status.get("user"))
    native_id = _id(status)
    created_at = status.get("created_at")
    if created_at is None:
        created_at = snowflake_millis(native_id)
    original = status.get("retweeted_status")
    return Draft(
        source="x",
        native_id=native_id,
        text=unescaped(_text(original if isinstance(original, dict) else status)),
        created_at=created_at,
        lang=status.get("lang"),
        author=_id(user),
    )


def _text(status: Obj) -> Json:
    extended = as_obj(status.get("extended_tweet")).get("full_text")
    for text in (extended, status.get("full_text")):
        if isinstance(text, str):
            return text
    return status.get("text")


def _id(obj: Obj) -> Json:
    # The number in `id` is rounded by parsers that know only doubles; the string never is.
    text = obj.get("id_str")
    return text if isinstance(text, str) and text else obj.get("id")


def _deleted_id(obj: Obj) -> str | None:
    deleted = _id(as_obj(as_obj(obj["delete"]).get("status")))
    known = isinstance(deleted, str) and deleted.isascii() and deleted.isdigit()
    return f"x:{deleted[:20]}" if known else None
