"""What the page reads: one query a view, rows as plain values.

The SQL is the part that BigQuery and DuckDB share. Times come back as integer microseconds UTC
(`Micros`), days as days since 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple, Protocol, TypeVar

import pyarrow as pa

from mltox.posts.records import Anomaly, Forecast, ForecastAccuracy, Micros

RowT = TypeVar("RowT", bound=tuple[Any, ...])

METRICS = ("mean_toxicity", "toxic_share", "posts")


class Warehouse(Protocol):
    def query(self, sql: str, params: Sequence[Any] = ()) -> pa.Table: ...


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


class LabelDay(NamedTuple):
    topic: str
    day: int
    label: str
    mean_score: float | None


class HourOfWeek(NamedTuple):
    topic: str
    day_of_week: int
    hour_of_day: int
    posts: float
    mean_toxicity: float | None
    toxic_share: float | None


class Example(NamedTuple):
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


def _rows(warehouse: Warehouse, view: str, row: type[RowT], order: str) -> list[RowT]:
    fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined]
    # Every part is a constant of this module: no value from the data is ever in the SQL.
    table = warehouse.query(f"SELECT {', '.join(fields)} FROM {view} ORDER BY {order}")  # noqa: S608
    return [row(*values) for values in zip(*map(_values, table.columns), strict=True)]


def topic_totals(warehouse: Warehouse) -> list[TopicTotals]:
    """Every topic, the one with most posts first."""
    return _rows(warehouse, "topic_summary", TopicTotals, "posts DESC, topic")


def hours(warehouse: Warehouse) -> list[Hour]:
    return _rows(warehouse, "hourly_dashboard", Hour, "topic, hour")


def days(warehouse: Warehouse) -> list[Day]:
    return _rows(warehouse, "topic_daily", Day, "topic, day")


def label_days(warehouse: Warehouse) -> list[LabelDay]:
    return _rows(warehouse, "label_daily", LabelDay, "topic, label, day")


def hours_of_week(warehouse: Warehouse) -> list[HourOfWeek]:
    return _rows(warehouse, "hour_of_week", HourOfWeek, "topic, day_of_week, hour_of_day")


def anomalies(warehouse: Warehouse) -> list[Anomaly]:
    return _rows(warehouse, "anomaly_details", Anomaly, "topic, hour, metric")


def examples(warehouse: Warehouse) -> list[Example]:
    return _rows(warehouse, "anomaly_examples", Example, "topic, hour, metric, rank")


def forecasts(warehouse: Warehouse) -> list[Forecast]:
    return _rows(warehouse, "forecast_dashboard", Forecast, "topic, metric, hour")


def accuracies(warehouse: Warehouse) -> list[ForecastAccuracy]:
    return _rows(
        warehouse,
        "forecast_accuracy_dashboard",
        ForecastAccuracy,
        "topic, metric, chosen DESC, mase, method",
    )


def dead_letters(warehouse: Warehouse) -> list[Letters]:
    return _rows(warehouse, "dead_letters_by_reason", Letters, "letters DESC, stage, error_type")


def models(warehouse: Warehouse) -> list[ModelUse]:
    """The models that scored, the one with most posts first, and when each last wrote."""
    return _rows(
        warehouse,
        "(SELECT model, SUM(posts) AS posts, MAX(updated_at) AS updated_at"
        " FROM latest_hourly_toxicity GROUP BY model) AS uses",
        ModelUse,
        "posts DESC, model",
    )
