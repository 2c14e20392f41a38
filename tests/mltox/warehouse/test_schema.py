from __future__ import annotations

import pytest

from mltox.warehouse.schema import DESCRIPTIONS, TABLES, Type

# What DESIGN.md promises of each table: its key, and one telling column of each type.
PROMISED = {
    "scored_posts": (
        ("topic", "post_id"),
        {"created_at": Type.TIMESTAMP, "toxicity": Type.FLOAT64},
    ),
    "hourly_toxicity": (
        ("topic", "hour", "model"),
        {"hour": Type.TIMESTAMP, "posts": Type.INT64, "is_final": Type.BOOL},
    ),
    "anomalies": (
        ("topic", "hour", "metric", "detector"),
        {"terms": Type.STRINGS, "example_post_ids": Type.STRINGS, "status": Type.STRING},
    ),
    "forecasts": (
        ("topic", "metric", "run_at", "hour"),
        {"run_at": Type.TIMESTAMP, "lower_80": Type.FLOAT64},
    ),
    "forecast_accuracy": (
        ("topic", "metric", "run_at", "method"),
        {"horizon_hours": Type.INT64, "chosen": Type.BOOL},
    ),
    "dead_letters": (("letter_id",), {"seen_at": Type.TIMESTAMP, "payload": Type.STRING}),
    "text_scores": (("text_sha256", "model_sha256"), {"threat": Type.FLOAT64}),
    "judged_spans": (("topic", "detector"), {"end_at": Type.TIMESTAMP, "hours_judged": Type.INT64}),
    "forgotten_posts": (("post_id",), {"held": Type.BOOL, "forgotten_at": Type.TIMESTAMP}),
}


def test_tables_are_those_of_the_design() -> None:
    assert set(TABLES) == set(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
def test_table_follows_its_record(name: str) -> None:
    table = TABLES[name]
    key, types = PROMISED[name]
    assert table.key == key
    assert table.names == table.record._fields
    assert types.items() <= {column.name: column.type for column in table.columns}.items()


@pytest.mark.parametrize("name", PROMISED)
def test_table_is_consistent(name: str) -> None:
    table = TABLES[name]
    required = {column.name for column in table.columns if column.required}
    # MERGE joins on the key and compares the order, and NULL neither joins nor compares.
    assert set(table.key) | {order.column for order in table.order_by} <= required
    assert {table.partition or table.key[0], *table.cluster} <= set(table.names)
    assert len(table.cluster) <= 4  # BigQuery's limit
    assert table.volatile.isdisjoint(table.key)


def test_optional_fields_are_nullable() -> None:
    nullable = {column.name for column in TABLES["anomalies"].columns if not column.required}
    assert nullable == {"explained_share"}


def test_every_description_is_used() -> None:
    used = {column.name for table in TABLES.values() for column in table.columns}
    assert used == set(DESCRIPTIONS)
