"""Plain rows: `{id, text, created_at, author, topic or topics, lang, source}`."""

from __future__ import annotations

from mltox.posts.formats import x_v2
from mltox.posts.formats.draft import BadPost, Draft, Json, Obj
from mltox.posts.formats.found import FormatParts, one, without_entities
from mltox.posts.networks import DEFAULT_SOURCE, network_of

PLAIN_FIELDS = dict.fromkeys(
    ("id", "text", "created_at", "author", "topic", "topics", "lang", "source")
).keys()
"""What a plain row may have, in the order in which people are told; a set for comparing."""


def find(obj: Obj) -> FormatParts | None:
    """Finds a plain row: an object that has at least a text, or an id and a time.

    An object with an id of X and no field that a tweet has not is a tweet, however few of its
    fields were asked for.
    """
    if "text" in obj or ("id" in obj and "created_at" in obj):
        return one(obj, x_v2.parse if _is_tweet(obj) else parse)
    return None


def parse(row: Obj) -> Draft:
    """Parses a plain row; a row of which no network is known is of the source `file`."""
    source, created_at = _source(row.get("source")), row.get("created_at")
    if source == "x" and created_at is None:
        created_at = x_v2.snowflake_millis(row.get("id"))
    return Draft(
        source=source,
        native_id=row.get("id"),
        text=without_entities(row.get("text")),
        created_at=created_at,
        lang=row.get("lang"),
        author=row.get("author"),
        topics=row.get("topics", row.get("topic")),
    )


def _is_tweet(row: Obj) -> bool:
    if not row.keys() <= x_v2.FEW_FIELDS:
        return False
    source = row.get("source")
    named = isinstance(source, str) and network_of(source) is not None
    return not named and x_v2.has_its_time(row)


def _source(value: Json) -> str:
    if value is None or value == "":
        return DEFAULT_SOURCE
    if not isinstance(value, str):
        raise BadPost("wrong_type", "the source is no string")
    return network_of(value) or DEFAULT_SOURCE
