"""The tables of a run into the warehouse."""

from __future__ import annotations

import apache_beam as beam

from mltox.posts.records import DeadLetter
from pipelines.graph.rows import Tables, together
from pipelines.sinks.write_table import STREAMING_INSERTS, WriteTable


def write_tables(
    tables: Tables, warehouse_uri: str, write_method: str = STREAMING_INSERTS
) -> beam.PCollection[DeadLetter]:
    """Rows that a table refuses are dead letters as well. `write_method` matters to BigQuery.

    Returns all dead letters.
    """
    refused = tuple(
        getattr(tables, name) | f"Write_{name}" >> WriteTable(warehouse_uri, name, write_method)
        for name in ("scored_posts", "text_scores", "hourly_toxicity", "anomalies")
    )
    letters = together("AllDeadLetters", tables.dead_letters, *refused)
    letters | "Write_dead_letters" >> WriteTable(warehouse_uri, "dead_letters", write_method)
    return letters
