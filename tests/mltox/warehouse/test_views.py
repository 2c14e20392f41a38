"""Each view over tables small enough to work out by hand, in both warehouses.

In DuckDB the tables hold one row a key; in BigQuery every revision stays and the views choose.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from mltox.posts.records import DAY, HOUR, SECOND, WEEK, Micros
from mltox.warehouse import Warehouse, open_warehouse
from mltox.warehouse.schema import TABLES
from mltox.warehouse.views import VIEWS, bigquery_select, bigquery_view, description
from tests.mltox.warehouse.examples import (
    EXAMPLES,
    MONDAY,
    accuracy,
    anomaly,
    dead_letter,
    forecast,
    hourly,
    scored_post,
)


@pytest.fixture(params=["duck", "big"])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    yield request.getfixturevalue(request.param)


def at(stamp: Micros) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=stamp)


def rows(warehouse: Warehouse, view: str, columns: str, order_by: str) -> list[tuple[Any, ...]]:
    sql = f"SELECT {columns} FROM {warehouse.relation(view)} ORDER BY {order_by}"  # noqa: S608
    found = warehouse.query(sql).to_pylist()
    return [tuple(row.values()) for row in found]


def test_views_of_empty_tables_are_empty(warehouse: Warehouse) -> None:
    for view in VIEWS:
        found = warehouse.query(f"SELECT * FROM {warehouse.relation(view)}")  # noqa: S608
        assert found.num_rows == 0, view


@pytest.mark.parametrize(
    ("table", "view", "revisions"),
    [
        (
            "scored_posts",
            "latest_scored_posts",
            [
                scored_post(text="edited", created_at=MONDAY + 1, ingested_at=MONDAY + HOUR),
                scored_post(toxicity=0.9, scored_at=MONDAY + HOUR),
                scored_post(),
            ],
        ),
        (
            "hourly_toxicity",
            "latest_hourly_toxicity",
            [
                hourly(posts=12, revision=3, updated_at=MONDAY + 2 * HOUR),
                hourly(posts=11, revision=2, updated_at=MONDAY + 2 * HOUR),
                hourly(posts=10, revision=9),
            ],
        ),
        (
            "anomalies",
            "latest_anomalies",
            [anomaly(status="resolved"), anomaly(status="open"), anomaly(status="updated")],
        ),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_last_revision_whatever_the_order(
    warehouse: Warehouse, table: str, view: str, revisions: list[Any], order: int
) -> None:
    for row in revisions[::order]:
        warehouse.upsert(table, [row])
    [found] = warehouse.query(f"SELECT * FROM {warehouse.relation(view)}").to_pylist()  # noqa: S608
    stored = {
        name: at(value) if name == "hour" or name.endswith("_at") else value
        for name, value in revisions[0]._asdict().items()
    }
    assert {**found, **{n: tuple(v) for n, v in found.items() if isinstance(v, list)}} == stored


HOURS = (
    # An hour with two models, one of which scored 3 times the posts of the other.
    hourly(posts=8, posts_unscored=2, authors=4, mean_toxicity=0.1, toxic_share=0.0),
    hourly(model="b@2", posts=2, authors=2, mean_toxicity=0.5, toxic_share=0.5, p90_toxicity=0.2),
    # An hour in a language that the model doesn't know.
    hourly(
        hour=MONDAY + HOUR,
        posts=4,
        posts_unscored=4,
        authors=3,
        mean_toxicity=None,
        toxic_share=None,
        p90_toxicity=None,
        mean_obscene=None,
    ),
    # The same clock hour a week later, and an hour whose posts all moved elsewhere.
    hourly(hour=MONDAY + WEEK, posts=20, mean_toxicity=0.3, toxic_share=0.25),
    hourly(hour=MONDAY + DAY + 23 * HOUR, posts=0, authors=0, mean_toxicity=None, toxic_share=None),
    hourly(topic="sport", hour=MONDAY + 6 * DAY, posts=1, authors=1, mean_obscene=None),
)
FLAGS = (
    anomaly(metric="posts", severity="low", status="resolved"),
    anomaly(metric="mean_toxicity", severity="high", status="updated"),
    anomaly(metric="toxic_share", hour=MONDAY + WEEK, severity="medium"),
)


@pytest.fixture
def filled(warehouse: Warehouse) -> Warehouse:
    warehouse.upsert("hourly_toxicity", HOURS)
    warehouse.upsert("anomalies", FLAGS)
    return warehouse


def approx(expected: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [
        tuple(pytest.approx(v, rel=1e-12) if isinstance(v, float) else v for v in row)
        for row in expected
    ]


def test_hourly_dashboard(filled: Warehouse) -> None:
    found = rows(filled, "hourly_dashboard", "*", "topic, hour")
    assert found == approx(
        [
            ("politics", at(MONDAY), 10, 2, 6, 0.2, 0.125, 0.5, "low", "high", None),
            ("politics", at(MONDAY + HOUR), 4, 4, 3, *[None] * 6),
            ("politics", at(MONDAY + DAY + 23 * HOUR), 0, 0, 0, *[None] * 6),
            ("politics", at(MONDAY + WEEK), 20, 0, 5, 0.3, 0.25, 0.6, None, None, "medium"),
            ("sport", at(MONDAY + 6 * DAY), 1, 0, 1, 0.2, 0.1, 0.6, None, None, None),
        ]
    )


def test_topic_daily(filled: Warehouse) -> None:
    found = rows(filled, "topic_daily", "*", "topic, day")
    assert found == approx(
        [
            ("politics", date(2016, 1, 4), 14, 6, 0.2, 0.125),
            ("politics", date(2016, 1, 5), 0, 0, None, None),
            ("politics", date(2016, 1, 11), 20, 0, 0.3, 0.25),
            ("sport", date(2016, 1, 10), 1, 0, 0.2, 0.1),
        ]
    )


def test_topic_summary_counts_an_author_once(filled: Warehouse) -> None:
    authors = ["a1", "a1", "a2", None]
    posts = [scored_post(post_id=str(i), author_key=key) for i, key in enumerate(authors)]
    filled.upsert("scored_posts", posts)
    mean = (0.1 * 6 + 0.5 * 2 + 0.3 * 20) / 28
    share = (0.5 * 2 + 0.25 * 20) / 28
    assert rows(filled, "topic_summary", "*", "topic") == approx(
        [
            ("politics", 34, 6, 2, mean, share, at(MONDAY), at(MONDAY + WEEK), 3),
            ("sport", 1, 0, 0, 0.2, 0.1, at(MONDAY + 6 * DAY), at(MONDAY + 6 * DAY), 0),
        ]
    )


def test_hour_of_week(filled: Warehouse) -> None:
    found = rows(filled, "hour_of_week", "*", "topic, day_of_week, hour_of_day")
    mean = (0.1 * 6 + 0.5 * 2 + 0.3 * 20) / 28
    share = (0.5 * 2 + 0.25 * 20) / 28
    assert found == approx(
        [
            ("politics", 1, 0, 15.0, mean, share),  # 10 posts on one Monday, 20 on the next
            ("politics", 1, 1, 4.0, None, None),
            ("politics", 2, 23, 0.0, None, None),
            ("sport", 7, 0, 1.0, 0.2, 0.1),
        ]
    )


def test_label_daily_has_no_row_for_a_label_without_scores(filled: Warehouse) -> None:
    assert rows(filled, "label_daily", "*", "topic, day, label") == approx(
        [
            ("politics", date(2016, 1, 4), "obscene", 0.4),
            ("politics", date(2016, 1, 4), "toxicity", 0.2),
            ("politics", date(2016, 1, 11), "obscene", 0.4),
            ("politics", date(2016, 1, 11), "toxicity", 0.3),
            ("sport", date(2016, 1, 10), "toxicity", 0.2),
        ]
    )


def test_anomaly_details_are_the_last_state(warehouse: Warehouse) -> None:
    warehouse.upsert("anomalies", [anomaly(), anomaly(status="resolved", terms=("end",))])
    found = rows(warehouse, "anomaly_details", "topic, hour, metric, status, terms", "topic")
    assert found == [("politics", at(MONDAY), "mean_toxicity", "resolved", ["end"])]


def test_anomaly_examples_keep_their_order(warehouse: Warehouse) -> None:
    warehouse.upsert(
        "anomalies",
        [
            anomaly(example_post_ids=("x:9", "x:2", "x:gone", "x:1")),
            anomaly(metric="posts", example_post_ids=("x:2",)),
            anomaly(topic="sport", example_post_ids=("x:1",)),
            anomaly(hour=MONDAY + HOUR, example_post_ids=()),
        ],
    )
    warehouse.upsert(
        "scored_posts",
        [
            scored_post(post_id="x:1", text="<b>one</b>", toxicity=0.9),
            scored_post(post_id="x:2", text=None, toxicity=None),
            scored_post(post_id="x:9", text="older"),
            scored_post(post_id="x:9", text="nine", created_at=MONDAY + SECOND),
            scored_post(topic="sport", post_id="x:1", text="of sport"),
        ],
    )
    columns = "topic, metric, rank, post_id, text, toxicity, source, created_at"
    found = rows(warehouse, "anomaly_examples", columns, "topic, metric, rank")
    assert found == [
        ("politics", "mean_toxicity", 1, "x:9", "nine", 0.25, "x", at(MONDAY + SECOND)),
        ("politics", "mean_toxicity", 2, "x:2", None, None, "x", at(MONDAY)),
        ("politics", "mean_toxicity", 4, "x:1", "<b>one</b>", 0.9, "x", at(MONDAY)),
        ("politics", "posts", 1, "x:2", None, None, "x", at(MONDAY)),
        ("sport", "mean_toxicity", 1, "x:1", "of sport", 0.25, "x", at(MONDAY)),
    ]


def test_forecast_dashboard_is_the_newest_run_of_each_metric(warehouse: Warehouse) -> None:
    warehouse.upsert(
        "forecasts",
        [
            forecast(run_at=MONDAY, hour=MONDAY + HOUR, expected=1.0),
            forecast(run_at=MONDAY + HOUR, hour=MONDAY + HOUR, expected=2.0),
            forecast(run_at=MONDAY + HOUR, hour=MONDAY + 2 * HOUR, expected=3.0),
            forecast(metric="toxic_share", run_at=MONDAY, hour=MONDAY + HOUR, expected=0.4),
        ],
    )
    columns = "topic, metric, hour, expected, run_at"
    assert rows(warehouse, "forecast_dashboard", columns, "metric, hour") == [
        ("politics", "posts", at(MONDAY + HOUR), 2.0, at(MONDAY + HOUR)),
        ("politics", "posts", at(MONDAY + 2 * HOUR), 3.0, at(MONDAY + HOUR)),
        ("politics", "toxic_share", at(MONDAY + HOUR), 0.4, at(MONDAY)),
    ]


def test_forecast_written_twice_is_shown_once(warehouse: Warehouse) -> None:
    for _ in range(2):
        warehouse.upsert("forecasts", [forecast()])
        warehouse.upsert("forecast_accuracy", [accuracy()])
    assert len(rows(warehouse, "forecast_dashboard", "*", "hour")) == 1
    assert len(rows(warehouse, "forecast_accuracy_dashboard", "*", "method")) == 1


def test_forecast_accuracy_is_of_the_newest_run(warehouse: Warehouse) -> None:
    warehouse.upsert(
        "forecast_accuracy",
        [
            accuracy(run_at=MONDAY, method="retired", mase=0.1),
            accuracy(run_at=MONDAY + HOUR, method="prophet", chosen=False),
            accuracy(run_at=MONDAY + HOUR, method="naive", mase=None, chosen=True),
        ],
    )
    found = rows(warehouse, "forecast_accuracy_dashboard", "method, mase, chosen", "method")
    assert found == [("naive", None, True), ("prophet", 0.9, False)]


def test_dead_letters_by_reason(warehouse: Warehouse) -> None:
    warehouse.upsert(
        "dead_letters",
        [
            dead_letter(letter_id="l2", payload="second", seen_at=MONDAY + HOUR),
            dead_letter(letter_id="l1", payload="first", seen_at=MONDAY + 2 * HOUR),
            dead_letter(letter_id="l3", error_type="empty_text", payload="\x00"),
            dead_letter(letter_id="l4", stage="score", payload="p"),
        ],
    )
    repeated = dead_letter(letter_id="l2", payload="second", seen_at=MONDAY + DAY)
    warehouse.upsert("dead_letters", [repeated])
    columns = "stage, error_type, letters, first_seen, last_seen, example_payload"
    assert rows(warehouse, "dead_letters_by_reason", columns, "stage, error_type") == [
        ("parse", "empty_text", 1, at(MONDAY), at(MONDAY), "\x00"),
        ("parse", "malformed_json", 2, at(MONDAY + HOUR), at(MONDAY + 2 * HOUR), "first"),
        ("score", "malformed_json", 1, at(MONDAY), at(MONDAY), "p"),
    ]


DUCKDB_TYPES = {
    "STRING": "string",
    "INT64": "int64",
    "FLOAT64": "double",
    "BOOL": "bool",
    "TIMESTAMP": "timestamp[us, tz=UTC]",
    "DATE": "date32[day]",
    "ARRAY<STRING>": "list<l: string>",
}


def test_views_are_typed_in_bigquery_as_in_duckdb(duck: Warehouse) -> None:
    """Every name resolves against BigQuery's schema, and both dialects give the same types."""
    schema = MappingSchema(dialect="bigquery")
    for table in TABLES.values():
        columns = {column.name: column.type.value for column in table.columns}
        schema.add_table(f"p.mltox.{table.name}", columns, dialect="bigquery")
    for view in VIEWS:
        parsed = sqlglot.parse_one(bigquery_select(view, "p.mltox"), read="bigquery")
        query = annotate_types(qualify(parsed, schema=schema, dialect="bigquery"), schema=schema)
        assert isinstance(query, exp.Query)
        types = {
            column.alias_or_name: column.type.sql("bigquery") if column.type else "UNKNOWN"
            for column in query.selects
        }
        in_duckdb = duck.query(f"SELECT * FROM {duck.relation(view)}").schema  # noqa: S608
        expected = {field.name: str(field.type) for field in in_duckdb}
        assert {name: DUCKDB_TYPES.get(kind, kind) for name, kind in types.items()} == expected
        schema.add_table(f"p.mltox.{view}", types, dialect="bigquery")


@pytest.mark.parametrize("view", VIEWS)
def test_view_ddl_names_its_dataset_everywhere(view: str) -> None:
    sql = bigquery_view(view, "my-project.mltox")
    assert sql.startswith(f"CREATE OR REPLACE VIEW `my-project.mltox.{view}` (\n")
    assert "{" not in sql
    statement = sqlglot.parse_one(sql, read="bigquery")
    cte_names = {cte.alias for cte in statement.find_all(exp.CTE)}
    for table in statement.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and table.name not in cte_names:
            assert (table.catalog, table.db) == ("my-project", "mltox"), table.sql()


@pytest.mark.parametrize("view", VIEWS)
def test_each_column_of_a_view_is_described(view: str, duck: Warehouse) -> None:
    statement = sqlglot.parse_one(bigquery_view(view, "p.mltox"), read="bigquery")
    described = {
        column.name: column.find(exp.Property).args["value"].name
        for column in statement.this.expressions
    }
    found = duck.query(f"SELECT * FROM {duck.relation(view)}")  # noqa: S608
    assert list(described) == found.column_names
    for text in (*described.values(), description(view)):
        assert text[0].isalnum() and text.endswith(".")


def test_anomaly_report_is_flat(warehouse: Warehouse) -> None:
    warehouse.upsert(
        "anomalies",
        [
            anomaly(hour=MONDAY, observed=9.0, lower=1.0, upper=4.0, terms=("a", "b c")),
            anomaly(hour=MONDAY + HOUR, observed=0.5, lower=1.0, upper=4.0, terms=()),
        ],
    )
    columns = "hour, day, beyond, terms_text"
    assert rows(warehouse, "anomaly_report", columns, "hour") == [
        (at(MONDAY), date(2016, 1, 4), 5.0, "a, b c"),
        (at(MONDAY + HOUR), date(2016, 1, 4), 0.5, ""),
    ]


def test_metric_hours_join_past_and_future(warehouse: Warehouse) -> None:
    warehouse.upsert("hourly_toxicity", [hourly(hour=MONDAY, posts=7, toxic_share=0.5)])
    warehouse.upsert("anomalies", [anomaly(hour=MONDAY, metric="posts", severity="critical")])
    warehouse.upsert(
        "forecasts",
        [
            forecast(run_at=MONDAY, hour=MONDAY, expected=5.0),
            forecast(run_at=MONDAY, hour=MONDAY + HOUR, expected=6.0),
        ],
    )
    columns = "metric, hour, observed, expected, severity"
    found = rows(warehouse, "metric_hours", columns, "metric, hour")
    assert [row for row in found if row[0] != "mean_toxicity"] == [
        ("posts", at(MONDAY), 7.0, 5.0, "critical"),
        ("posts", at(MONDAY + HOUR), None, 6.0, None),
        ("toxic_share", at(MONDAY), 0.5, None, None),
    ]


def test_every_sql_file_is_a_view() -> None:
    folder = Path(__file__).parents[3] / "mltox" / "warehouse" / "views"
    assert {path.stem for path in folder.glob("*.sql")} < set(VIEWS)


def test_views_answer_fast_over_many_rows(tmp_path: Path) -> None:
    """100,000 posts and 26,000 hours: a view that scans the posts once for each anomaly takes
    minutes here."""
    choose = random.Random(3)
    posts = [
        scored_post(
            post_id=f"x:{number}",
            author_key=f"a{number % 5_000}",
            text=f"text {number} " * 10,
            created_at=MONDAY + number * SECOND,
        )
        for number in range(100_000)
    ]
    hours = [
        hourly(topic=topic, hour=MONDAY + hour * HOUR, posts=choose.randrange(100))
        for topic in ("politics", "sport", "news")
        for hour in range(8_760)
    ]
    flags = [
        anomaly(hour=MONDAY + hour * HOUR, example_post_ids=(f"x:{hour}", f"x:{9 * hour}"))
        for hour in range(1_000)
    ]
    letters = [dead_letter(letter_id=f"l{number}") for number in range(10_000)]
    with open_warehouse(str(tmp_path / "many.duckdb")) as warehouse:
        warehouse.create()
        warehouse.upsert("scored_posts", posts)
        warehouse.upsert("hourly_toxicity", hours)
        warehouse.upsert("anomalies", flags)
        warehouse.upsert("dead_letters", letters)
        for view in VIEWS:
            started = time.perf_counter()
            warehouse.query(f"SELECT * FROM {warehouse.relation(view)}")  # noqa: S608
            assert time.perf_counter() - started < 5, view
        assert len(rows(warehouse, "anomaly_examples", "rank", "rank")) == 2_000


def test_examples_cover_every_table() -> None:
    assert set(EXAMPLES) == set(TABLES)
