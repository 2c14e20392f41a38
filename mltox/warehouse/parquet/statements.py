"""SQL over the files of a table: which of their rows are the last of their key."""

from __future__ import annotations

from mltox.warehouse.ddl import DUCKDB_TYPES
from mltox.warehouse.parquet.layout import WRITTEN_AT
from mltox.warehouse.schema import Order, Table

INCOMING, STORED = "incoming_rows", "stored_rows"
POSITION = "batch_position"


def raw(table: str) -> str:
    """The name of what all files of a table hold."""
    return f"files_of_{table}"


def last_rows(table: Table, source: str, *, unique: bool = False) -> str:
    """SELECT of the last revision of each key; `unique`: no key is there twice."""
    names = ", ".join((*table.names, WRITTEN_AT))
    if unique:
        return f'SELECT {names} FROM "{source}"'  # noqa: S608 - names of ours
    return (
        f'SELECT {names} FROM "{source}" QUALIFY row_number() OVER'  # noqa: S608 - names of ours
        f" (PARTITION BY {', '.join(table.key)} ORDER BY {_ranking(table, WRITTEN_AT)}) = 1"
    )


def changed_rows(table: Table) -> str:
    """SELECT of the rows of INCOMING that are new beside STORED, or say something else."""
    keys = ", ".join(table.key)
    names = ", ".join(f"fresh.{name}" for name in table.names)
    differs = " OR ".join(f"stored.{n} IS DISTINCT FROM fresh.{n}" for n in table.content)
    newer = ""
    if table.order_by:
        of_fresh = ", ".join(item.sql("fresh.") for item in table.order_by)
        of_stored = ", ".join(item.sql("stored.") for item in table.order_by)
        newer = f" AND ({of_fresh},) >= ({of_stored},)"
    order = ", ".join(dict.fromkeys((*table.cluster, *table.key)))
    return f"""
        WITH fresh AS (
            SELECT * FROM {INCOMING} QUALIFY row_number() OVER
            (PARTITION BY {keys} ORDER BY {_ranking(table, POSITION)}) = 1
        ), held AS (
            SELECT * FROM "{STORED}" SEMI JOIN {INCOMING} USING ({keys})
        ), stored AS (
            SELECT * FROM held QUALIFY row_number() OVER
            (PARTITION BY {keys} ORDER BY {_ranking(table, WRITTEN_AT)}) = 1
        )
        SELECT {names} FROM fresh LEFT JOIN stored USING ({keys})
        WHERE stored.{WRITTEN_AT} IS NULL OR (({differs or "FALSE"}){newer})
        ORDER BY {order}"""  # noqa: S608 - names of ours


def moved_rows(table: Table, day: str) -> str:
    """SELECT of the keys that have rows of several days, with the day of the last revision."""
    keys = ", ".join(table.key)
    ranking = ", ".join((*(item.sql() for item in table.order_by), WRITTEN_AT))
    return (
        f"SELECT {keys}, arg_max({day}, row({ranking})) AS stays"  # noqa: S608 - names of ours
        f' FROM "{raw(table.name)}" GROUP BY {keys} HAVING count(DISTINCT {day}) > 1'
    )


def no_rows(table: Table) -> str:
    """SELECT of the table's columns and no row, for a table without files."""
    columns = ", ".join(f"NULL::{DUCKDB_TYPES[c.type]} AS {c.name}" for c in table.columns)
    return f"SELECT {columns}, NULL::BIGINT AS {WRITTEN_AT} WHERE FALSE"


def _ranking(table: Table, last: str) -> str:
    return ", ".join(f"{item.sql()} DESC" for item in (*table.order_by, Order(last)))
