"""Plain rows: `{id, text, created_at, author, topic or topics, lang, source}`."""

from __future__ import annotations

import re

from mltox.posts.formats.draft import BadPost, Draft, Json, Obj
from mltox.posts.formats.found import Found, one

FIELDS = dict.fromkeys(
    ("id", "text", "created_at", "author", "topic", "topics", "lang", "source")
).keys()
"""What a plain row may have, in the order in which people are told; a set for comparing."""

DEFAULT_SOURCE = "file"

_NOT_IN_SOURCE = re.compile(r"[^a-z0-9_.-]+")


def find(obj: Obj) -> Found | None:
    """Finds a plain row: an object that has at least a text, or an id and a time."""
    if "text" in obj or ("id" in obj and "created_at" in obj):
        return one(obj, parse)
    return None


def parse(row: Obj) -> Draft:
    """Parses a plain row; a row without a source is of the source `file`."""
    return Draft(
        source=_source(row.get("source")),
        native_id=row.get("id"),
        text=row.get("text"),
        created_at=row.get("created_at"),
        lang=row.get("lang"),
        author=row.get("author"),
        topics=row.get("topics", row.get("topic")),
    )


def _source(value: Json) -> str:
    if value is None or value == "":
        return DEFAULT_SOURCE
    if not isinstance(value, str):
        raise BadPost("wrong_type", "the source is no string")
    return _NOT_IN_SOURCE.sub("-", value.casefold()).strip("-")[:40] or DEFAULT_SOURCE
