"""The views, written once in BigQuery's SQL and transpiled for DuckDB.

`latest_*` views of whole tables follow from the keys in the schema; the others are the files in
`views/`, in which `{dataset}` stands for the dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pipelines.warehouse.schema import TABLES, Order, Table

FOLDER = Path(__file__).with_name("views")

LAST_REVISIONS: Mapping[str, str] = {
    "latest_scored_posts": "scored_posts",
    "latest_hourly_toxicity": "hourly_toxicity",
    "latest_anomalies": "anomalies",
    "latest_text_scores": "text_scores",
}

FILES = (
    "latest_forecasts",
    "latest_forecast_accuracy",
    "hourly_dashboard",
    "topic_daily",
    "topic_summary",
    "hour_of_week",
    "label_daily",
    "anomaly_details",
    "anomaly_examples",
    "forecast_dashboard",
    "forecast_accuracy_dashboard",
    "dead_letters_by_reason",
)
"""Each reads only tables and views that come before it."""

VIEWS = (*LAST_REVISIONS, *FILES)


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
        sql = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return sql.replace("{dataset}", dataset)


def bigquery_view(name: str, dataset: str) -> str:
    return f"CREATE OR REPLACE VIEW `{dataset}.{name}` AS\n{bigquery_select(name, dataset)}"


@cache
def duckdb_select(name: str) -> str:
    """The SELECT behind a view, for DuckDB, whose tables hold one row a key."""
    if name in LAST_REVISIONS:
        return f'SELECT * FROM "{LAST_REVISIONS[name]}"'  # noqa: S608 - names of ours
    # Here and not above: it takes a third of a second, and only who makes a file needs it.
    import sqlglot

    sql = (FOLDER / f"{name}.sql").read_text(encoding="utf-8").replace("{dataset}.", "")
    return sqlglot.transpile(sql, read="bigquery", write="duckdb")[0]


def duckdb_view(name: str) -> str:
    return f'CREATE OR REPLACE VIEW "{name}" AS {duckdb_select(name)}'
