"""Our own JSON: envelopes, deletions, and the notices that stand for what was found broken."""

from __future__ import annotations

import orjson

from mltox.posts.authors import is_author_key
from mltox.posts.envelope import SCHEMA, Envelope, Reject
from mltox.posts.formats.draft import (
    BadPost,
    Obj,
    check_unicode,
    checked_stamp,
    checked_text,
    language,
    topic_names,
)
from mltox.posts.formats.found import Found, deletion
from mltox.posts.formats.scrub import scrubbed_text, storable
from mltox.posts.records import Micros

MAX_ID_CHARACTERS = 300

_NOTICE = "mltox_notice"


def notice(error_type: str, message: str, payload: str = "", post_id: str | None = None) -> bytes:
    """Returns a message that decodes into one Reject of this type, with this payload."""
    row = {_NOTICE: error_type, "message": message, "payload": payload[:10_000]}
    return orjson.dumps(row if post_id is None else row | {"post_id": post_id})


def is_notice(obj: Obj) -> bool:
    """Returns whether an object is such a message."""
    return isinstance(obj.get(_NOTICE), str)


def rejected(obj: Obj) -> Reject:
    """Returns the Reject that a notice stands for."""
    message, payload = str(obj.get("message"))[:500], str(obj.get("payload"))
    post_id = obj.get("post_id")
    if not (isinstance(post_id, str) and 0 < len(post_id) <= MAX_ID_CHARACTERS):
        post_id = None
    return Reject(
        str(obj[_NOTICE])[:100],
        storable(message),
        storable(scrubbed_text(payload)),
        None if post_id is None else storable(post_id),
    )


def find_deletion(obj: Obj) -> Found | None:
    """Finds what `encode_deletion` has written."""
    deleted = obj.get("deleted")
    if obj.get("schema") != SCHEMA or not isinstance(deleted, str):
        return None
    known = 0 < len(deleted) <= MAX_ID_CHARACTERS and storable(deleted) == deleted
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
