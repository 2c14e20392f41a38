"""What the warehouse forgets of a post that is gone at its source, and what it keeps.

The post's hour keeps what it counted: the row stays with its scores, stamps and topic. Text, author
key and the text's SHA-256 go; a short text can be guessed, and its hash would say that the guess
is right. `text_scores` stays as it is: nothing in it leads to a post.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from mltox.base.text import storable
from mltox.posts.records import ForgottenPost, Micros
from mltox.warehouse.schema import TABLES

TOMBSTONES = "forgotten_posts"
EXAMPLES = "example_post_ids"
EMPTIED: Mapping[str, Mapping[str, str | None]] = {
    "scored_posts": {"text": None, "author_key": None, "text_sha256": ""},
    "dead_letters": {"payload": "[forgotten]"},
}
"""By table, what the columns of a forgotten post hold."""
KEPT_DAYS = 7
"""For how long a post that comes after its deletion is known: Pub/Sub keeps a message no longer,
unless told to. The deletion of a post that the warehouse holds is known for ever."""


class Forgotten(NamedTuple):
    """What one call forgot: rows of posts, dead letters, and anomalies that had it as an example.

    `waiting`: posts of which a row can't be changed yet; they have to be forgotten again later.
    """

    posts: int = 0
    letters: int = 0
    anomalies: int = 0
    waiting: frozenset[str] = frozenset()


def tombstones(post_ids: Iterable[str], now: Micros) -> list[ForgottenPost]:
    """One for each post."""
    asked = sorted({storable(post_id) for post_id in post_ids})
    return [ForgottenPost(post_id, held=False, forgotten_at=now) for post_id in asked]


def expired_before(now: datetime) -> datetime:
    """The stamp before which tombstones are looked at. It moves once a day, for that takes a look
    at all posts."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=KEPT_DAYS)


def named_posts(table: str, rows: Iterable[Sequence[Any]]) -> set[str]:
    """The posts that rows of a table are about; none where the table is about none."""
    names = TABLES[table].names
    if table in EMPTIED:
        position = names.index("post_id")
        return {storable(row[position]) for row in rows if row[position] is not None}
    if EXAMPLES in names:
        position = names.index(EXAMPLES)
        return {storable(post_id) for row in rows for post_id in row[position]}
    return set()


def without(table: str, row: Sequence[Any], gone: Collection[str]) -> tuple[Any, ...]:
    """The row without what is to be forgotten of the posts in `gone`."""
    names = TABLES[table].names
    values = dict(zip(names, row, strict=True))
    if EXAMPLES in names:
        values[EXAMPLES] = tuple(each for each in values[EXAMPLES] if storable(each) not in gone)
    elif values["post_id"] is not None and storable(values["post_id"]) in gone:
        values.update(EMPTIED[table])
    return tuple(values.values())
