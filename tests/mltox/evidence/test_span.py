"""Who says what in a span of posts."""

from __future__ import annotations

from typing import Any

import pytest

from mltox.evidence.links import link_of
from mltox.evidence.span import (
    MOST_COUNTED,
    MOST_RANDOM,
    Authors,
    StoredPost,
    authors_of,
    evidence,
)
from mltox.evidence.terms import Background

NOBODY = StoredPost("x:0", "x", None, "a text", "en", 0, False, 0.1, *[None] * 6)


def post(number: int, **fields: Any) -> StoredPost:
    return NOBODY._replace(post_id=f"x:{number}", **fields)


def by(*authors: str | None) -> Authors:
    return authors_of(post(i, author_key=author) for i, author in enumerate(authors))


@pytest.mark.parametrize(
    ("authors", "expected", "voices"),
    [
        ((), Authors(0, None, None), "unknown"),
        ((None, None), Authors(0, None, None), "unknown"),
        (("a",), Authors(1, 1, 1.0), "one"),
        (("a", "a", "b", "c"), Authors(3, 1, 0.5), "one"),
        (("a", "a", "b", "b", "c"), Authors(3, 2, 0.4), "few"),
        (tuple("abcdefgh"), Authors(8, 4, 0.125), "many"),
        (("a", None, "b", "c", "d", "e", "f"), Authors(6, 3, 1 / 6), "many"),
    ],
)
def test_half_of_the_posts(authors: tuple[str | None, ...], expected: Authors, voices: str) -> None:
    found = by(*authors)
    assert found == expected
    assert found.voices == voices


def test_posts_without_a_score_count_as_posts_and_in_no_share() -> None:
    found = evidence(
        [post(1, toxicity=0.9, toxic=True), post(2, toxicity=None, toxic=None), post(3)],
        Background(),
    )
    assert (found.posts, found.scored, found.toxic) == (3, 2, 1)
    assert found.mean_toxicity == pytest.approx(0.5)
    assert found.labels == {"toxicity": pytest.approx(0.5)}


def test_copies_are_one_text_whatever_they_link_to_and_whom_they_name() -> None:
    found = evidence(
        [
            post(1, text="RT @a: Stand up! https://t.co/1", author_key="a", created_at=9),
            post(2, text="Stand up https://t.co/2", author_key="b", created_at=4),
            post(3, text="stand UP", author_key="b", created_at=7),
            post(4, text="Sit down", author_key="c"),
        ],
        Background(),
    )
    [repeated] = found.most_repeated
    assert (repeated.post.post_id, repeated.copies, repeated.authors) == ("x:2", 3, 2)
    assert found.distinct_texts == 2
    assert len(found.most_toxic) == len(found.random) == 2


def test_the_most_toxic_come_first_and_ties_do_not_depend_on_the_order() -> None:
    posts = [
        post(i, text=f"text {'abcdefghi'[i] * 2}", toxicity=0.5 + 0.1 * (i % 3)) for i in range(9)
    ]
    found = evidence(posts, Background())
    assert [shown.post.post_id for shown in found.most_toxic] == ["x:2", "x:5", "x:8", "x:1", "x:4"]
    assert evidence(posts[::-1], Background()) == found
    assert len(found.random) == MOST_RANDOM


def test_texts_that_are_not_stored_are_told_apart_by_their_ids() -> None:
    found = evidence([post(1, text=None), post(2, text=None)], Background())
    assert found.distinct_texts is None
    assert found.most_repeated == []
    assert len(found.random) == 2


def test_rare_sources_are_one_number() -> None:
    posts = [post(i, source=f"s{i % 12:02d}") for i in range(24)]
    found = evidence([*posts, post(99, source="s05")], Background())
    assert found.sources[0] == ("s05", 3)
    assert len(found.sources) == MOST_COUNTED + 1
    assert found.sources[-1] == ("", 8)
    assert sum(count for _, count in found.sources) == 25


@pytest.mark.parametrize(
    ("post_id", "link"),
    [
        ("x:20", "https://x.com/i/status/20"),
        ("reddit:t3_9abz", "https://www.reddit.com/comments/9abz/"),
        ("reddit:t1_9abz", None),
        ("x:20/../../evil", None),
        ("x:20\n", None),
        ("x:javascript:alert(1)", None),
        ("x:٣", None),
        ("bluesky:0123456789abcdef0123456789abcdef", None),
        ("mastodon:7", None),
        ("file:x:20", None),
        ("", None),
    ],
)
def test_only_ids_of_the_network_lead_to_it(post_id: str, link: str | None) -> None:
    assert link_of(post_id) == link
