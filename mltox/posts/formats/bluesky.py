"""Bluesky: Jetstream events (v1 and v2), and the post views of its application API.

References: https://github.com/bluesky-social/jetstream,
https://docs.bsky.app/docs/api/app-bsky-feed-get-posts
"""

from __future__ import annotations

import hashlib

from mltox.posts.formats.draft import BadPost, Draft, Json, Obj
from mltox.posts.formats.found import (
    FormatParts,
    as_list,
    as_obj,
    deletion,
    known_kind,
    no_post,
    one,
)

_POSTS = "app.bsky.feed.post"
_OTHER_RECORDS = frozenset(
    f"app.bsky.{name}"
    for name in (
        *("actor.profile", "feed.generator", "feed.like", "feed.postgate", "feed.repost"),
        *("feed.threadgate", "graph.block", "graph.follow", "graph.list", "graph.listitem"),
    )
)
_V2_EVENTS = "network.bsky.jetstream.subscribeEvents#"


def find(obj: Obj) -> FormatParts | None:
    """Finds the post of an event or of a view, or says what else the message is."""
    payload = obj.get("payload")
    if isinstance(payload, dict) and str(payload.get("$type")).startswith(_V2_EVENTS):
        kind = str(payload["$type"])[len(_V2_EVENTS) :]
        return _event(obj, kind, payload.get("did"), payload)
    if isinstance(obj.get("did"), str) and ("time_us" in obj or "commit" in obj):
        return _event(obj, obj.get("kind"), obj["did"], as_obj(obj.get("commit")))
    if "text" not in obj:
        for key in ("posts", "feed", "records"):
            views = obj.get(key)
            if isinstance(views, list):
                return FormatParts(nested=views) if views else no_post(obj, "a page without posts")
        thread = obj.get("thread")
        if isinstance(thread, dict) and "post" in thread:
            return FormatParts(nested=[thread])
        if _is_view(obj.get("post")):
            replies = as_list(obj.get("replies"))
            return FormatParts(nested=[obj["post"], *(r for r in replies if "post" in as_obj(r))])
    if _is_view(obj):
        return one(obj, _parse_view)
    return None


def _is_view(value: Json) -> bool:
    """Whether it is a post with its address: a view, or a record of `listRecords`."""
    if not isinstance(value, dict) or not str(value.get("uri")).startswith("at://"):
        return False
    return isinstance(value.get("record"), dict) or isinstance(value.get("value"), dict)


def _event(obj: Obj, kind: Json, did: Json, commit: Obj) -> FormatParts:
    if kind != "commit":
        return no_post(obj, "an event of an account")
    collection, operation = commit.get("collection"), commit.get("operation")
    if collection != _POSTS:
        return no_post(obj, f"a record of another kind{known_kind(collection, _OTHER_RECORDS)}")
    rkey = commit.get("rkey")
    if operation == "delete":
        native_id = _native_id(did, rkey)
        return deletion(obj, f"bluesky:{native_id}" if native_id else None)
    record = as_obj(commit.get("record"))
    return one(obj, lambda _: _draft(did, rkey, record))


def _parse_view(view: Obj) -> Draft:
    did, _, path = str(view["uri"])[len("at://") :].partition("/")
    collection, _, rkey = path.rpartition("/")
    if collection != _POSTS:
        raise BadPost(
            "not_a_post", f"a record of another kind{known_kind(collection, _OTHER_RECORDS)}"
        )
    return _draft(did, rkey, as_obj(view.get("record") or view.get("value")))


def _draft(did: Json, rkey: Json, record: Obj) -> Draft:
    languages = as_list(record.get("langs"))
    return Draft(
        source="bluesky",
        native_id=_native_id(did, rkey),
        text=record.get("text"),
        # the Python SDK writes its models in snake case
        created_at=record.get("createdAt", record.get("created_at")),
        # A post in several languages is not known to be in any one of them.
        lang=languages[0] if len(languages) == 1 else None,
        author=did,
    )


def _native_id(did: Json, rkey: Json) -> str | None:
    """A hash of the post's address, which holds the author's id; a deletion names no cid."""
    if not (isinstance(did, str) and isinstance(rkey, str) and did and rkey):
        return None
    address = f"at://{did}/{_POSTS}/{rkey}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(address).hexdigest()[:32]
