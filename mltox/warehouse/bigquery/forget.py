"""The statements by which BigQuery forgets, and which rows it can forget by now.

A row that was streamed in lies in a buffer at first, and a statement that would change such a row
fails as a whole. So every statement names an age, and younger rows are left for a later call.
https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mltox.warehouse.forgetting import EMPTIED, EXAMPLES, TOMBSTONES

BUFFERED = timedelta(minutes=90)
"""How long a streamed row may lie in the buffer."""
IN_BUFFER = "streaming buffer"
"""In what BigQuery says of a statement that would have changed such a row."""

ASKED_IDS = "SELECT asked FROM UNNEST(?) AS asked"
IS_GONE = f"post_id IN ({ASKED_IDS}) OR post_id IN (SELECT post_id FROM {TOMBSTONES})"  # noqa: S608 - names of ours
"""Those asked for now, and those of earlier calls: a row may have come since."""


@dataclass(frozen=True)
class Place:
    """A table that knows posts. `made` is when a row was made, `event` the column of the
    partitions; `rows` have one post each, and those that are not `full` have forgotten it."""

    table: str
    made: str
    event: str
    rows: str
    full: str

    def finding(self) -> str:
        """SQL for the posts that are to be forgotten here. Takes a stamp, the same again, and the
        posts asked for."""
        return f"""
            SELECT
              post_id,
              LOGICAL_OR({self.made} >= ?) AS waits,
              LOGICAL_OR({self.made} < ?) AS ready,
              MIN({self.event}) AS first,
              MAX({self.event}) AS last
            FROM {self.rows}
            WHERE ({IS_GONE}) AND ({self.full})
            GROUP BY post_id"""  # noqa: S608 - names of ours


SCORED_POSTS = Place(
    "scored_posts",
    made="scored_at",
    event="created_at",
    rows="scored_posts",
    # The run stores no text without its hash; the text itself would be read, and paid for, whole.
    full="text_sha256 != '' OR author_key IS NOT NULL",
)
DEAD_LETTERS = Place(
    "dead_letters",
    made="seen_at",
    event="seen_at",
    rows="dead_letters",
    full=f"payload != '{EMPTIED['dead_letters']['payload']}'",
)
ANOMALY_ROWS = Place(
    "anomalies",
    made="updated_at",
    event="hour",
    rows=f"anomalies CROSS JOIN UNNEST({EXAMPLES}) AS post_id",
    full="TRUE",
)


@dataclass
class ToForget:
    """What there is to forget at a place: posts that can be forgotten, and those that can't yet."""

    ready: list[str] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> ToForget:
        found = cls()
        for row in rows:
            if row["waits"]:
                found.waiting.add(row["post_id"])
            if row["ready"]:
                found.ready.append(row["post_id"])
                found.first = min(found.first or row["first"], row["first"])
                found.last = max(found.last or row["last"], row["last"])
        return found


def emptying_statement(place: Place) -> str:
    columns = EMPTIED[place.table]
    emptied = ", ".join(
        f"{name} = " + ("NULL" if value is None else f"'{value}'")
        for name, value in columns.items()
    )
    return f"UPDATE {place.table} SET {emptied} WHERE post_id IN ({ASKED_IDS})"  # noqa: S608 - ours


UNLINKING = f"""
    UPDATE anomalies SET {EXAMPLES} = ARRAY(
      SELECT post_id FROM UNNEST({EXAMPLES}) AS post_id WITH OFFSET AS position
      WHERE post_id NOT IN ({ASKED_IDS}) ORDER BY position
    )
    WHERE EXISTS (SELECT 1 FROM UNNEST({EXAMPLES}) AS post_id WHERE post_id IN ({ASKED_IDS}))"""  # noqa: S608 - names of ours
CHANGED_PLACES: Sequence[tuple[Place, str, int]] = (
    (SCORED_POSTS, emptying_statement(SCORED_POSTS), 1),
    (DEAD_LETTERS, emptying_statement(DEAD_LETTERS), 1),
    (ANOMALY_ROWS, UNLINKING, 2),
)
"""Each with how often the statement takes the posts; then it takes what `bounds` adds."""


def bounds(place: Place) -> str:
    """SQL that takes the first and the last stamp of the partitions, and an age."""
    return f" AND {place.event} BETWEEN ? AND ? AND {place.made} < ?"


KNOWN_TOMBSTONES = f"SELECT post_id FROM {TOMBSTONES} WHERE post_id IN ({ASKED_IDS})"  # noqa: S608 - names of ours
OLD = "NOT held AND forgotten_at < ?"
IS_OLD = f"SELECT 1 FROM {TOMBSTONES} WHERE {OLD} LIMIT 1"  # noqa: S608 - names of ours
HOLDING = f"""
    UPDATE {TOMBSTONES} SET held = TRUE
    WHERE {OLD} AND post_id IN (SELECT post_id FROM scored_posts)"""  # noqa: S608 - names of ours
DROPPING = f"DELETE FROM {TOMBSTONES} WHERE {OLD}"  # noqa: S608 - names of ours
