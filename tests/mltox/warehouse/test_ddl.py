from __future__ import annotations

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from mltox.warehouse.ddl import bigquery_table, duckdb_table
from mltox.warehouse.schema import TABLES

ACCURACY = """\
CREATE TABLE IF NOT EXISTS `p.mltox.forecast_accuracy` (
  topic STRING NOT NULL OPTIONS(description="Topic that the post was collected for or matched by keyword."),
  metric STRING NOT NULL OPTIONS(description="posts, mean_toxicity or toxic_share."),
  run_at TIMESTAMP NOT NULL OPTIONS(description="Origin of the forecast: the hour after the last one observed."),
  method STRING NOT NULL OPTIONS(description="Forecasting method; pool is the weighted median of all."),
  horizon_hours INT64 NOT NULL OPTIONS(description="How many hours ahead the backtest looked."),
  mase FLOAT64 OPTIONS(description="Mean absolute error over that of the daily naive forecast within the history."),
  smape FLOAT64 OPTIONS(description="Symmetric mean absolute percentage error, 0 to 200 (M4's)."),
  pinball FLOAT64 OPTIONS(description="Mean pinball loss over the band ends and the centre."),
  coverage_80 FLOAT64 OPTIONS(description="Share of observations inside the 80 % band."),
  coverage_95 FLOAT64 OPTIONS(description="Share of observations inside the 95 % band."),
  chosen BOOL NOT NULL OPTIONS(description="Whether this method made the forecast.")
)
PARTITION BY TIMESTAMP_TRUNC(run_at, DAY)
CLUSTER BY topic, metric
OPTIONS(description="How each forecasting method did in the backtest.")"""  # noqa: E501


def test_bigquery_ddl_word_for_word() -> None:
    assert bigquery_table(TABLES["forecast_accuracy"], "p.mltox") == ACCURACY


def test_bigquery_arrays_take_no_not_null() -> None:
    assert "terms ARRAY<STRING> OPTIONS" in bigquery_table(TABLES["anomalies"], "p.mltox")


def test_bigquery_table_without_partition() -> None:
    assert "PARTITION" not in bigquery_table(TABLES["text_scores"], "p.mltox")


@pytest.mark.parametrize("name", TABLES)
def test_bigquery_ddl_parses(name: str) -> None:
    statement = sqlglot.parse_one(bigquery_table(TABLES[name], "p.mltox"), read="bigquery")
    assert isinstance(statement, exp.Create)
    columns = [column.name for column in statement.this.expressions]
    assert tuple(columns) == TABLES[name].names


@pytest.mark.parametrize("name", TABLES)
def test_duckdb_ddl_makes_the_columns(name: str) -> None:
    table = TABLES[name]
    with duckdb.connect() as connection:
        connection.execute(duckdb_table(table))
        made = connection.execute(
            "SELECT column_name, is_nullable FROM duckdb_columns()"
            " WHERE table_name = ? ORDER BY column_index",
            [name],
        ).fetchall()
    assert made == [(column.name, not column.required) for column in table.columns]
