from __future__ import annotations

from typing import Any

import pytest

ROW = {"id": 7, "text": "a &amp; b", "created_at": "2025-06-02T10:00:00Z"}


def test_a_row(post: Any, authors: Any) -> None:
    envelope = post(ROW | {"author": "someone", "topic": " parks ", "lang": "en"})
    assert envelope.post_id == "file:7"
    assert envelope.text == "a &amp; b"  # nobody knows whether a file's text is escaped
    assert envelope.topics == ("parks",)
    assert envelope.author_key == authors.key("file", "someone")


def test_several_topics_each_once(post: Any) -> None:
    assert post(ROW | {"topics": ["b", "a", "b", " "]}).topics == ("b", "a")


@pytest.mark.parametrize(
    ("source", "expected"),
    [(None, "file"), ("", "file"), ("Forum", "forum"), ("A Forum: x", "a-forum-x"), ("::", "file")],
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
