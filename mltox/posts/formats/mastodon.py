"""Mastodon: statuses, and the frames of its streams.

Reference: https://docs.joinmastodon.org/entities/Status/
"""

from __future__ import annotations

import hashlib

import orjson

from mltox.posts.formats.draft import Draft, Json, Obj
from mltox.posts.formats.found import FormatParts, as_obj, deletion, known_kind, no_post, one
from mltox.posts.formats.html_text import text_of_html

_STATUS_EVENTS = frozenset({"update", "status.update"})

_OTHER_EVENTS = frozenset(
    [
        "notification",
        "filters_changed",
        "conversation",
        "announcement",
        "announcement.reaction",
        "announcement.delete",
        "notifications_merged",
        "encrypted_message",
    ]
)


def find(obj: Obj) -> FormatParts | None:
    """Finds a status, by itself or in a stream's frame."""
    event = obj.get("event")
    if isinstance(event, str) and "payload" in obj and "text" not in obj:
        return _frame(obj, event)
    if isinstance(obj.get("account"), dict) and ("content" in obj or "reblog" in obj):
        return one(obj, parse)
    return None


def _frame(obj: Obj, event: str) -> FormatParts:
    payload = obj["payload"]
    if event == "delete":
        # It holds the number that this one server gave the status, from which no post id follows.
        return deletion(obj, None)
    if event in _STATUS_EVENTS:
        if isinstance(payload, str):
            try:
                payload = orjson.loads(payload)
            except ValueError:
                payload = None
        if isinstance(payload, dict):
            return one(payload, parse)
    return no_post(obj, f"an event of Mastodon{known_kind(event, _OTHER_EVENTS)}")


def parse(status: Obj) -> Draft:
    """Parses a status; a boost has the text of what it boosts."""
    original = status.get("reblog")
    shown = original if isinstance(original, dict) else status
    account = as_obj(status.get("account"))
    return Draft(
        source="mastodon",
        native_id=native_id(status),
        text=_text(shown),
        created_at=status.get("created_at"),
        lang=shown.get("language"),
        author=account.get("url") or account.get("acct") or account.get("id"),
    )


def _text(status: Obj) -> Json:
    content, warning = status.get("content"), status.get("spoiler_text")
    if not isinstance(content, str):
        return content
    text = text_of_html(content)
    if isinstance(warning, str) and warning.strip():
        return f"{warning}\n\n{text}"
    return text


def native_id(status: Obj) -> Json:
    """Returns the id of a status: a hash of its address, which is the same on all servers that show
    it, while each of them numbers it differently."""
    address = status.get("uri")
    if isinstance(address, str) and address:
        return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return status.get("id")
