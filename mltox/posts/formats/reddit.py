"""Reddit: comments (t1), submissions (t3), listings of them, and the bare objects in dumps.

Reference: https://www.reddit.com/dev/api
"""

from __future__ import annotations

import re

from mltox.posts.formats.draft import BadPost, Draft, Json, Obj
from mltox.posts.formats.found import (
    FormatParts,
    MessagePart,
    as_list,
    as_obj,
    no_post,
    one,
    unescaped,
)

_GONE = re.compile(r"\[\s*(?:deleted|removed)\b[^\[\]]{0,200}\]", re.IGNORECASE)
"""What Reddit shows in place of a text: `[deleted]`, `[deleted by user]`, `[ Removed by Reddit ]`,
`[ Removed by Reddit on account of violating the content policy. ]`."""
_KINDS = frozenset({"t1", "t2", "t3", "t4", "t5", "t6", "more", "Listing"})


def find(obj: Obj) -> FormatParts | None:
    """Finds comments, with the replies below them, and submissions."""
    kind, data = obj.get("kind"), obj.get("data")
    if isinstance(kind, str) and kind in _KINDS and isinstance(data, dict):
        if kind == "Listing":
            children = as_list(data.get("children"))
            return FormatParts(nested=children) if children else no_post(obj, "an empty listing")
        if kind == "t1":
            return _comment(data)
        if kind == "t3":
            return one(data, parse_submission)
        return no_post(obj, f"a thing of Reddit's kind {kind}")
    if "created_utc" in obj:
        if "body" in obj:
            return _comment(obj)
        if "title" in obj:
            return one(obj, parse_submission)
    return None


def _comment(comment: Obj) -> FormatParts:
    replies = as_obj(as_obj(comment.get("replies")).get("data")).get("children")
    own = {key: value for key, value in comment.items() if key != "replies"}
    return FormatParts((MessagePart(own, parse_comment),), as_list(replies))


def parse_comment(comment: Obj) -> Draft:
    """Parses a comment: the data of a t1."""
    return _draft(comment, "t1", comment.get("body"))


def parse_submission(submission: Obj) -> Draft:
    """Parses a submission, the data of a t3: its title, and its own text below."""
    title = submission.get("title")
    body = submission.get("selftext", submission.get("text"))
    if (
        isinstance(title, str)
        and isinstance(body, str)
        and body.strip()
        and not is_placeholder(body)
    ):
        title = body if is_placeholder(title) else f"{title}\n\n{body}"
    return _draft(submission, "t3", title)


def is_placeholder(text: Json) -> bool:
    """Whether a text, a title or an author is only what Reddit shows in its place.

    >>> is_placeholder("[deleted by user]"), is_placeholder("[deleted] scenes of the film")
    (True, False)
    """
    return isinstance(text, str) and _GONE.fullmatch(text.strip()) is not None


def _draft(thing: Obj, prefix: str, text: Json) -> Draft:
    if is_placeholder(text):
        raise BadPost("empty_text", "the text was deleted or removed at Reddit")
    author = thing.get("author")
    return Draft(
        source="reddit",
        native_id=_fullname(thing, prefix),
        text=unescaped(text),
        created_at=thing.get("created_utc"),
        lang=thing.get("lang"),
        author=None if is_placeholder(author) else author,
    )


def _fullname(thing: Obj, prefix: str) -> Json:
    native_id = thing.get("id")
    if isinstance(native_id, str) and native_id and not native_id.startswith(f"{prefix}_"):
        return f"{prefix}_{native_id}"
    return native_id
