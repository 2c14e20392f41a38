"""The views, written once in BigQuery's SQL and transpiled for DuckDB.

`latest_*` views of whole tables follow from the keys in the schema; the others are the files in
`views/`, in which `{dataset}` stands for the dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import takewhile
from pathlib import Path

from mltox.warehouse.ddl import literal
from mltox.warehouse.schema import DESCRIPTIONS, TABLES, Order, Table

VIEW_FOLDER = Path(__file__).with_name("views")

LAST_REVISIONS: Mapping[str, str] = {
    "latest_scored_posts": "scored_posts",
    "latest_hourly_toxicity": "hourly_toxicity",
    "latest_anomalies": "anomalies",
    "latest_text_scores": "text_scores",
    "latest_judged_spans": "judged_spans",
}

VIEW_FILES = (
    "latest_forecasts",
    "latest_forecast_accuracy",
    "anomaly_details",
    "hourly_dashboard",
    "topic_daily",
    "topic_summary",
    "hour_of_week",
    "label_daily",
    "anomaly_examples",
    "forecast_dashboard",
    "forecast_accuracy_dashboard",
    "dead_letters_by_reason",
    "anomaly_report",
    "metric_hours",
    "posts_by_hour",
    "five_minutes",
    "forecast_outcomes",
    "forecast_scores",
    "forecast_runs",
)
"""Each reads only tables and views that come before it."""

VIEWS = (*LAST_REVISIONS, *VIEW_FILES)

VIEW_COLUMNS: Mapping[str, str] = {
    "day": "Day, UTC.",
    "day_of_week": "1 (Monday) to 7, UTC.",
    "hour_of_day": "0 to 23, UTC.",
    "label": "Label of the model, such as insult.",
    "mean_score": "Mean probability of the label over the scored posts.",
    "first_hour": "First hour with posts.",
    "last_hour": "Last hour with posts.",
    "anomalies": "Hours and metrics that were flagged.",
    "anomaly_posts": "Severity, where the number of posts was anomalous.",
    "anomaly_mean_toxicity": "Severity, where the mean toxicity was anomalous.",
    "anomaly_toxic_share": "Severity, where the share of toxic posts was anomalous.",
    "step": "Start of the five minutes, UTC.",
    "is_toxic": "Whether the toxic share of its hour counts the post; NULL where it is not scored.",
    "rank": "1 for the most telling post of the hour.",
    "letters": "Dead letters of this stage and reason.",
    "first_seen": "When the first of them was given up.",
    "last_seen": "When the last of them was given up.",
    "example_message": "What was wrong with one of them.",
    "example_payload": "One of them as text, bounded, author ids replaced.",
    "beyond": "How far the observed lies beyond the nearer end of the expected range.",
    "terms_text": "Terms that set the hour apart from the hours before, strongest first.",
    "examples": "How many example posts the hour has in anomaly_examples.",
    "hours_ahead": "Hours from the origin to the end of the hour: 1 for the first one forecast.",
    "day_ahead": "1 for the first 24 hours after the origin, 2 for the next.",
    "absolute_error": "Distance of the observed from the expected, in the metric's unit.",
    "mean_absolute_error": "Mean of absolute_error over the hours.",
    "inside_80": "Whether the observed lies in the 80 % band, ends included.",
    "inside_95": "Whether the observed lies in the 95 % band, ends included.",
    "flagged": "Whether the detector flagged the hour, once it had come.",
    "hours": "Hours forecast that have come.",
    "mean_observed": "Mean of the observed over the hours.",
    "mean_p_anomaly": "Mean of p_anomaly: what share of the hours was to be flagged.",
    "flagged_share": "Share of the hours that the detector flagged.",
    "bands_failed": "Whether the 80 % bands of three weeks held less than 65 % of a week's hours.",
    "hour_of_week.posts": "Mean posts an hour, over the hours observed.",
}
"""What the schema's own descriptions do not say; VIEW.COLUMN where a view means something else."""


def last_revision(table: Table) -> str:
    """BigQuery SQL for the rows of an append-only table that are the last of their key."""
    # Where nothing says which is the last, any one of them, but always the same one.
    order = table.order_by or tuple(Order(name) for name in table.content)
    ranking = ", ".join(f"{item.sql()} DESC" for item in order)
    columns, key = ", ".join(table.names), ", ".join(table.key)
    return f"""SELECT {columns} FROM `{{dataset}}.{table.name}`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY {ranking}) = 1"""  # noqa: S608 - names of ours


def bigquery_select(name: str, dataset: str) -> str:
    """The SELECT behind a view, in BigQuery's SQL; `dataset` is written as project.dataset."""
    if name in LAST_REVISIONS:
        sql = last_revision(TABLES[LAST_REVISIONS[name]])
    else:
        sql = (VIEW_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return sql.replace("{dataset}", dataset)


def bigquery_view(name: str, dataset: str) -> str:
    """DDL with the descriptions that BigQuery and Looker Studio show beside fields."""
    columns = ",\n  ".join(
        f"{column} OPTIONS(description={literal(column_description(name, column))})"
        for column in view_columns(name)
    )
    return (
        f"CREATE OR REPLACE VIEW `{dataset}.{name}` (\n  {columns}\n)"
        f"\nOPTIONS(description={literal(description(name))})"
        f" AS\n{bigquery_select(name, dataset)}"
    )


@cache
def view_columns(name: str) -> tuple[str, ...]:
    if name in LAST_REVISIONS:
        return TABLES[LAST_REVISIONS[name]].names
    from sqlglot import exp, parse_one

    query = parse_one((VIEW_FOLDER / f"{name}.sql").read_text("utf-8"), read="bigquery")
    assert isinstance(query, exp.Query), f"{name}.sql is one SELECT"
    return tuple(query.named_selects)


def column_description(view: str, column: str) -> str:
    own = VIEW_COLUMNS.get(f"{view}.{column}") or VIEW_COLUMNS.get(column)
    return own or DESCRIPTIONS[column]


def description(name: str) -> str:
    """What a view's file says of it above its SQL."""
    if name in LAST_REVISIONS:
        return f"The last revision of each row. {TABLES[LAST_REVISIONS[name]].description}"
    lines = (VIEW_FOLDER / f"{name}.sql").read_text("utf-8").splitlines()
    said = takewhile(lambda line: line.startswith("--"), lines)
    return " ".join(line.removeprefix("--").strip() for line in said)


@cache
def duckdb_select(name: str) -> str:
    """The SELECT behind a view, for DuckDB, whose tables hold one row a key."""
    if name in LAST_REVISIONS:
        return f'SELECT * FROM "{LAST_REVISIONS[name]}"'  # noqa: S608 - names of ours
    # Here and not above: it takes a third of a second, and only who makes a file needs it.
    import sqlglot

    sql = (VIEW_FOLDER / f"{name}.sql").read_text(encoding="utf-8").replace("{dataset}.", "")
    return sqlglot.transpile(sql, read="bigquery", write="duckdb")[0]


def duckdb_view(name: str) -> str:
    return f'CREATE OR REPLACE VIEW "{name}" AS {duckdb_select(name)}'
