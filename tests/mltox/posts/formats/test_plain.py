from __future__ import annotations

from typing import Any

import pytest

ROW = {"id": 7, "text": "a &amp; b", "created_at": "2025-06-02T10:00:00Z"}


def test_a_row(post: Any, authors: Any) -> None:
    envelope = post(ROW | {"author": "someone", "topic": " parks ", "lang": "en"})
    assert envelope.post_id == "file:7"
    assert envelope.text == "a & b"
    assert envelope.topics == ("parks",)
    assert envelope.author_key == authors.key("file", "someone")


def test_several_topics_each_once(post: Any) -> None:
    assert post(ROW | {"topics": ["b", "a", "b", " "]}).topics == ("b", "a")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, "file"),
        ("", "file"),
        ("Forum", "forum"),
        ("Twitter", "x"),
        (" x.com ", "x"),
        ("Twitter for iPhone", "file"),
        ("TweetDeck", "file"),
        ('<a href="http://twitter.com" rel="nofollow">Twitter Web App</a>', "file"),
        ("A Forum: x", "file"),
        ("::", "file"),
    ],
)
def test_sources(source: str | None, expected: str, post: Any) -> None:
    envelope = post(ROW | {"source": source})
    assert (envelope.source, envelope.post_id) == (expected, f"{expected}:7")


def test_an_id_that_has_its_source_already_keeps_it(post: Any) -> None:
    assert post(ROW | {"id": "x:5", "source": "x"}).post_id == "x:5"


@pytest.mark.parametrize(
    ("row", "error_type"),
    [
        ({"id": 7, "created_at": "2025-06-02"}, "missing_text"),
        ({"text": "t", "created_at": "2025-06-02"}, "missing_id"),
        ({"id": 7, "text": "t"}, "missing_created_at"),
    ],
)
def test_missing_fields(row: Any, error_type: str, reject: Any) -> None:
    assert reject(row).error_type == error_type


TWEET = {"id": "1212092628029698048", "text": "hello"}
IN_TIME = {"created_at": "2019-12-31T19:26:16.000Z"}


@pytest.mark.parametrize(
    "more",
    [{}, IN_TIME, {"lang": "en"}, {"source": "Twitter Web App"}, IN_TIME | {"author_id": "5"}],
)
def test_a_tweet_is_one_whatever_fields_were_asked_for(more: Any, post: Any) -> None:
    envelope = post(TWEET | more)
    assert envelope.post_id == "x:1212092628029698048"
    assert abs(envelope.created_at - 1_577_820_376_000_000) < 1_000_000


@pytest.mark.parametrize(
    "change",
    [
        {"created_at": "2019-12-31T19:26:19.000Z"},
        {"created_at": "2019-12-31 19:26:16"},
        IN_TIME | {"source": "telegram"},
        IN_TIME | {"topic": "t"},
    ],
)
def test_another_row_with_a_long_id_is_none(change: Any, post: Any) -> None:
    assert not post(TWEET | change).post_id.startswith("x:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("women&#8217;s &quot;march&quot; &lt;3", 'women’s "march" <3'),
        ("&amp;lt; once", "&lt; once"),
        ("https://a.b/?x=1&copy=2&reg=3", "https://a.b/?x=1&copy=2&reg=3"),
        ("AT&T; &nosuch; &#0;", "AT&T; &nosuch; \ufffd"),
    ],
)
def test_entities_are_undone_once(text: str, expected: str, post: Any) -> None:
    assert post(ROW | {"text": text}).text == expected
