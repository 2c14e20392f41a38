"""A span of time of a topic out of the warehouse: its posts, and others to hold them against."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

from mltox.evidence.span import Evidence, PostWorthReading, StoredPost, evidence, texts_with_copies
from mltox.evidence.terms import Background, Said, Term, distinctive_terms, own_words
from mltox.posts.records import HOUR, SECOND, WEEK, Micros

BEFORE = 4 * WEEK
"""Terms are held against the posts of so long before the span."""
LEAST_POSTS_BEFORE = 200
"""With fewer posts before it, the span is held against all others of its topic."""
POSTS_COMPARED = 4_000
HELD_AGAINST = 2_000
"""The same where many hours are opened at once."""
MOST_EXAMPLES = 5
MOST_POSTS = 20_000
"""Of a larger span a part of its texts is read, with all their copies."""


class WarehouseReader(Protocol):
    """What is needed of a warehouse."""

    def query(self, sql: str, params: Sequence[Any] = ()) -> pa.Table: ...

    def relation(self, name: str) -> str: ...


class Opened(NamedTuple):
    """`evidence` is of `part` of the span's texts, 1.0: of all. `before` tells whether terms were
    held against the weeks before, or else against the rest of the topic."""

    topic: str
    start: Micros
    end: Micros
    posts: int
    part: float
    before: bool
    evidence: Evidence


class FoundPosts(NamedTuple):
    """`matches` posts hold the words, `posts` are the first of them."""

    matches: int
    posts: Sequence[StoredPost]


def open_span(
    warehouse: WarehouseReader, topic: str, start: Micros, end: Micros, own: Iterable[str] = ()
) -> Opened:
    """The posts of [start, end), in microseconds. `own` are words of the topic beside its name."""
    where, params = _within(topic, start, end)
    posts = _count(warehouse, where, params)
    part = min(1.0, MOST_POSTS / posts) if posts else 1.0
    # The hour beside the moment: the view ranks within hours, so this one is looked at first.
    hours = f"{where} AND hour >= ? AND hour < ?{_part(part)}"
    rows = _posts(
        warehouse,
        "posts_by_hour",
        hours,
        [*params, utc_datetime(start - start % HOUR), utc_datetime(end)],
    )
    before_where, before_params = _within(topic, start - BEFORE, start)
    compared = _count(warehouse, before_where, before_params)
    before = compared >= LEAST_POSTS_BEFORE
    if not before:
        before_where = "topic = ? AND (created_at < ? OR created_at >= ?)"
        before_params = params
        compared = _count(warehouse, before_where, before_params)
    background = Background()
    if compared:
        sample = before_where + _part(POSTS_COMPARED / compared)
        background.add(words for _, words in _said(warehouse, sample, before_params))
    found = evidence(rows, background, own_words([topic, *own]), min(compared, POSTS_COMPARED))
    return Opened(topic, start, end, posts, part, before, found)


def open_hours(
    warehouse: WarehouseReader, topic: str, hours: Iterable[Micros], own: Iterable[str] = ()
) -> dict[Micros, Opened]:
    """Many hours of one topic, each as `open_span` opens it, but held against one sample."""
    own_terms = own_words([topic, *own])
    opened = {}
    for each in _hours_beside(warehouse, topic, hours):
        found = evidence(each.posts, each.background, own_terms, each.compared_with)
        opened[each.hour] = Opened(
            topic, each.hour, each.hour + HOUR, len(each.posts), 1.0, each.before, found
        )
    return opened


class Explained(NamedTuple):
    """What an anomalous hour was about, as a row of `anomalies` has it."""

    terms: tuple[str, ...]
    example_post_ids: tuple[str, ...]


def explain_hours(
    warehouse: WarehouseReader, topic: str, hours: Iterable[Micros], own: Iterable[str] = ()
) -> dict[Micros, tuple[Explained, Explained]]:
    """Of each hour why it had so many posts, and why so toxic ones.

    A surge is told by what all of its posts say, with typical ones; toxicity by what its toxic
    posts say (by all, where they are few), with the most toxic ones.
    """
    own_terms = own_words([topic, *own])
    found = {}
    for each in _hours_beside(warehouse, topic, hours):
        whole = evidence(each.posts, each.background, own_terms)
        toxic = [post for post in each.posts if post.toxic]
        about = (
            distinctive_terms(texts_with_copies(toxic), each.background, own_terms) or whole.terms
        )
        found[each.hour] = (
            _explained(whole.terms, [*whole.most_repeated, *whole.random]),
            _explained(about, whole.most_toxic),
        )
    return found


def _explained(terms: Sequence[Term], posts: Sequence[PostWorthReading]) -> Explained:
    ids = dict.fromkeys(shown.post.post_id for shown in posts)
    return Explained(tuple(term.text for term in terms), tuple(ids)[:MOST_EXAMPLES])


class _Beside(NamedTuple):
    hour: Micros
    posts: list[StoredPost]
    background: Background
    compared_with: int
    before: bool


def _hours_beside(
    warehouse: WarehouseReader, topic: str, hours: Iterable[Micros]
) -> Iterator[_Beside]:
    """Each hour's posts, and others of the topic to hold them against."""
    wanted = sorted(set(hours))
    if not wanted:
        return
    posts = _count(warehouse, "topic = ?", [topic])
    part = _part(HELD_AGAINST / posts) if posts else ""
    sample = _said(warehouse, f"topic = ?{part} ORDER BY created_at, post_id", [topic])
    stamps = [stamp for stamp, _ in sample]
    by_hour: dict[Micros, list[StoredPost]] = {hour: [] for hour in wanted}
    for start in range(0, len(wanted), 100):
        some = wanted[start : start + 100]
        where = f"topic = ? AND hour IN ({', '.join('?' * len(some))})"
        for post in _posts(warehouse, "posts_by_hour", where, [topic, *map(utc_datetime, some)]):
            by_hour[post.created_at - post.created_at % HOUR].append(post)
    for hour in wanted:
        first, last = bisect_left(stamps, hour - BEFORE), bisect_left(stamps, hour)
        before = last - first >= LEAST_POSTS_BEFORE
        after = bisect_left(stamps, hour + HOUR)
        others = sample[first:last] if before else sample[:last] + sample[after:]
        background = Background()
        background.add(words for _, words in others)
        yield _Beside(hour, by_hour[hour], background, len(others), before)


def search(
    warehouse: WarehouseReader,
    words: str,
    topic: str,
    start: Micros | None = None,
    end: Micros | None = None,
    most: int = 50,
) -> FoundPosts:
    """Posts whose stored text holds `words` as they stand, regardless of case; newest first."""
    pattern = "%" + words.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
    where, params = "topic = ?", [topic]
    if start is not None and end is not None:
        where, params = _within(topic, start, end)
    where += " AND LOWER(text) LIKE ? ESCAPE '!'"
    params = [*params, pattern]
    matches = _count(warehouse, where, params)
    order = f" ORDER BY created_at DESC, post_id LIMIT {int(most)}"
    posts = _posts(warehouse, "latest_scored_posts", where + order, params) if matches else []
    return FoundPosts(matches, posts)


def _within(topic: str, start: Micros, end: Micros) -> tuple[str, list[Any]]:
    return "topic = ? AND created_at >= ? AND created_at < ?", [
        topic,
        utc_datetime(start),
        utc_datetime(end),
    ]


def _part(part: float) -> str:
    """A condition that about this part of the texts meets, the same ones each time."""
    if part >= 1.0:
        return ""
    return f" AND text_sha256 < '{min(int(part * 16**8), 16**8 - 1):08x}'"


def _count(warehouse: WarehouseReader, where: str, params: Sequence[Any]) -> int:
    table = _select(warehouse, "COUNT(*) AS n", "latest_scored_posts", where, params)
    return int(table.column(0)[0].as_py())


def _said(
    warehouse: WarehouseReader, where: str, params: Sequence[Any]
) -> list[tuple[Micros, Said]]:
    table = _select(
        warehouse,
        "created_at, text, author_key",
        "latest_scored_posts",
        f"text IS NOT NULL AND {where}",
        params,
    )
    stamps = _micros(table.column(0))
    texts, authors = table.column(1).to_pylist(), table.column(2).to_pylist()
    return [(at, Said(*rest)) for at, *rest in zip(stamps, texts, authors, strict=True)]


def _micros(column: pa.ChunkedArray) -> list[Micros]:
    stamps: list[Micros] = (
        column.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64()).to_pylist()
    )
    return stamps


def _posts(
    warehouse: WarehouseReader, view: str, where: str, params: Sequence[Any]
) -> list[StoredPost]:
    """`latest_scored_posts` does not know which posts are toxic, `posts_by_hour` does."""
    toxic = "is_toxic" if view == "posts_by_hour" else "CAST(NULL AS BOOL) AS is_toxic"
    columns = ", ".join(toxic if name == "toxic" else name for name in StoredPost._fields)
    table = _select(warehouse, columns, view, where, params)
    columns_ = [
        _micros(column) if name == "created_at" else column.to_pylist()
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    return [StoredPost(*row) for row in zip(*columns_, strict=True)]


def _select(
    warehouse: WarehouseReader, columns: str, view: str, where: str, params: Sequence[Any]
) -> pa.Table:
    # Every part is a constant of this module; what comes from people is bound to a `?`.
    relation = warehouse.relation(view)
    return warehouse.query(f"SELECT {columns} FROM {relation} WHERE {where}", params)  # noqa: S608


def utc_datetime(at: Micros) -> datetime:
    return datetime.fromtimestamp(at // SECOND, UTC) + timedelta(microseconds=at % SECOND)
