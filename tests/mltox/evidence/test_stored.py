"""Spans out of a warehouse, and the two views that they and the charts read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from mltox.evidence import stored
from mltox.evidence.stored import open_hours, open_span, search
from mltox.posts.records import DAY, HOUR, HourlyToxicity, Micros, ScoredPost
from mltox.warehouse import Warehouse, open_warehouse

NOON: Micros = 1_451_908_800_000_000  # Monday 4 January 2016, 12:00 UTC
TOPIC = "rivers"


def post(number: int, at: Micros, text: str, toxicity: float | None = 0.1) -> ScoredPost:
    digest = f"{number * 2654435761 % 2**32:08x}"
    return ScoredPost(
        TOPIC, f"x:{number}", "x", f"author {number % 50}", text, digest, "en", at, at, at, "m@1",
        "f", toxicity, *[None] * 6,
    )  # fmt: skip


def hour(at: Micros, posts: int, toxic: int, unscored: int = 0) -> HourlyToxicity:
    share = toxic / (posts - unscored) if posts > unscored else None
    return HourlyToxicity(
        TOPIC, at, "m@1", posts, unscored, 5, share, share, None, None, None, None, None, None,
        None, 1, True, at,
    )  # fmt: skip


SYLLABLES = [a + b for a in "bcdfg" for b in "aeiou"]
BEFORE = [
    post(1000 + i, NOON - DAY + i * 60_000_000, f"the {one} is calm near {other}")
    for i, (one, other) in enumerate(product(SYLLABLES, SYLLABLES[:20]))
]
FLOOD = [
    post(i, NOON + i * 100_000_000, f"dam broke upstream, {a}{a} flees", 0.2 * i)
    for i, a in enumerate("bcdfg")
]
QUIET = post(90, NOON + HOUR, "all is calm", None)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(str(tmp_path / "w.duckdb")) as made:
        made.create()
        made.upsert("scored_posts", [*BEFORE, *FLOOD, QUIET])
        made.upsert("hourly_toxicity", [hour(NOON, 5, 2), hour(NOON + HOUR, 1, 0, unscored=1)])
        yield made


def test_an_hour_is_held_against_the_weeks_before(warehouse: Warehouse) -> None:
    opened = open_span(warehouse, TOPIC, NOON, NOON + HOUR)
    assert (opened.posts, opened.part, opened.before) == (5, 1.0, True)
    assert opened.evidence.compared_with == len(BEFORE)
    [term] = opened.evidence.terms
    assert (term.text, term.posts, term.authors) == ("dam broke upstream", 5, 5)


def test_the_first_hours_are_held_against_what_came_after(warehouse: Warehouse) -> None:
    opened = open_span(warehouse, TOPIC, NOON - DAY, NOON - DAY + HOUR)
    assert not opened.before
    assert opened.evidence.compared_with == len(BEFORE) + len(FLOOD) + 1 - 60


def test_the_toxic_posts_are_those_that_the_share_counted(warehouse: Warehouse) -> None:
    opened = open_span(warehouse, TOPIC, NOON, NOON + 2 * HOUR)
    assert (opened.evidence.posts, opened.evidence.scored, opened.evidence.toxic) == (6, 5, 2)
    shown = opened.evidence.most_toxic
    assert [each.post.toxic for each in shown] == [True, True, False, False, False]


def test_hours_opened_together_are_as_those_opened_alone(warehouse: Warehouse) -> None:
    together = open_hours(warehouse, TOPIC, [NOON, NOON + HOUR])
    assert list(together) == [NOON, NOON + HOUR]
    for at, opened in together.items():
        alone = open_span(warehouse, TOPIC, at, at + HOUR)
        assert opened.evidence.most_toxic == alone.evidence.most_toxic
        assert opened.evidence.authors == alone.evidence.authors
        assert [t.text for t in opened.evidence.terms] == [t.text for t in alone.evidence.terms]


def test_of_a_large_span_a_part_of_the_texts_is_read(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "MOST_POSTS", 50)
    opened = open_span(warehouse, TOPIC, NOON - 2 * DAY, NOON + DAY)
    assert opened.posts == len(BEFORE) + 6
    assert opened.part == pytest.approx(50 / opened.posts)
    assert 20 < opened.evidence.posts < 90


def test_a_span_without_posts_is_empty(warehouse: Warehouse) -> None:
    opened = open_span(warehouse, "nothing", NOON, NOON + HOUR)
    assert (opened.posts, opened.evidence.posts, opened.evidence.terms) == (0, 0, [])


@pytest.mark.parametrize(
    ("words", "matches"),
    [
        ("DAM broke", 5),
        ("bb flees", 1),
        ("%", 0),
        ("_am", 0),
        ("!", 0),
        ("'; --", 0),
        ("calm", 501),
    ],
)
def test_words_are_searched_as_they_stand(warehouse: Warehouse, words: str, matches: int) -> None:
    found = search(warehouse, words, TOPIC)
    assert found.matches == matches
    assert len(found.posts) == min(matches, 50)
    stamps = [each.created_at for each in found.posts]
    assert stamps == sorted(stamps, reverse=True)


def test_a_search_keeps_to_its_span(warehouse: Warehouse) -> None:
    assert search(warehouse, "calm", TOPIC, NOON + HOUR, NOON + 2 * HOUR).matches == 1
    assert search(warehouse, "dam", TOPIC, NOON + HOUR, NOON + 2 * HOUR).matches == 0


def test_steps_begin_at_whole_five_minutes(warehouse: Warehouse) -> None:
    late = post(99, NOON + 5 * 60_000_000 - 1, "a last moment", 0.9)
    warehouse.upsert("scored_posts", [late])
    rows = warehouse.query(
        "SELECT epoch_us(step) AS at, posts, posts_unscored, mean_toxicity FROM five_minutes"
        " WHERE step >= to_timestamp(?) ORDER BY step",
        [NOON // 1_000_000],
    ).to_pylist()
    # Posts at 0, 100, 200 s and at the last microsecond of the step; then 300 s and 400 s.
    assert [row["at"] - NOON for row in rows] == [0, 300_000_000, HOUR]
    assert [row["posts"] for row in rows] == [4, 2, 1]
    assert [row["posts_unscored"] for row in rows] == [0, 0, 1]
    assert rows[0]["mean_toxicity"] == pytest.approx((0 + 0.2 + 0.4 + 0.9) / 4)
    assert rows[2]["mean_toxicity"] is None
