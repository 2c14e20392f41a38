"""What a warehouse forgets of a post, what it keeps, and that the deletion wins in any order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mltox.posts.records import (
    DAY,
    HOUR,
    Anomaly,
    DeadLetter,
    ForgottenPost,
    HourlyToxicity,
    Micros,
    ScoredPost,
)
from mltox.warehouse import Warehouse, WarehouseError, open_warehouse, read_records
from mltox.warehouse.bigquery import warehouse as adapter
from mltox.warehouse.bigquery.forget import CHANGED_PLACES
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from mltox.warehouse.forgetting import KEPT_DAYS, Forgotten, expired_before
from tests.bigquery_server import Backend
from tests.mltox.warehouse.examples import (
    anomaly,
    dead_letter,
    forgotten_post,
    hourly,
    scored_post,
    text_score,
)


@pytest.fixture(params=["duck", "big"])
def warehouse(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Of either kind. Rows leave BigQuery's streaming buffer at once."""
    monkeypatch.setattr(Backend, "_check_buffer", lambda *_: None)
    found: Warehouse = request.getfixturevalue(request.param)
    return found


def posts(warehouse: Warehouse) -> list[ScoredPost]:
    return read_records(
        warehouse, "latest_scored_posts", ScoredPost, order_by="post_id, topic, created_at"
    )


def stones(warehouse: Warehouse) -> list[ForgottenPost]:
    return read_records(warehouse, "forgotten_posts", ForgottenPost, order_by="post_id")


def test_text_author_and_hash_go_and_all_that_was_counted_stays(warehouse: Warehouse) -> None:
    gone = [scored_post(), scored_post(topic="sports")]
    other = scored_post(post_id="x:2")
    warehouse.upsert("scored_posts", [*gone, other])
    warehouse.upsert("hourly_toxicity", [hourly()])
    warehouse.upsert("text_scores", [text_score()])
    assert warehouse.forget(["x:1", "x:404"]) == Forgotten(posts=2)
    emptied = [row._replace(text=None, author_key=None, text_sha256="") for row in gone]
    assert posts(warehouse) == [*emptied, other]
    assert read_records(warehouse, "latest_hourly_toxicity", HourlyToxicity) == [hourly()]
    assert warehouse.query("SELECT text_sha256 FROM text_scores").num_rows == 1


def test_dead_letters_lose_their_payload_and_keep_their_reason(warehouse: Warehouse) -> None:
    letter = dead_letter(post_id="x:1", payload='{"text": "secret"}')
    others = [
        dead_letter(letter_id="l2", post_id="x:2"),
        dead_letter(letter_id="l3", post_id=None),
    ]
    warehouse.upsert("dead_letters", [letter, *others])
    assert warehouse.forget(["x:1"]) == Forgotten(letters=1)
    found = read_records(warehouse, "dead_letters", DeadLetter, order_by="letter_id")
    assert found == [letter._replace(payload="[forgotten]"), *others]


def test_anomalies_lose_the_example_and_nothing_else(warehouse: Warehouse) -> None:
    shown = anomaly(example_post_ids=("x:3", "x:1", "x:2"))
    other = anomaly(metric="posts", example_post_ids=("x:3",))
    empty = anomaly(metric="toxic_share", example_post_ids=())
    warehouse.upsert("anomalies", [shown, other, empty])
    assert warehouse.forget(["x:1"]) == Forgotten(anomalies=1)
    found = read_records(warehouse, "latest_anomalies", Anomaly, order_by="metric")
    assert found == [shown._replace(example_post_ids=("x:3", "x:2")), other, empty]


def test_forgetting_twice_changes_nothing(warehouse: Warehouse) -> None:
    warehouse.upsert("scored_posts", [scored_post()])
    warehouse.upsert("dead_letters", [dead_letter(post_id="x:1")])
    warehouse.upsert("anomalies", [anomaly()])
    assert warehouse.forget(["x:1"]) == Forgotten(1, 1, 1)
    before = posts(warehouse), stones(warehouse)
    assert warehouse.forget(["x:1"]) == warehouse.forget([]) == Forgotten()
    assert (posts(warehouse), stones(warehouse)) == before


def test_a_post_that_comes_after_its_deletion_is_forgotten(warehouse: Warehouse) -> None:
    assert warehouse.forget(["x:1"]) == Forgotten()
    warehouse.upsert("scored_posts", [scored_post(), scored_post(post_id="x:2")])
    warehouse.upsert("dead_letters", [dead_letter(post_id="x:1")])
    warehouse.upsert("anomalies", [anomaly(example_post_ids=("x:2", "x:1"))])
    warehouse.forget([])
    assert [post.text for post in posts(warehouse)] == [None, "a text"]
    assert warehouse.query("SELECT payload FROM dead_letters")["payload"].to_pylist() == [
        "[forgotten]"
    ]
    [found] = read_records(warehouse, "latest_anomalies", Anomaly)
    assert found.example_post_ids == ("x:2",)


def test_a_post_that_comes_again_stays_forgotten(warehouse: Warehouse) -> None:
    """A duplicate delivery, a replay, a second backfill, another model."""
    warehouse.upsert("scored_posts", [scored_post()])
    warehouse.forget(["x:1"])
    again = scored_post(model="new@1", scored_at=scored_post().scored_at + HOUR)
    warehouse.upsert("scored_posts", [again])
    warehouse.forget([])
    [post] = posts(warehouse)
    assert (post.text, post.author_key, post.text_sha256) == (None, None, "")
    assert post.model == "new@1"


def test_duckdb_never_writes_the_text_of_a_post_that_is_gone(duck: Warehouse) -> None:
    duck.forget(["x:1"])
    duck.upsert("scored_posts", [scored_post()])
    [post] = posts(duck)
    assert (post.text, post.author_key, post.text_sha256) == (None, None, "")
    assert duck.upsert("scored_posts", [scored_post()]) == 0


def test_hostile_ids(warehouse: Warehouse) -> None:
    ids = ["x:'); DROP TABLE scored_posts; --", "x:\ud800", 'x:"`\\', "x:\x00"]
    warehouse.upsert("scored_posts", [scored_post(post_id=each) for each in ids])
    assert warehouse.forget(ids) == Forgotten(posts=4)
    warehouse.upsert("scored_posts", [scored_post(post_id=each) for each in ids])
    warehouse.forget([])
    assert {post.text for post in posts(warehouse)} == {None}


def test_a_tombstone_stays_with_its_post_and_goes_after_a_week_without_one(
    warehouse: Warehouse,
) -> None:
    now: Micros = time.time_ns() // 1000
    warehouse.upsert("scored_posts", [scored_post()])
    old, young = now - (KEPT_DAYS + 1) * DAY - HOUR, now - KEPT_DAYS * DAY + HOUR
    rows = [
        forgotten_post(post_id="x:1", forgotten_at=old),
        forgotten_post(post_id="x:2", forgotten_at=old),
        forgotten_post(post_id="x:3", forgotten_at=young),
    ]
    warehouse.upsert("forgotten_posts", rows)
    warehouse.forget([])
    kept = [rows[0]._replace(held=True), rows[2]]
    assert stones(warehouse) == kept
    warehouse.forget([])
    assert stones(warehouse) == kept


def test_tombstones_are_looked_at_once_a_day() -> None:
    morning, evening = (datetime(2026, 3, 9, hour, tzinfo=UTC) for hour in (0, 23))
    assert expired_before(morning) == expired_before(evening) == datetime(2026, 3, 2, tzinfo=UTC)


def test_a_file_of_an_older_mltox_can_forget(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    with DuckDBWarehouse(path) as warehouse:
        warehouse.create()
        warehouse.upsert("scored_posts", [scored_post()])
        warehouse.execute("DROP TABLE forgotten_posts")
        assert warehouse.forget(["x:1"]) == Forgotten(posts=1)


def test_what_fails_leaves_no_trace(duck: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    duck.upsert("scored_posts", [scored_post()])
    with monkeypatch.context() as patch:
        patch.setattr("mltox.warehouse.duckdb.forget.HOURS_SHOWN", "SELECT * FROM nowhere")
        with pytest.raises(WarehouseError, match="nowhere"):
            duck.forget(["x:1"])
    assert posts(duck) == [scored_post()]
    assert stones(duck) == []


def test_no_warehouse_is_one_line(tmp_path: Path) -> None:
    with (
        open_warehouse(str(tmp_path / "none.duckdb")) as warehouse,
        pytest.raises(WarehouseError, match="there is no warehouse"),
    ):
        warehouse.forget(["x:1"])


def test_rows_in_the_streaming_buffer_wait_and_hold_up_no_other(
    big: Warehouse, backend: Backend
) -> None:
    now = time.time_ns() // 1000
    fresh = scored_post(post_id="x:2", scored_at=now)
    big.upsert("scored_posts", [scored_post(), fresh])
    backend.flush()
    big.upsert("scored_posts", [fresh._replace(topic="sports")])
    assert big.forget(["x:1", "x:2"]) == Forgotten(posts=1, waiting=frozenset({"x:2"}))
    assert [post.text for post in posts(big)] == [None, "a text", "a text"]


def test_a_row_that_came_late_into_the_buffer_waits_too(big: Warehouse, backend: Backend) -> None:
    """It was scored long ago, and could not be written for hours."""
    big.upsert("scored_posts", [scored_post()])
    assert big.forget(["x:1"]) == Forgotten(waiting=frozenset({"x:1"}))
    assert [post.text for post in posts(big)] == ["a text"]
    backend.flush()
    assert big.forget(["x:1"]) == Forgotten(posts=1)
    assert [post.text for post in posts(big)] == [None]


def test_a_deletion_that_waits_leaves_one_tombstone(big: Warehouse) -> None:
    big.upsert("scored_posts", [scored_post()])
    for _ in range(3):
        big.forget(["x:1"])
    assert [stone.post_id for stone in stones(big)] == ["x:1"]


def test_bigquery_reads_no_texts_and_changes_only_the_days_concerned(
    big: Warehouse, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are what a statement costs."""
    said: list[str] = []
    original = adapter.BigQueryWarehouse._run

    def run(self: adapter.BigQueryWarehouse, sql: str, values: Sequence[Any] = ()) -> Any:
        said.append(sql)
        return original(self, sql, values)

    big.upsert("scored_posts", [scored_post()])
    backend.flush()
    monkeypatch.setattr(adapter.BigQueryWarehouse, "_run", run)
    big.forget(["x:1"])
    updates = [sql for sql in said if "UPDATE" in sql]
    assert len(updates) == 1 and "created_at BETWEEN ? AND ?" in updates[0]
    assert not any("text " in sql for sql in said if "UPDATE" not in sql)


def test_an_ordinary_error_of_a_statement_is_one_line(
    big: Warehouse, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    big.upsert("scored_posts", [scored_post()])
    backend.flush()
    place, change, times = CHANGED_PLACES[0]
    broken = change.replace("scored_posts", "nowhere")
    monkeypatch.setattr("mltox.warehouse.bigquery.forget.CHANGED_PLACES", [(place, broken, times)])
    with pytest.raises(WarehouseError, match="nowhere") as caught:
        big.forget(["x:1"])
    assert "\n" not in str(caught.value)
