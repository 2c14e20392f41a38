"""Anomalies that are in the tables and not yet on the alerts topic.

Their keys come into a list of the same DuckDB file in the transaction that brings the rows, and go
when they are published. Dead letters need no such list: their messages are delivered again. An
anomaly is found but once, in the turn that closes its hour.
"""

from __future__ import annotations

from collections.abc import Iterable

from mltox.base.clock import datetime_of
from mltox.posts.records import Anomaly
from mltox.warehouse import read_records
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse

LIST = "live_unpublished_anomalies"
INCIDENT_KEY = "topic, hour, metric"


def create_unpublished(warehouse: DuckDBWarehouse) -> None:
    warehouse.execute(
        f"CREATE TABLE IF NOT EXISTS {LIST} (topic VARCHAR, hour TIMESTAMPTZ, metric VARCHAR)"
    )


def note(warehouse: DuckDBWarehouse, anomalies: Iterable[Anomaly]) -> None:
    for anomaly in anomalies:
        warehouse.execute(
            f"INSERT INTO {LIST} VALUES (?, ?, ?)",  # noqa: S608 - a name of ours
            (anomaly.topic, datetime_of(anomaly.hour), anomaly.metric),
        )


def read_unpublished(warehouse: DuckDBWarehouse) -> list[Anomaly]:
    """Each as the tables have it now, oldest hour first."""
    return read_records(
        warehouse,
        "anomalies",
        Anomaly,
        where=f"({INCIDENT_KEY}) IN (SELECT ({INCIDENT_KEY}) FROM {LIST})"  # noqa: S608 - names of ours
        " AND detector != 'retrospective'",
        order_by=INCIDENT_KEY,
    )


def clear(warehouse: DuckDBWarehouse) -> None:
    warehouse.execute(f"DELETE FROM {LIST}")  # noqa: S608 - a name of ours
