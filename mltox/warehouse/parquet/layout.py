"""Where a row's file lies: TABLE/PARTITION/part-….parquet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from mltox.posts.records import DAY
from mltox.warehouse.schema import TABLES, Table

UNDIVIDED = "all"
WRITTEN_AT = "written_at"
"""A column that the files have beside the table's own, in microseconds: of two revisions that the
table's own order cannot tell apart, the later written is the last."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEX = frozenset("0123456789abcdef")


@cache
def partitioner(table: str) -> Callable[[Sequence[Any]], str]:
    """A row's partition: the day of the table's partition column, or the first digit of a text's
    hash. Tables whose stamps say only when a row was made have one partition: the same row of a
    second run has to meet the first."""
    definition = TABLES[table]
    if table == "text_scores":
        at = definition.names.index("text_sha256")
        return lambda row: f"hash={_digit(row[at])}"
    column = definition.partition
    if column is None or column in definition.volatile:
        return lambda row: UNDIVIDED
    at = definition.names.index(column)
    return lambda row: f"day={day_of(row[at])}"


def is_by_day(table: Table) -> bool:
    return table.partition is not None and table.partition not in table.volatile


def day_of(moment: int) -> str:
    """The day (UTC) of a moment in microseconds."""
    return (_EPOCH + timedelta(days=moment // DAY)).date().isoformat()


def days_between(start: int, end: int) -> set[str]:
    """The partitions of the days that [start, end) touches, in microseconds."""
    return {f"day={day_of(day * DAY)}" for day in range(start // DAY, -(-end // DAY))}


def _digit(text: str) -> str:
    return text[:1] if text[:1] in _HEX else "other"
