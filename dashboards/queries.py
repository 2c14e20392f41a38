"""What the page reads: one query a view, rows as plain values.

The SQL is the part that BigQuery and DuckDB share. Times come back as integer microseconds UTC
(`Micros`), days as days since 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any, NamedTuple, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from dashboards.past import PastHour, PastRun, newest
from mltox.base.clock import datetime_of
from mltox.evidence.stored import utc_datetime
from mltox.posts.records import DAY, Anomaly, Forecast, ForecastAccuracy, Micros

RowT = TypeVar("RowT", bound=tuple[Any, ...])

PAGE_METRICS = ("mean_toxicity", "toxic_share", "posts")


class PageWarehouse(Protocol):
    """What the page needs of a warehouse."""

    def query(self, sql: str, params: Sequence[Any] = ()) -> pa.Table: ...

    def relation(self, name: str) -> str: ...


class TopicTotals(NamedTuple):
    topic: str
    posts: int
    posts_unscored: int
    authors: int
    mean_toxicity: float | None
    toxic_share: float | None
    first_hour: Micros
    last_hour: Micros
    anomalies: int


class Hour(NamedTuple):
    topic: str
    hour: Micros
    posts: int
    posts_unscored: int
    mean_toxicity: float | None
    toxic_share: float | None


class Day(NamedTuple):
    topic: str
    day: int
    posts: int
    posts_unscored: int
    mean_toxicity: float | None
    toxic_share: float | None


class DaySpan(NamedTuple):
    """24 hours of a topic: `place` 0 ends at the clock, 1 a day before it."""

    topic: str
    place: int
    posts: int
    scored: int
    toxic: float


class Step(NamedTuple):
    """Five minutes of a topic that have posts."""

    topic: str
    step: Micros
    posts: int
    posts_unscored: int
    mean_toxicity: float | None
    toxic_share: float | None


class LabelDay(NamedTuple):
    topic: str
    day: int
    label: str
    mean_score: float | None


class JudgedAfterwards(NamedTuple):
    """Hours of a topic that were judged in retrospect: [start_at, end_at)."""

    topic: str
    start_at: Micros
    end_at: Micros


class Flag(NamedTuple):
    topic: str
    hour: Micros
    metric: str
    status: str
    detector: str


class ExamplePost(NamedTuple):
    topic: str
    hour: Micros
    metric: str
    rank: int
    post_id: str
    text: str | None
    toxicity: float | None
    source: str
    created_at: Micros


class Letters(NamedTuple):
    stage: str
    error_type: str
    letters: int
    first_seen: Micros
    last_seen: Micros
    example_message: str
    example_payload: str


class ModelUse(NamedTuple):
    model: str
    posts: int
    updated_at: Micros


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column as Python values: timestamps in micros, dates in days since 1970, no NaN."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
    elif pa.types.is_date(column.type):
        column = column.cast(pa.date32()).cast(pa.int32())
    elif pa.types.is_decimal(column.type) or pa.types.is_floating(column.type):
        values = column.cast(pa.float64()).to_pylist()
        return [value if value is not None and isfinite(value) else None for value in values]
    values = column.to_pylist()
    return [tuple(v) if isinstance(v, list) else v for v in values]


TOPICS_AT_ONCE = 500
"""Topics that one query names."""


def _rows(
    warehouse: PageWarehouse,
    view: str,
    row: type[RowT],
    order: str,
    topics: Sequence[str] | None = None,
) -> list[RowT]:
    """All rows of a view, or those of some topics."""
    fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined]
    found: list[RowT] = []
    for names in [()] if topics is None else batched(topics, TOPICS_AT_ONCE):
        where = f" WHERE topic IN ({', '.join('?' * len(names))})" if names else ""
        # Every part is a constant of this module: no value from the data is ever in the SQL.
        sql = f"SELECT {', '.join(fields)} FROM {view}{where} ORDER BY {order}"  # noqa: S608
        table = warehouse.query(sql, names)
        found += [row(*values) for values in zip(*map(_values, table.columns), strict=True)]
    return found


def batched(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


def topic_totals(warehouse: PageWarehouse) -> list[TopicTotals]:
    """Every topic, by name: an order that stays while counts change."""
    return _rows(warehouse, "topic_summary", TopicTotals, "topic")


def hours(warehouse: PageWarehouse, topics: Sequence[str]) -> list[Hour]:
    return _rows(warehouse, "hourly_dashboard", Hour, "topic, hour", topics)


def days(warehouse: PageWarehouse, topics: Sequence[str]) -> list[Day]:
    return _rows(warehouse, "topic_daily", Day, "topic, day", topics)


def five_minutes(warehouse: PageWarehouse, topics: Sequence[str]) -> list[Step]:
    return _rows(warehouse, "five_minutes", Step, "topic, step", topics)


def label_days(warehouse: PageWarehouse, topics: Sequence[str]) -> list[LabelDay]:
    return _rows(warehouse, "label_daily", LabelDay, "topic, label, day", topics)


def day_spans(warehouse: PageWarehouse, clock: Micros, count: int) -> list[DaySpan]:
    """Of every topic the `count` spans of 24 hours that end with `clock`, without empty ones."""
    table = warehouse.query(
        "SELECT topic, hour, posts, posts_unscored, toxic_share FROM hourly_dashboard"
        " WHERE hour >= ? AND hour < ?",
        (utc_datetime(clock - count * DAY), utc_datetime(clock)),
    )
    hour = table["hour"].cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
    scored = pc.subtract(table["posts"], table["posts_unscored"])
    toxic = pc.fill_null(pc.multiply(table["toxic_share"].cast(pa.float64()), scored), 0.0)
    place = pc.floor(pc.divide(pc.subtract(pa.scalar(clock - 1), hour).cast(pa.float64()), DAY))
    whole = pa.table(
        {
            "topic": table["topic"],
            "place": place.cast(pa.int64()),
            "posts": table["posts"],
            "scored": scored,
            "toxic": toxic,
        }
    )
    sums = [("posts", "sum"), ("scored", "sum"), ("toxic", "sum")]
    grouped = whole.group_by(["topic", "place"]).aggregate(sums)
    columns = ("topic", "place", "posts_sum", "scored_sum", "toxic_sum")
    rows = zip(*(grouped[name].to_pylist() for name in columns), strict=True)
    return sorted(DaySpan(*row) for row in rows)


def anomalies(warehouse: PageWarehouse, topics: Sequence[str]) -> list[Anomaly]:
    return _rows(warehouse, "anomaly_details", Anomaly, "topic, hour, metric, detector", topics)


def posts_of_all(warehouse: PageWarehouse) -> list[tuple[Micros, int]]:
    """Posts of all topics together by hour, hours without any left out."""
    table = warehouse.query(
        "SELECT hour, CAST(SUM(posts) AS INT64) AS posts FROM hourly_dashboard"
        " GROUP BY hour ORDER BY hour"
    )
    return list(zip(*map(_values, table.columns), strict=True))


def anomaly_flags(warehouse: PageWarehouse) -> list[Flag]:
    """Every anomalous hour of every topic, without its evidence."""
    return _rows(warehouse, "anomaly_details", Flag, "topic, hour, metric, detector")


def afterwards(warehouse: PageWarehouse) -> list[JudgedAfterwards]:
    """The spans of topics that were judged in retrospect."""
    return _rows(warehouse, "latest_judged_spans", JudgedAfterwards, "topic, start_at")


def examples(warehouse: PageWarehouse, topics: Sequence[str]) -> list[ExamplePost]:
    return _rows(warehouse, "anomaly_examples", ExamplePost, "topic, hour, metric, rank", topics)


def forecasts(warehouse: PageWarehouse, topics: Sequence[str]) -> list[Forecast]:
    return _rows(warehouse, "forecast_dashboard", Forecast, "topic, metric, hour", topics)


def accuracies(warehouse: PageWarehouse, topics: Sequence[str]) -> list[ForecastAccuracy]:
    return _rows(
        warehouse,
        "forecast_accuracy_dashboard",
        ForecastAccuracy,
        "topic, metric, chosen DESC, mase, method",
        topics,
    )


def past_runs(warehouse: PageWarehouse, topics: Sequence[str]) -> list[PastRun]:
    return newest(_rows(warehouse, "forecast_runs", PastRun, "topic, metric, run_at", topics))


def past_hours(warehouse: PageWarehouse, runs: Sequence[PastRun]) -> list[PastHour]:
    """The hours of these runs that have come."""
    moments = sorted({run.run_at for run in runs})[-TOPICS_AT_ONCE:]
    found: list[PastHour] = []
    for names in batched(sorted({run.topic for run in runs}), TOPICS_AT_ONCE):
        sql = (
            f"SELECT {', '.join(PastHour._fields)} FROM forecast_outcomes"  # noqa: S608 - ours
            f" WHERE topic IN ({', '.join('?' * len(names))})"
            f" AND run_at IN ({', '.join('?' * len(moments))})"
        )
        table = warehouse.query(sql, [*names, *map(datetime_of, moments)])
        columns = map(_values, table.columns)
        found += [PastHour(*values) for values in zip(*columns, strict=True)]
    return found


def dead_letters(warehouse: PageWarehouse) -> list[Letters]:
    return _rows(warehouse, "dead_letters_by_reason", Letters, "letters DESC, stage, error_type")


def models(warehouse: PageWarehouse) -> list[ModelUse]:
    """The models that scored, the one with most posts first, and when each last wrote."""
    return _rows(
        warehouse,
        "(SELECT model, SUM(posts) AS posts, MAX(updated_at) AS updated_at"
        " FROM latest_hourly_toxicity GROUP BY model) AS uses",
        ModelUse,
        "posts DESC, model",
    )
