"""The statements by which DuckDB forgets. All run in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from mltox.warehouse.duckdb.registered import registered
from mltox.warehouse.forgetting import EMPTIED, EXAMPLES, TOMBSTONES, Forgotten

GONE = "gone_posts"


def sql_literal(value: str | None) -> str:
    return "NULL" if value is None else f"'{value}'"


def emptying(table: str, columns: Mapping[str, str | None]) -> str:
    """SQL that empties the columns of the posts in GONE, where they are not empty yet."""
    emptied = ", ".join(f"{name} = {sql_literal(value)}" for name, value in columns.items())
    full = " OR ".join(f"{n} IS DISTINCT FROM {sql_literal(v)}" for n, v in columns.items())
    return (
        f"UPDATE {table} SET {emptied}"  # noqa: S608 - names of ours
        f" WHERE post_id IN (SELECT post_id FROM {GONE}) AND ({full})"
    )


HOURS_SHOWN = f"""
    SELECT DISTINCT post_id FROM (SELECT unnest({EXAMPLES}) AS post_id FROM anomalies)
    SEMI JOIN {GONE} USING (post_id)"""  # noqa: S608 - names of ours
UNLINKING = f"""
    UPDATE anomalies
    SET {EXAMPLES} = list_filter({EXAMPLES}, lambda each: NOT list_contains($shown, each))
    WHERE list_has_any({EXAMPLES}, $shown)"""  # noqa: S608 - names of ours

OLD = "NOT held AND forgotten_at < $before"
IS_OLD = f"SELECT 1 FROM {TOMBSTONES} WHERE {OLD} LIMIT 1"  # noqa: S608 - names of ours
HOLDING = f"""
    UPDATE {TOMBSTONES} SET held = TRUE
    WHERE {OLD} AND post_id IN (SELECT post_id FROM scored_posts)"""  # noqa: S608 - names of ours
DROPPING = f"DELETE FROM {TOMBSTONES} WHERE {OLD}"  # noqa: S608 - names of ours


def empty(connection: duckdb.DuckDBPyConnection, post_ids: Sequence[str]) -> Forgotten:
    """Takes what is to be forgotten of these posts out of the tables."""
    gone = pa.table([pa.array(post_ids, pa.string())], names=["post_id"])
    with registered(connection, GONE, gone):
        changed = {
            table: int(connection.execute(emptying(table, columns)).fetchall()[0][0])
            for table, columns in EMPTIED.items()
        }
        shown = [post_id for (post_id,) in connection.execute(HOURS_SHOWN).fetchall()]
    unlinked = 0
    if shown:
        unlinked = connection.execute(UNLINKING, {"shown": shown}).fetchall()[0][0]
    return Forgotten(changed["scored_posts"], changed["dead_letters"], int(unlinked))


def prune_tombstones(connection: duckdb.DuckDBPyConnection, before: datetime) -> None:
    """Drops tombstones older than `before` of posts that the tables do not hold."""
    bound = {"before": before}
    if connection.execute(IS_OLD, bound).fetchall():
        connection.execute(HOLDING, bound)
        connection.execute(DROPPING, bound)
