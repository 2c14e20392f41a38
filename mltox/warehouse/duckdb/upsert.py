"""Rows into a DuckDB table, those of a known key in place of the row that is there.

MERGE would do it in one statement, but reads every column of the whole table for it. Here the keys
alone are read to find the rows that are there, and of the other columns only what belongs to these:
less memory, and half the time at a million posts whose ids jump about (docs/measurements.md).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import duckdb
import pyarrow as pa

from mltox.warehouse.duckdb.registered import registered
from mltox.warehouse.schema import Table

INCOMING = "incoming_rows"
FOUND = "found_rows"


class Statements(NamedTuple):
    find: str
    insert: str
    update: str


@cache
def statements(table: Table) -> Statements:
    """SQL for the rows of INCOMING, which has the table's columns and `batch_position`. FOUND holds
    the last revision of each key there, and where in the table the key is, NULL for nowhere."""
    keys = ", ".join(table.key)
    ranking = ", ".join(f"{item.sql()} DESC" for item in table.order_by)
    comma = ", " if ranking else ""
    find = f"""
        CREATE OR REPLACE TEMP TABLE {FOUND} AS
        SELECT batch_position, stored.rowid AS stored_row
        FROM (
            SELECT {keys}, batch_position FROM {INCOMING}
            QUALIFY row_number() OVER (
                PARTITION BY {keys} ORDER BY {ranking}{comma}batch_position DESC
            ) = 1
        ) LEFT JOIN "{table.name}" AS stored USING ({keys})"""  # noqa: S608 - names of ours
    names = ", ".join(table.names)
    fresh = f"{INCOMING} JOIN {FOUND} USING (batch_position)"
    insert = f"""
        INSERT INTO "{table.name}" ({names})
        SELECT {names} FROM {fresh} WHERE stored_row IS NULL"""  # noqa: S608 - names of ours
    differs = " OR ".join(f"stored.{name} IS DISTINCT FROM fresh.{name}" for name in table.content)
    newer = ""
    if table.order_by:
        of_fresh = ", ".join(item.sql("fresh.") for item in table.order_by)
        of_stored = ", ".join(item.sql("stored.") for item in table.order_by)
        newer = f" AND ({of_fresh},) >= ({of_stored},)"
    changed = ", ".join(f"{n} = fresh.{n}" for n in table.names if n not in table.key)
    update = f"""
        UPDATE "{table.name}" AS stored SET {changed} FROM (SELECT * FROM {fresh}) AS fresh
        WHERE stored.rowid = fresh.stored_row AND ({differs}){newer}"""  # noqa: S608 - names of ours
    return Statements(find, insert, update)


def upsert(connection: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table) -> int:
    """Returns how many rows of the table are new or changed. To be called in a transaction."""
    positions = pa.array(range(len(rows)), pa.int64())
    find, insert, update = statements(table)
    with registered(connection, INCOMING, rows.append_column("batch_position", positions)):
        connection.execute(find)
        [(new,)] = connection.execute(insert).fetchall()
        [(changed,)] = connection.execute(update).fetchall() if new < len(rows) else [(0,)]
        connection.execute(f"DROP TABLE {FOUND}")
    return int(new + changed)
