from __future__ import annotations

import json
from typing import Any

import pytest

RECORD = {
    "$type": "app.bsky.feed.post",
    "text": "salt &amp; pepper",
    "createdAt": "2025-06-02T10:00:00.123456789Z",
    "langs": ["pt-BR"],
}
COMMIT = {
    "operation": "create",
    "collection": "app.bsky.feed.post",
    "rkey": "3kabc",
    "record": RECORD,
    "cid": "bafy",
}
EVENT = {"did": "did:plc:someone", "time_us": 5, "kind": "commit", "commit": COMMIT}
V2 = {
    "$type": "message",
    "payload": {
        "$type": "network.bsky.jetstream.subscribeEvents#commit",
        "seq": 1,
        "did": "did:plc:someone",
        **COMMIT,
    },
}
VIEW = {
    "uri": "at://did:plc:someone/app.bsky.feed.post/3kabc",
    "cid": "bafy",
    "author": {"did": "did:plc:someone", "handle": "someone.example"},
    "record": RECORD,
}


def test_an_event(post: Any, authors: Any) -> None:
    envelope = post(EVENT)
    assert envelope.text == "salt &amp; pepper"  # Bluesky escapes nothing
    assert envelope.lang == "pt"
    assert envelope.created_at == 1_748_858_400_123_456
    assert envelope.author_key == authors.key("bluesky", "did:plc:someone")
    assert envelope.post_id.startswith("bluesky:") and "someone" not in envelope.post_id


@pytest.mark.parametrize("message", [V2, VIEW, {"posts": [VIEW]}, {"feed": [{"post": VIEW}]}])
def test_the_same_post_by_other_ways_is_the_same(message: Any, post: Any) -> None:
    assert post(message) == post(EVENT)


def test_a_deletion_names_the_post(post: Any, reject: Any) -> None:
    deletion = {"operation": "delete", "collection": "app.bsky.feed.post", "rkey": "3kabc"}
    item = reject(EVENT | {"commit": deletion})
    assert (item.error_type, item.post_id) == ("deletion", post(EVENT).post_id)
    v2 = {"payload": {**V2["payload"], "operation": "delete"}}  # type: ignore[dict-item]
    assert reject(v2).post_id == post(EVENT).post_id


@pytest.mark.parametrize(
    "message",
    [
        EVENT | {"kind": "identity"},
        EVENT | {"kind": "account"},
        EVENT | {"commit": COMMIT | {"collection": "app.bsky.feed.like"}},
        EVENT | {"commit": COMMIT | {"collection": "app.bsky.feed.repost"}},
        {"posts": []},
    ],
)
def test_other_events_are_no_posts(message: Any, reject: Any) -> None:
    assert reject(message).error_type == "not_a_post"


def test_a_post_in_two_languages_is_of_none(post: Any) -> None:
    two = EVENT | {"commit": COMMIT | {"record": RECORD | {"langs": ["en", "de"]}}}
    assert post(two).lang is None


def test_a_post_of_pictures_alone_is_empty(reject: Any) -> None:
    pictures = EVENT | {"commit": COMMIT | {"record": RECORD | {"text": ""}}}
    assert reject(pictures).error_type == "empty_text"


@pytest.mark.parametrize(
    "shape",
    [
        {"records": [{"uri": "URI", "cid": "c", "value": {"text": "hi", "createdAt": "TIME"}}]},
        {"uri": "URI", "cid": "c", "value": {"text": "hi", "createdAt": "TIME"}},
        {"uri": "URI", "author": {"did": "d"}, "record": {"text": "hi", "created_at": "TIME"}},
        {"post": {"uri": "URI", "record": {"text": "hi", "created_at": "TIME"}}, "reply": None},
        {"thread": {"post": {"uri": "URI", "record": {"text": "hi", "createdAt": "TIME"}}}},
        {"feed": [{"post": {"uri": "URI", "record": {"text": "hi", "createdAt": "TIME"}}}]},
    ],
)
def test_dumps_of_the_sdk_and_pages_of_records(shape: Any, post: Any) -> None:
    address = "at://did:plc:abc/app.bsky.feed.post/3kxyz"
    text = json.dumps(shape).replace("URI", address).replace("TIME", "2025-06-02T10:00:00Z")
    found = post(json.loads(text))
    assert (found.text, found.source) == ("hi", "bluesky")
    view = {"uri": address, "record": {"text": "hi", "createdAt": "2025-06-02T10:00:00Z"}}
    assert found.post_id == post(view).post_id
