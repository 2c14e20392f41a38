"""The tables of the warehouse, once: DDL, row conversions and views follow from here.

Columns, types and nullability are read off the NamedTuples of `mltox.posts.records`; what these
can't say (keys, order, partitions, descriptions) is written below. Imports no Beam and no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_type_hints

from mltox.posts.records import (
    LABELS,
    Anomaly,
    DeadLetter,
    Forecast,
    ForecastAccuracy,
    ForgottenPost,
    HourlyToxicity,
    JudgedSpan,
    ScoredPost,
    TextScore,
)


class Type(Enum):
    """A column's type; the value is BigQuery's name for it."""

    STRING = "STRING"
    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    BOOL = "BOOL"
    TIMESTAMP = "TIMESTAMP"
    STRINGS = "ARRAY<STRING>"


@dataclass(frozen=True)
class Column:
    name: str
    type: Type
    required: bool
    description: str


@dataclass(frozen=True)
class Order:
    """A column to compare revisions by, or whether it has a certain value."""

    column: str
    value: str | None = None

    def sql(self, row: str = "") -> str:
        """The expression, in SQL that BigQuery and DuckDB share; `row` is an alias with its dot."""
        return f"{row}{self.column}" + (f" = '{self.value}'" if self.value else "")


@dataclass(frozen=True)
class Table:
    """A table and what makes two of its rows revisions of one.

    Among rows of one `key` the greatest by `order_by`, most significant first, is the last
    revision. `volatile` columns say when a row was made and not what it says: a row that differs
    in nothing else is no new revision.
    """

    name: str
    record: type[Any]
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    order_by: tuple[Order, ...]
    volatile: frozenset[str]
    partition: str | None
    cluster: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def content(self) -> tuple[str, ...]:
        """The columns in which two revisions of a key can differ."""
        return tuple(n for n in self.names if n not in self.key and n not in self.volatile)


DESCRIPTIONS: Mapping[str, str] = {
    "topic": "Topic that the post was collected for or matched by keyword.",
    "post_id": "Network and native id, as source:id.",
    "source": "Network or file that the post came from.",
    "author_key": "Keyed hash (HMAC-SHA256) of the author's id; NULL where none was given.",
    "text": "The post's text; NULL where it is not stored, or the post is gone at its source.",
    "text_sha256": "SHA-256 of the text, in hex; empty where that is not stored either.",
    "lang": "BCP 47 language tag given by the source; NULL where none was given.",
    "created_at": "When the post was written (event time).",
    "ingested_at": "When the post entered the pipeline.",
    "scored_at": "When the model scored the post.",
    "updated_at": "When this revision of the row was made.",
    "seen_at": "When the message was given up.",
    "model": "Model bundle, as name@sha12.",
    "model_sha256": "SHA-256 of the model bundle, in hex.",
    "hour": "Start of the hour, UTC.",
    "posts": "All posts of the hour.",
    "posts_unscored": "Posts among them in languages that the model does not know.",
    "authors": "Distinct authors of the hour.",
    "mean_toxicity": "Mean toxicity of the scored posts; NULL where there are none.",
    "toxic_share": "Share of scored posts with toxicity at or above the model's threshold.",
    "p90_toxicity": "90th percentile of toxicity over the scored posts.",
    "revision": "Counts the revisions of this hour within a run, from 1.",
    "is_final": "False for an early result, before the watermark passed the hour.",
    "metric": "posts, mean_toxicity or toxic_share.",
    "observed": "What was observed.",
    "expected": "What was expected of the hour.",
    "lower": "Lower end of the range expected of the hour.",
    "upper": "Upper end of the range expected of the hour.",
    "score": "Distance from the expected in robust standard deviations.",
    "severity": "How far out of range.",
    "direction": "up or down.",
    "detector": "Detector that flagged the hour.",
    "status": "open, updated or resolved; withdrawn where a later judgement took it back.",
    "start_at": "Start of the first hour judged.",
    "end_at": "End of the last hour judged.",
    "hours_judged": "Hours with posts among them.",
    "terms": "Terms that set the hour apart from the hours before, strongest first.",
    "example_post_ids": "Posts that show what happened, most telling first.",
    "explained_share": "Share of the change that the posts with these terms account for.",
    "run_at": "Origin of the forecast: the hour after the last one observed.",
    "lower_80": "Lower end of the 80 % band.",
    "upper_80": "Upper end of the 80 % band.",
    "lower_95": "Lower end of the 95 % band.",
    "upper_95": "Upper end of the 95 % band.",
    "method": "Forecasting method; pool is the weighted median of all.",
    "p_anomaly": "Chance that the detector will flag the hour, as too high or too low.",
    "horizon_hours": "How many hours ahead the backtest looked.",
    "mase": "Mean absolute error over that of the daily naive forecast within the history.",
    "smape": "Symmetric mean absolute percentage error, 0 to 200 (M4's).",
    "pinball": "Mean pinball loss over the band ends and the centre.",
    "coverage_80": "Share of observations inside the 80 % band.",
    "coverage_95": "Share of observations inside the 95 % band.",
    "chosen": "Whether this method made the forecast.",
    "letter_id": "Hash of where the message came from and of the stage.",
    "stage": "Pipeline stage that gave up.",
    "error_type": "Reason, as one of a fixed set of names.",
    "message": "What was wrong.",
    "payload": "The message as text, bounded, author ids replaced.",
    "held": "Whether the post is in scored_posts; looked at some days after the deletion.",
    "forgotten_at": "When the deletion came.",
    **{label: f"Probability of {label}, 0 to 1; NULL where unscored." for label in LABELS},
    **{f"mean_{label}": f"Mean {label} of the scored posts." for label in LABELS[1:]},
}

_SCALARS = {str: Type.STRING, int: Type.INT64, float: Type.FLOAT64, bool: Type.BOOL}


def _column(name: str, hint: Any) -> Column:
    options = get_args(hint)
    required = NoneType not in options
    base = hint if required else next(option for option in options if option is not NoneType)
    if base == tuple[str, ...]:
        kind = Type.STRINGS
    elif base is int and (name == "hour" or name.endswith("_at")):
        kind = Type.TIMESTAMP
    else:
        kind = _SCALARS[base]
    return Column(name, kind, required, DESCRIPTIONS[name])


def _table(
    name: str,
    record: type[Any],
    description: str,
    *,
    key: tuple[str, ...],
    order_by: tuple[Order, ...] = (),
    volatile: tuple[str, ...] = (),
    partition: str | None,
    cluster: tuple[str, ...],
) -> Table:
    hints = get_type_hints(record)
    columns = tuple(_column(field, hints[field]) for field in record._fields)
    return Table(
        name, record, description, columns, key, order_by, frozenset(volatile), partition, cluster
    )


TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        _table(
            "scored_posts",
            ScoredPost,
            "Every post, once for each of its topics, with the model's scores.",
            key=("topic", "post_id"),
            # A later run's version takes the place of an earlier run's, whatever its time.
            order_by=(
                Order("ingested_at"),
                Order("scored_at"),
                Order("created_at"),
                Order("text_sha256"),
            ),
            volatile=("ingested_at", "scored_at"),
            partition="created_at",
            cluster=("topic", "source"),
        ),
        _table(
            "hourly_toxicity",
            HourlyToxicity,
            "Posts of a topic rolled up by hour and model.",
            key=("topic", "hour", "model"),
            order_by=(Order("updated_at"), Order("revision")),
            volatile=("updated_at",),
            partition="hour",
            cluster=("topic",),
        ),
        _table(
            "anomalies",
            Anomaly,
            "Hours in which a metric left the range expected of it, with an explanation.",
            # What was said at the time stays beside what is said in retrospect.
            key=("topic", "hour", "metric", "detector"),
            # An incident may be closed in the same instant that its last hour is reported.
            order_by=(Order("updated_at"), Order("status", "resolved")),
            volatile=("updated_at",),
            partition="hour",
            cluster=("topic", "metric"),
        ),
        _table(
            "judged_spans",
            JudgedSpan,
            "Stretches of a topic that were judged in retrospect, anomalous hours or not.",
            key=("topic", "detector"),
            order_by=(Order("updated_at"),),
            volatile=("updated_at",),
            partition="updated_at",
            cluster=("topic",),
        ),
        _table(
            "forecasts",
            Forecast,
            "The coming hours of a metric with 80 % and 95 % bands.",
            key=("topic", "metric", "run_at", "hour"),
            partition="run_at",
            cluster=("topic", "metric"),
        ),
        _table(
            "forecast_accuracy",
            ForecastAccuracy,
            "How each forecasting method did in the backtest.",
            key=("topic", "metric", "run_at", "method"),
            partition="run_at",
            cluster=("topic", "metric"),
        ),
        _table(
            "dead_letters",
            DeadLetter,
            "Messages that could not be used, and why.",
            key=("letter_id",),
            order_by=(Order("seen_at"),),
            volatile=("seen_at",),
            partition="seen_at",
            cluster=("stage", "error_type"),
        ),
        _table(
            "text_scores",
            TextScore,
            "Scores of each distinct text, once per model.",
            key=("text_sha256", "model_sha256"),
            partition=None,
            cluster=("text_sha256",),
        ),
        _table(
            "forgotten_posts",
            ForgottenPost,
            "Posts that are gone at their source: whatever comes of them later has no text.",
            key=("post_id",),
            order_by=(Order("held"), Order("forgotten_at")),
            volatile=("forgotten_at",),
            partition="forgotten_at",
            cluster=("post_id",),
        ),
    )
}
