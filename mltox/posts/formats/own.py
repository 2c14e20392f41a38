"""Our own JSON: envelopes, deletions, and the notices that stand for what was found broken."""

from __future__ import annotations

from typing import TypeGuard

import orjson

from mltox.base.text import legible
from mltox.posts.authors import AuthorKeys, is_author_key
from mltox.posts.envelope import SCHEMA, Envelope
from mltox.posts.formats.draft import (
    BadPost,
    Json,
    Obj,
    check_unicode,
    checked_stamp,
    checked_text,
    topic_names,
)
from mltox.posts.formats.found import FormatParts, deletion
from mltox.posts.formats.masked import masked_json, masked_text, without_names
from mltox.posts.languages import language
from mltox.posts.records import Micros

MAX_ID_CHARACTERS = 300

_NOTICE = "mltox_notice"
_WORDS_OF_TYPES = """
a an and array at bad beyond body bomb bound broken bytes cell character column columns
compressed compression corrupt created csv cut deep deletion document duplicate empty
encoding end error failed failing file format future group header id in input json key known
large late length letters limit line lone long malformed many message missing model more
name nested no not nul null number object of off out outside over page parquet part parts
post posts quote range ratio read reject row rows schema score shape size small span stamp
structure surrogate table text time timed too topic topics truncated turn type unclosed
undated unexpected unknown unreadable unsupported utf value values wide window wrong zip
"""
"""Of which the error types of our own consist: a stranger's may be anything, a name too."""


def notice(error_type: str, message: str, payload: str = "", post_id: str | None = None) -> bytes:
    """Returns a message that decodes into one Reject of this type, with this payload."""
    row = {_NOTICE: error_type, "message": message, "payload": payload[:10_000]}
    return orjson.dumps(row if post_id is None else row | {"post_id": post_id})


def is_notice(value: Json) -> TypeGuard[Obj]:
    """Returns whether a value is such a message."""
    return isinstance(value, dict) and isinstance(value.get(_NOTICE), str)


def noticed(obj: Obj) -> BadPost:
    """Returns what a notice says is wrong. On a topic anybody may write one, so its words are
    bounded and name nobody."""
    error_type, post_id = str(obj[_NOTICE]), obj.get("post_id")
    known_words = set(_WORDS_OF_TYPES.split())
    if len(error_type) > 60 or not known_words.issuperset(error_type.split("_")):
        error_type = "unknown_notice"
    if not (isinstance(post_id, str) and 0 < len(post_id) <= MAX_ID_CHARACTERS):
        post_id = None
    message = obj.get("message")
    said = without_names(message[:500]) if isinstance(message, str) else ""
    return BadPost(
        error_type, said or "a notice without words", None if post_id is None else legible(post_id)
    )


def noticed_payload(obj: Obj, authors: AuthorKeys) -> str:
    """Returns the payload that a notice holds, masked as any other: it may be so already."""
    payload = obj.get("payload")
    if not isinstance(payload, str):
        return ""
    try:
        return masked_json(orjson.loads(payload), authors)
    except ValueError:
        return masked_text(payload)


def find_deletion(obj: Obj) -> FormatParts | None:
    """Finds what `encode_deletion` has written."""
    deleted = obj.get("deleted")
    if obj.get("schema") != SCHEMA or not isinstance(deleted, str):
        return None
    known = 0 < len(deleted) <= MAX_ID_CHARACTERS and legible(deleted) == deleted
    return deletion(obj, deleted if known else None)


def is_envelope(obj: Obj) -> bool:
    """Returns whether an object is an envelope of ours, of whatever version."""
    return "schema" in obj and "post_id" in obj


def envelope(obj: Obj, now: Micros) -> Envelope:
    """Returns the envelope in an object, each field checked as on the way in; raises BadPost."""
    if obj["schema"] != SCHEMA:
        raise BadPost("unsupported_schema", f"the envelope's schema is not {SCHEMA}")
    strings = {}
    for field in ("post_id", "source"):
        value = obj.get(field)
        if not isinstance(value, str) or not 0 < len(value) <= MAX_ID_CHARACTERS:
            raise BadPost("wrong_type", f"the envelope's {field} is no string of 1 to 300")
        check_unicode(value, f"the {field}")
        strings[field] = value
    if not strings["post_id"].startswith(strings["source"] + ":"):
        raise BadPost("bad_id", "the envelope's post_id does not begin with its source")
    author_key = obj.get("author_key")
    if author_key is not None and not (isinstance(author_key, str) and is_author_key(author_key)):
        raise BadPost("wrong_type", "the envelope's author_key is no author key")
    return Envelope(
        post_id=strings["post_id"],
        source=strings["source"],
        text=checked_text(obj.get("text")),
        created_at=checked_stamp(obj.get("created_at"), now),
        lang=language(obj.get("lang")),
        author_key=author_key,
        topics=topic_names(obj.get("topics")),
    )
