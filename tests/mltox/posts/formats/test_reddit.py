from __future__ import annotations

from typing import Any

import pytest


def comment(native_id: str, **more: Any) -> dict[str, Any]:
    data = {"id": native_id, "author": "someone", "body": "b", "created_utc": 1748858400.0}
    return {"kind": "t1", "data": {**data, **more}}


def listing(*children: Any) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"children": list(children)}}


def test_a_comment(post: Any, authors: Any) -> None:
    envelope = post(comment("c1", body="1 &lt; 2 &amp; so on"))
    assert envelope.post_id == "reddit:t1_c1"
    assert envelope.text == "1 < 2 & so on"
    assert envelope.created_at == 1_748_858_400_000_000
    assert envelope.author_key == authors.key("reddit", "someone")


def test_a_submission_is_its_title_and_its_text(post: Any) -> None:
    data = {"id": "s1", "title": "Title", "selftext": "Text", "created_utc": 1748858400}
    assert post({"kind": "t3", "data": data}).text == "Title\n\nText"
    assert post(data | {"selftext": ""}).text == "Title"
    assert post(data | {"selftext": "[removed]"}).text == "Title"
    assert post(data | {"selftext": "[removed]"}).post_id == "reddit:t3_s1"


def test_a_thread_with_replies_to_any_depth_in_order(decoded: Any) -> None:
    deep = comment("c0", replies="")
    for n in range(1, 40):
        deep = comment(f"c{n}", replies=listing(deep))
    thread = [listing({"kind": "t3", "data": {"id": "s", "title": "T", "created_utc": 1e9}}),
              listing(deep, comment("last"), {"kind": "more", "data": {"count": 3}})]  # fmt: skip
    items = decoded(thread)
    assert [getattr(item, "error_type", item.post_id) for item in items] == [
        "reddit:t3_s",
        *(f"reddit:t1_c{n}" for n in range(39, -1, -1)),
        "reddit:t1_last",
        "not_a_post",
    ]


@pytest.mark.parametrize("body", ["[deleted]", "[removed]"])
def test_what_is_gone_is_empty(body: str, reject: Any) -> None:
    assert reject(comment("c1", body=body)).error_type == "empty_text"


def test_a_deleted_author_is_no_author(post: Any) -> None:
    assert post(comment("c1", author="[deleted]")).author_key is None


def test_dumps_hold_bare_objects(decoded: Any) -> None:
    bare = comment("c1")["data"]
    assert [item.post_id for item in decoded({"data": [bare]})] == ["reddit:t1_c1"]


@pytest.mark.parametrize("kind", ["t2", "t5", "more"])
def test_other_things(kind: str, reject: Any) -> None:
    assert reject({"kind": kind, "data": {"id": "1"}}).error_type == "not_a_post"


def test_an_empty_listing(reject: Any) -> None:
    assert reject(listing()).error_type == "not_a_post"


@pytest.mark.parametrize(
    "text",
    [
        "[deleted]",
        "[removed]",
        "[deleted by user]",
        "[ Removed by Reddit ]",
        "[removed by moderator]",
        "[ Removed by Reddit on account of violating the content policy. ]",
    ],
)
def test_what_reddit_shows_in_place_of_a_text_is_no_post(text: str, reject: Any) -> None:
    thing = {"id": "a", "created_utc": 1_700_000_000, "author": "someone"}
    assert reject(thing | {"body": text}).error_type == "empty_text"
    assert reject(thing | {"title": text, "selftext": "[removed]"}).error_type == "empty_text"


def test_a_title_without_its_text_and_a_text_without_its_title_are_posts(post: Any) -> None:
    thing = {"id": "a", "created_utc": 1_700_000_000}
    assert post(thing | {"title": "a title", "selftext": "[removed]"}).text == "a title"
    assert post(thing | {"title": "[deleted by user]", "selftext": "a text"}).text == "a text"
    assert post(thing | {"body": "[deleted] scenes of it"}).text == "[deleted] scenes of it"
