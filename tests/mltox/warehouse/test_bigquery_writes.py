"""Beam's WriteToBigQuery from records to views, against a server in BigQuery's shape."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from mltox.posts.records import HOUR, DeadLetter, HourlyToxicity, ScoredPost, TextScore
from mltox.warehouse import Warehouse, WarehouseError, read_records
from pipelines.graph import Tables
from pipelines.sinks.write_tables import write_tables
from tests.bigquery_server import Backend, Refused
from tests.mltox.warehouse.examples import (
    MONDAY,
    anomaly,
    dead_letter,
    hourly,
    scored_post,
    text_score,
)

pytestmark = pytest.mark.usefixtures("anonymous")

INSERT = "POST /projects/some-project/datasets/mltox/tables/text_scores/insertAll"


def write(warehouse: Warehouse, **rows: Sequence[Any]) -> None:
    """The tables of a run, as `backfill` and `stream` write them."""
    names = ("scored_posts", "text_scores", "hourly_toxicity", "anomalies", "dead_letters")
    with beam.Pipeline("FnApiRunner", options=PipelineOptions(["--project=some-project"])) as p:
        made: Mapping[str, Any] = {
            name: p | name >> beam.Create(rows.get(name, ()), reshuffle=False) for name in names
        }
        write_tables(Tables(**made, monitors=p | "monitors" >> beam.Create([])), warehouse.uri)


def texts(count: int) -> list[TextScore]:
    return [text_score(text_sha256=f"{number:04}") for number in range(count)]


def drop_column(backend: Backend, table: str, column: str) -> None:
    name = f"some-project.mltox.{table}"
    backend.schemas[name] = [each for each in backend.schemas[name] if each["name"] != column]


def letters(warehouse: Warehouse) -> list[DeadLetter]:
    return read_records(warehouse, "dead_letters", DeadLetter, order_by="stage, message")


def test_rows_of_every_table_come_back_through_the_views(big: Warehouse) -> None:
    write(
        big,
        scored_posts=[scored_post(), scored_post(post_id="x:2", text="a\u2028b \U0001f600 \x00")],
        text_scores=texts(3),
        hourly_toxicity=[hourly(), hourly(hour=MONDAY + HOUR, posts=7)],
        anomalies=[anomaly()],
        dead_letters=[dead_letter(), dead_letter(letter_id="l2")],
    )
    posts = read_records(big, "latest_scored_posts", ScoredPost, order_by="post_id")
    assert [post.text for post in posts] == ["a text", "a\u2028b \U0001f600 \x00"]
    assert read_records(big, "latest_text_scores", TextScore, order_by="text_sha256") == texts(3)
    dashboard = big.query("SELECT posts FROM hourly_dashboard ORDER BY hour")["posts"]
    assert dashboard.to_pylist() == [10, 7]
    assert big.query("SELECT metric FROM anomaly_details")["metric"].to_pylist() == [
        "mean_toxicity"
    ]
    assert sum(big.query("SELECT * FROM dead_letters_by_reason")["letters"].to_pylist()) == 2


def test_a_later_run_adds_revisions_and_the_view_reads_the_last(big: Warehouse) -> None:
    write(big, hourly_toxicity=[hourly(posts=3, is_final=False)])
    last = hourly(posts=10, revision=2, updated_at=MONDAY + 2 * HOUR)
    write(big, hourly_toxicity=[last])
    assert len(read_records(big, "hourly_toxicity", HourlyToxicity)) == 2
    assert read_records(big, "latest_hourly_toxicity", HourlyToxicity) == [last]


def test_refused_rows_are_dead_letters_in_the_table_and_the_others_are_written(
    big: Warehouse, backend: Backend
) -> None:
    """One row is unfit before it is sent, one is refused by the server, of one request."""
    rows = texts(10)
    rows[3] = text_score(text_sha256="0003", obscene="x")
    rows[7] = rows[7]._replace(insult=0.5)
    drop_column(backend, "anomalies", "terms")
    name = "some-project.mltox.text_scores"
    fields = backend.schemas[name]
    backend.schemas[name] = [
        field | {"type": "STRING"} if field["name"] == "insult" else field for field in fields
    ]
    write(big, text_scores=rows, anomalies=[anomaly()], hourly_toxicity=[hourly()])
    backend.schemas[name] = fields
    stored = read_records(big, "text_scores", TextScore)
    assert {row.text_sha256 for row in stored} == {f"{n:04}" for n in range(10)} - {"0003", "0007"}
    assert len(read_records(big, "hourly_toxicity", HourlyToxicity)) == 1
    found = letters(big)
    assert [letter.stage for letter in found] == [
        "write_anomalies",
        "write_text_scores",
        "write_text_scores",
    ]
    assert {letter.error_type for letter in found} == {"rejected_row"}
    assert "no such field: terms" in found[0].message
    assert {json.loads(letter.payload).get("text_sha256") for letter in found} == {
        None,
        "0003",
        "0007",
    }


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (500, "internalError"),
        (503, "backendError"),
        (429, "rateLimitExceeded"),
        (403, "rateLimitExceeded"),
    ],
)
def test_a_transient_error_whose_work_was_done_doubles_nothing(
    big: Warehouse, backend: Backend, status: int, reason: str
) -> None:
    """The rows are in, the answer is lost: the same request comes again under the same ids."""
    backend.fail_next = [Refused(status, reason, "come back later", done=True)]
    backend.requests.clear()
    write(big, text_scores=texts(20))
    assert backend.requests.count(INSERT) == 2
    first, second = backend.inserts
    assert first == second and len(set(first)) == 20
    assert read_records(big, "text_scores", TextScore, order_by="text_sha256") == texts(20)
    assert letters(big) == []


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (403, "quotaExceeded", "Quota exceeded: rows per second"),
        (403, "accessDenied", "Access Denied: bigquery.tables.updateData"),
        (404, "notFound", "Not found: Table text_scores"),
    ],
)
def test_a_request_that_is_refused_whole_ends_the_run_with_one_line_and_buries_no_rows(
    big: Warehouse, backend: Backend, status: int, reason: str, said: str
) -> None:
    backend.refuse = {"POST /text_scores/insertAll": Refused(status, reason, said + "\nmore")}
    with pytest.raises(WarehouseError) as caught:
        write(big, text_scores=texts(5))
    line, *rest = str(caught.value).splitlines()
    assert line.startswith(f"{big.uri}: text_scores takes no rows: ") and said in line
    assert rest == []
    assert letters(big) == []
    backend.refuse = {}
    write(big, text_scores=texts(5))
    assert len(read_records(big, "text_scores", TextScore)) == 5


def test_a_column_that_the_table_lacks_is_named(big: Warehouse, backend: Backend) -> None:
    drop_column(backend, "hourly_toxicity", "p90_toxicity")
    write(big, hourly_toxicity=[hourly()])
    (letter,) = letters(big)
    assert "no such field: p90_toxicity" in letter.message


def test_a_row_over_the_limit_is_a_dead_letter(big: Warehouse, backend: Backend) -> None:
    write(big, scored_posts=[scored_post(), scored_post(post_id="x:2", text="t" * 11_000_000)])
    (letter,) = letters(big)
    assert letter.post_id == "x:2" and "exceeds the maximum insert payload" in letter.message
    assert len(letter.payload) <= 10_000
    assert [post.post_id for post in read_records(big, "scored_posts", ScoredPost)] == ["x:1"]


def test_texts_that_grow_as_json_still_fit_into_requests(big: Warehouse, backend: Backend) -> None:
    """Six bytes each as JSON: 24 MB, in requests of at most 10 MB.

    Beam would send a larger one again for ever, so the run has a thread of its own and a deadline.
    """
    rows = [scored_post(post_id=f"x:{number}", text="\x01" * 100_000) for number in range(40)]
    writing = threading.Thread(
        target=write, args=(big,), kwargs={"scored_posts": rows}, daemon=True
    )
    writing.start()
    writing.join(60)
    assert not writing.is_alive()
    assert len(backend.inserts) >= 3
    assert len(read_records(big, "scored_posts", ScoredPost)) == 40
    assert letters(big) == []
