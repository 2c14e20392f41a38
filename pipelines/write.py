"""The tables of a run into the warehouse."""

from __future__ import annotations

from pipelines.streaming import Tables, together
from pipelines.warehouse.sinks import WriteTable


def write_tables(tables: Tables, warehouse_uri: str) -> None:
    """Rows that a table refuses are dead letters as well."""
    refused = tuple(
        getattr(tables, name) | f"Write_{name}" >> WriteTable(warehouse_uri, name)
        for name in ("scored_posts", "text_scores", "hourly_toxicity", "anomalies")
    )
    letters = together("AllDeadLetters", tables.dead_letters, *refused)
    letters | "Write_dead_letters" >> WriteTable(warehouse_uri, "dead_letters")
