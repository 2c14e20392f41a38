"""X API v2: tweet objects, pages with includes, stream messages, and twarc2's lines of them.

Reference: https://docs.x.com/x-api/fundamentals/data-dictionary
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from mltox.posts.formats.draft import Draft, Json, Obj
from mltox.posts.formats.found import (
    FormatParts,
    MessagePart,
    as_list,
    as_obj,
    deletion,
    no_post,
    one,
    unescaped,
)
from mltox.posts.formats.stamps import read_stamp
from mltox.posts.records import SECOND

_TWEET_FIELDS = frozenset(
    {
        "author_id",
        "context_annotations",
        "conversation_id",
        "edit_history_tweet_ids",
        "in_reply_to_user_id",
        "note_tweet",
        "public_metrics",
        "referenced_tweets",
        "reply_settings",
    }
)
FEW_FIELDS = frozenset({"created_at", "id", "lang", "source", "text"})
"""Fields of a tweet that other rows have as well."""
_GONE = ("delete", "drop")
"""Compliance events after which a post may not be kept:
https://docs.x.com/x-api/compliance/streams/introduction"""
_MILLIS = re.compile(r"[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z")
_SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
_FIRST_SNOWFLAKE = 300_000_000_000_000


def find(obj: Obj) -> FormatParts | None:
    """Finds the tweets of a page or a stream message, a bare tweet, or a deletion."""
    data = None if "text" in obj else obj.get("data")
    if isinstance(data, list):
        return _page(obj, data)
    if isinstance(data, dict) and not isinstance(obj.get("kind"), str):
        if "text" in data or "note_tweet" in data:
            return FormatParts((_part(data, _included(obj)),))
        for event in _GONE:
            if isinstance(data.get(event), dict):
                return deletion(obj, _gone_id(data[event]))
        return no_post(data, "an X API answer without a post") if "username" in data else None
    if "errors" in obj and "text" not in obj:
        return no_post(obj, "an X API error message")
    meta = obj.get("meta")
    if isinstance(meta, dict) and "result_count" in meta:
        return no_post(obj, "an X API page without posts")
    return one(obj, parse) if not _TWEET_FIELDS.isdisjoint(obj) else None


def _page(obj: Obj, data: list[Json]) -> FormatParts:
    tweets = [item for item in data if isinstance(item, dict) and "text" in item]
    if any("created_utc" in as_obj(item) or "kind" in as_obj(item) for item in data):
        return FormatParts(nested=data)
    if not tweets:
        return no_post(obj, "an API page without posts")
    included = _included(obj)
    return FormatParts([_part(item, included) for item in data])


def _included(page: Obj) -> dict[str, Obj]:
    tweets = as_list(as_obj(page.get("includes")).get("tweets"))
    return {
        tweet["id"]: tweet
        for tweet in tweets
        if isinstance(tweet, dict) and isinstance(tweet.get("id"), str)
    }


def _part(tweet: Json, included: Mapping[str, Obj]) -> MessagePart:
    return MessagePart(tweet, partial(parse, included=included) if included else parse)


def _gone_id(event: Obj) -> str | None:
    native_id = as_obj(event.get("tweet")).get("id")
    if not isinstance(native_id, str) or not (native_id.isascii() and native_id.isdigit()):
        return None
    return f"x:{native_id[:20]}"


def parse(tweet: Obj, included: Mapping[str, Obj] | None = None) -> Draft:
    """Parses a tweet.

    A retweet has the whole text of its original where that is at hand, without `RT @user:`, so that
    a text and its retweets are one text. A tweet without `created_at` (X sends it only when asked)
    has the time that its id holds.
    """
    native_id = tweet.get("id")
    created_at = tweet.get("created_at")
    if created_at is None:
        created_at = snowflake_millis(native_id)
    return Draft(
        source="x",
        native_id=native_id,
        text=unescaped(_text(_original(tweet, included or {}))),
        created_at=created_at,
        lang=tweet.get("lang"),
        author=tweet.get("author_id"),
    )


def _text(tweet: Obj) -> Json:
    long_text = as_obj(tweet.get("note_tweet")).get("text")
    return long_text if isinstance(long_text, str) else tweet.get("text")


def _original(tweet: Obj, included: Mapping[str, Obj]) -> Obj:
    for reference in as_list(tweet.get("referenced_tweets")):
        if isinstance(reference, dict) and reference.get("type") == "retweeted":
            # twarc2 flatten puts the original's fields into the reference itself.
            reference_id = reference.get("id")
            original = included.get(reference_id) if isinstance(reference_id, str) else None
            for candidate in (original, reference):
                if candidate and isinstance(_text(candidate), str):
                    return candidate
    return tweet


def snowflake_millis(native_id: Json) -> int | None:
    """Returns the milliseconds since 1970 that an X id holds, or None for one before Nov 2010.

    The upper 42 of an id's 63 bits are milliseconds since 2010-11-04T01:42:54.657Z:
    https://docs.x.com/fundamentals/x-ids
    """
    if isinstance(native_id, str) and native_id.isascii() and native_id.isdigit():
        if len(native_id) > 19:
            return None
        native_id = int(native_id)
    if isinstance(native_id, bool) or not isinstance(native_id, int):
        return None
    if not _FIRST_SNOWFLAKE <= native_id < 2**63:
        return None
    return (native_id >> 22) + _SNOWFLAKE_EPOCH_MS


def has_its_time(tweet: Obj) -> bool:
    """Whether an object's id is one of X: a string, and where there is a time as X writes it, the
    id holds the same one.

    >>> has_its_time({"id": "1212092628029698048", "created_at": "2019-12-31T19:26:16.000Z"})
    True
    """
    native_id = tweet.get("id")
    held = snowflake_millis(native_id) if isinstance(native_id, str) else None
    if held is None:
        return False
    if "created_at" not in tweet:
        return True
    created_at = tweet["created_at"]
    if not isinstance(created_at, str) or _MILLIS.fullmatch(created_at) is None:
        return False
    stamp = read_stamp(created_at)
    return stamp is not None and abs(stamp - held * 1000) <= SECOND


def first_id_at(millis: int) -> int:
    """Returns the lowest id that X may give at a time, in milliseconds since 1970."""
    return max(millis - _SNOWFLAKE_EPOCH_MS, 0) << 22
