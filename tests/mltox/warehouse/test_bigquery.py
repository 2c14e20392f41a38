"""The adapter through the real client, against a local server in BigQuery's shape."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.bigquery.retry import DEFAULT_RETRY

from mltox.posts.records import HOUR, Anomaly, HourlyToxicity, ScoredPost
from mltox.warehouse import Warehouse, WarehouseError, open_warehouse, read_records
from mltox.warehouse.bigquery import warehouse as adapter
from mltox.warehouse.schema import TABLES
from tests.bigquery_server import Backend, Refused
from tests.mltox.warehouse.examples import (
    EXAMPLES,
    MONDAY,
    anomaly,
    hourly,
    scored_post,
    text_score,
)

DATASET = "some-project.mltox"


def count(warehouse: Warehouse, table: str) -> int:
    [found] = warehouse.query(f"SELECT count(*) AS n FROM {table}")["n"].to_pylist()  # noqa: S608
    return int(found)


@pytest.mark.parametrize("name", TABLES)
def test_a_row_comes_back_as_it_was(big: Warehouse, name: str) -> None:
    row = EXAMPLES[name]()
    assert big.upsert(name, [row]) == 1
    assert read_records(big, name, TABLES[name].record) == [row]


def test_create_again_keeps_the_rows(big: Warehouse, backend: Backend) -> None:
    big.upsert("hourly_toxicity", [hourly()])
    backend.requests.clear()
    big.create()
    assert count(big, "hourly_toxicity") == 1
    assert "POST /projects/some-project/datasets" not in backend.requests


def test_older_schema_names_the_missing_column(big: Warehouse, backend: Backend) -> None:
    table = f"{DATASET}.forecasts"
    backend.schemas[table] = [c for c in backend.schemas[table] if c["name"] != "p_anomaly"]
    with pytest.raises(WarehouseError, match="table forecasts has no column p_anomaly"):
        big.create()


def test_hostile_strings_come_back(big: Warehouse) -> None:
    text = "\x00'; DROP TABLE x; -- \ud800 \U0001f600 \\ \" `"
    big.upsert("scored_posts", [scored_post(text=text)])
    [post] = read_records(big, "scored_posts", ScoredPost)
    assert post.text == text.replace("\ud800", "\ufffd")
    assert read_records(big, "scored_posts", ScoredPost, where="text = ?", params=[post.text])


def test_parameters_are_bound(big: Warehouse) -> None:
    rows = [hourly(hour=MONDAY + hour * HOUR, posts=hour) for hour in range(4)]
    big.upsert("hourly_toxicity", rows)
    found = read_records(
        big,
        "latest_hourly_toxicity",
        HourlyToxicity,
        where="topic = ? AND hour >= ? AND posts < ? AND mean_toxicity < ? AND is_final = ?",
        params=["politics", datetime(2016, 1, 4, 1, tzinfo=UTC), 3, 0.5, True],
        order_by="hour",
    )
    assert found == rows[1:3]


def test_names_without_a_dataset_are_of_this_one(big: Warehouse) -> None:
    big.upsert("hourly_toxicity", [hourly()])
    assert big.query("SELECT topic FROM hourly_dashboard")["topic"].to_pylist() == ["politics"]


def test_appends_are_revisions(big: Warehouse) -> None:
    big.upsert("anomalies", [anomaly(), anomaly(status="resolved")])
    assert count(big, "anomalies") == 2
    assert [row.status for row in read_records(big, "latest_anomalies", Anomaly)] == ["resolved"]


def test_incident_that_reopens_at_once_is_a_new_revision(big: Warehouse) -> None:
    start = anomaly().updated_at
    for step, status in enumerate(["open", "resolved", "open"]):
        big.upsert("anomalies", [anomaly(status=status, updated_at=start + step)])
    assert [row.status for row in read_records(big, "latest_anomalies", Anomaly)] == ["open"]


def test_same_row_twice_has_one_insert_id(big: Warehouse) -> None:
    big.upsert("text_scores", [text_score()])
    big.upsert("text_scores", [text_score()])
    assert count(big, "text_scores") == 1


def test_rows_are_sent_500_at_a_time(big: Warehouse, backend: Backend) -> None:
    backend.requests.clear()
    rows = [text_score(text_sha256=str(number)) for number in range(1_001)]
    assert big.upsert("text_scores", rows) == 1_001
    inserts = "POST /projects/some-project/datasets/mltox/tables/text_scores/insertAll"
    assert Counter(backend.requests) == {inserts: 3}
    assert count(big, "text_scores") == 1_001


def test_long_texts_make_smaller_requests(big: Warehouse) -> None:
    rows = [scored_post(post_id=str(number), text="\x01" * 100_000) for number in range(60)]
    assert big.upsert("scored_posts", rows) == 60  # 36 MB as JSON, and 10 MB is the limit
    assert count(big, "scored_posts") == 60


def test_unfit_row_is_refused_before_it_is_sent(big: Warehouse, backend: Backend) -> None:
    backend.requests.clear()
    with pytest.raises(WarehouseError, match=r"hourly_toxicity\.posts: 'many' is no INT64"):
        big.upsert("hourly_toxicity", [hourly(posts="many")])
    assert backend.requests == []


def test_refused_rows_are_told(big: Warehouse, backend: Backend) -> None:
    table = f"{DATASET}.text_scores"
    backend.schemas[table] = [c for c in backend.schemas[table] if c["name"] != "insult"]
    with pytest.raises(WarehouseError) as caught:
        big.upsert("text_scores", [text_score()])
    assert str(caught.value) == (
        f"bq://{DATASET}: text_scores refused 1 of 1 rows: insult no such field: insult."
    )


@pytest.mark.parametrize("status", [429, 502, 503])
def test_transient_error_is_tried_again(big: Warehouse, backend: Backend, status: int) -> None:
    reason = {429: "rateLimitExceeded", 502: "badGateway", 503: "backendError"}[status]
    backend.fail_next = [Refused(status, reason, "come back later")]
    assert big.upsert("text_scores", [text_score()]) == 1
    assert count(big, "text_scores") == 1


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (
            Refused(403, "accessDenied", "Access Denied: no permission bigquery.tables.get\nmore"),
            f"bq://{DATASET}: Access Denied: no permission bigquery.tables.get",
        ),
        (
            Refused(403, "quotaExceeded", "Quota exceeded: rows per second"),
            f"bq://{DATASET}: Quota exceeded: rows per second",
        ),
    ],
)
def test_refusal_is_one_line(
    big: Warehouse, backend: Backend, refused: Refused, message: str
) -> None:
    backend.fail_next = [refused]
    with pytest.raises(WarehouseError) as caught:
        big.upsert("text_scores", [text_score()])
    assert str(caught.value) == message


def test_sql_that_fails_is_one_line(big: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="nowhere") as caught:
        big.query("SELECT * FROM nowhere")
    assert "\n" not in str(caught.value)


def test_unreachable_server_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(adapter, "RETRY", DEFAULT_RETRY.with_timeout(0.1))
    with open_warehouse(f"bq://{DATASET}") as warehouse:
        with pytest.raises(WarehouseError, match=f"bq://{DATASET} can't be reached: ") as caught:
            warehouse.create()
        assert "\n" not in str(caught.value)


def test_no_credentials_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def default(*_: object, **__: object) -> None:
        raise DefaultCredentialsError("Your default credentials were not found.")

    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setattr("google.auth.default", default)
    with open_warehouse(f"bq://{DATASET}") as warehouse:
        with pytest.raises(WarehouseError) as caught:
            warehouse.query("SELECT 1")
        assert "gcloud auth application-default login" in str(caught.value)
        assert "\n" not in str(caught.value)
