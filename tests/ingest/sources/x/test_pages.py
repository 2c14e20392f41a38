from __future__ import annotations

from typing import Any

import orjson
import pytest

from ingest.sources.x.lines import parsed_line
from ingest.sources.x.pages import PagePost, next_page, posts_of_page, reads

RETWEET = {
    "id": "30",
    "text": "RT @someone: cut o…",
    "referenced_tweets": [{"type": "retweeted", "id": "6"}],
}
ORIGINAL = {"id": "6", "text": "cut off no more"}


def test_each_post_of_a_page_is_a_message_with_what_it_refers_to() -> None:
    page = {"data": [RETWEET, {"id": "20", "text": "t"}], "includes": {"tweets": [ORIGINAL]}}
    assert posts_of_page(page) == [
        PagePost(30, orjson.dumps({"data": RETWEET, "includes": {"tweets": [ORIGINAL]}})),
        PagePost(20, orjson.dumps({"data": {"id": "20", "text": "t"}})),
    ]
    assert reads(page) == 3


def test_a_retweet_has_its_own_id_and_the_whole_text_of_its_original(post: Any) -> None:
    page = {"data": [RETWEET | {"created_at": "2025-06-02"}], "includes": {"tweets": [ORIGINAL]}}
    found = post(posts_of_page(page)[0].payload)
    assert (found.post_id, found.text) == ("x:30", "cut off no more")


def test_a_post_that_comes_twice_is_charged_once() -> None:
    assert reads({"data": [ORIGINAL, RETWEET], "includes": {"tweets": [ORIGINAL]}}) == 2


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"data": None, "includes": None, "meta": None},
        {"data": 5, "includes": 5, "meta": 5},
        {"data": [], "includes": {"tweets": 5}, "meta": {"next_token": 5}},
        {"includes": {"tweets": [5, {"id": 5}]}, "meta": {"next_token": ""}},
    ],
)
def test_a_page_without_posts(page: Any) -> None:
    assert posts_of_page(page) == []
    assert next_page(page) is None


@pytest.mark.parametrize("odd", [5, "s", None, {}, {"id": 5}, {"id": "x"}, {"id": "9" * 40}])
def test_what_is_no_post_is_passed_on(odd: Any) -> None:
    assert posts_of_page({"data": [odd]}) == [PagePost(0, orjson.dumps({"data": odd}))]


def test_references_of_any_shape() -> None:
    odd = {"id": "1", "referenced_tweets": [5, {"id": 5}, {"type": "quoted"}, {"id": "gone"}]}
    assert posts_of_page({"data": [odd], "includes": {"tweets": [ORIGINAL]}}) == [
        PagePost(1, orjson.dumps({"data": odd}))
    ]


def line(**message: Any) -> bytes:
    return orjson.dumps(message)


def test_a_line_tells_the_topics_of_its_post() -> None:
    tags = [{"id": "1", "tag": "mltox:votes"}, {"id": "2", "tag": "theirs"}, {"id": "3"}, 5]
    found = parsed_line(line(data=RETWEET, includes={"tweets": [ORIGINAL]}, matching_rules=tags))
    assert (found.post_id, found.topics, found.reads) == (30, ("votes",), 2)


def test_a_deletion_costs_nothing_and_names_its_post(decoded: Any) -> None:
    event = {"tweet": {"id": "30", "author_id": "77"}, "event_at": "2025-06-02T10:00:00.000Z"}
    for kind in ("delete", "drop"):
        found = parsed_line(line(data={kind: event}))
        assert (found.post_id, found.topics, found.reads, found.trouble) == (0, (), 0, None)
        (item,) = decoded(line(data={kind: event}))
        assert (item.error_type, item.post_id) == ("deletion", "x:30")
        assert "77" not in item.payload


@pytest.mark.parametrize("content", [b"{", b"5", b"[]", b"\xff"])
def test_a_line_that_is_no_message_may_have_been_a_post(content: bytes) -> None:
    found = parsed_line(content)
    assert (found.post_id, found.reads, found.trouble) == (0, 1, None)


DISCONNECT = {"title": "operational-disconnect", "disconnect_type": "OperationalDisconnect"}


@pytest.mark.parametrize(
    ("message", "title", "ends"),
    [
        ({"errors": [DISCONNECT]}, "operational-disconnect", True),
        (
            {"title": "ConnectionException", "connection_issue": "TooManyConnections"},
            "ConnectionException",
            True,
        ),
        ({"errors": [{"title": "Field Authorization Error"}]}, "Field Authorization Error", False),
        ({"errors": 5}, "", False),
    ],
)
def test_trouble_is_no_post(message: Any, title: str, ends: bool) -> None:
    found = parsed_line(line(**message))
    assert found.trouble is not None
    assert (found.trouble.title, found.ends, found.reads) == (title, ends, 0)


def test_a_post_with_a_part_that_is_missing_is_a_post() -> None:
    found = parsed_line(line(data=RETWEET, errors=[{"title": "Not Found Error"}]))
    assert (found.post_id, found.trouble) == (30, None)
