from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.metrics.metric import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult
from apache_beam.testing.util import assert_that
from apache_beam.transforms.window import FixedWindows, GlobalWindow, TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from mltox.posts.records import HOUR, SECOND, DeadLetter, HourlyToxicity, TextScore
from mltox.warehouse import Warehouse, read_records
from mltox.warehouse.schema import TABLES
from pipelines.sinks import write_table as sinks
from pipelines.sinks.write_table import UpsertRows, WriteTable, rejected_row
from tests.bigquery_server import Backend, Refused
from tests.mltox.warehouse.examples import MONDAY, hourly, scored_post, text_score


def write(uri: str, table: str, rows: Sequence[Any], letters: int = 0) -> PipelineResult:
    """Runs WriteTable over `rows` and checks how many dead letters come back."""

    def check(found: list[Any]) -> None:
        assert len(found) == letters, found
        assert all(isinstance(letter, DeadLetter) for letter in found)

    pipeline = beam.Pipeline("FnApiRunner", options=PipelineOptions(["--project=some-project"]))
    dead = pipeline | beam.Create(rows, reshuffle=False) | WriteTable(uri, table)
    assert_that(dead, check)
    result = pipeline.run()
    result.wait_until_finish()
    return result


def counters(result: PipelineResult) -> dict[str, int]:
    found = result.metrics().query(MetricsFilter().with_namespace("mltox"))["counters"]
    return {item.key.metric.name: item.result for item in found}


def test_duckdb_upserts_in_batches(duck: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "BATCH_ROWS", 30)
    rows = [text_score(text_sha256=str(number)) for number in range(100)]
    first = counters(write(duck.uri, "text_scores", rows))
    assert first == {"written_text_scores": 100, "changed_text_scores": 100}
    again = counters(write(duck.uri, "text_scores", rows))
    assert again == {"written_text_scores": 100, "changed_text_scores": 0}
    found = read_records(duck, "text_scores", TextScore)
    assert sorted(found) == sorted(rows)


def test_unfit_row_is_a_dead_letter_and_the_others_are_written(duck: Warehouse) -> None:
    rows = [text_score(text_sha256=str(number)) for number in range(5)]
    rows[2] = text_score(text_sha256="2", threat="high")
    assert counters(write(duck.uri, "text_scores", rows, letters=1)) == {
        "written_text_scores": 4,
        "changed_text_scores": 4,
        "rejected_text_scores": 1,
    }


def test_unfit_row_keeps_its_window(duck: Warehouse) -> None:
    row = hourly(posts="many")

    def check(found: list[Any]) -> None:
        assert [letter.error_type for letter in found] == ["rejected_row"]

    with beam.Pipeline("FnApiRunner") as pipeline:
        dead = (
            pipeline
            | beam.Create([TimestampedValue(row, MONDAY / SECOND)])
            | beam.WindowInto(FixedWindows(HOUR / SECOND))
            | WriteTable(duck.uri, "hourly_toxicity")
        )
        stamps = dead | beam.Map(lambda _, window=beam.DoFn.WindowParam: window.start.micros)
        assert_that(dead, check, label="letters")
        assert_that(stamps, lambda found: _assert_equal(found, [MONDAY]), label="windows")


def _assert_equal(found: list[Any], expected: list[Any]) -> None:
    assert found == expected


def test_no_rows(duck: Warehouse) -> None:
    write(duck.uri, "text_scores", [])
    assert read_records(duck, "text_scores", TextScore) == []


def test_sink_can_be_pickled(duck: Warehouse) -> None:
    copy = pickle.loads(pickle.dumps(UpsertRows(duck.uri, "text_scores")))
    copy.setup()
    copy.start_bundle()
    assert list(copy.process(text_score(), Timestamp(0), GlobalWindow())) == []
    assert list(copy.finish_bundle()) == []
    copy.teardown()
    assert read_records(duck, "text_scores", TextScore) == [text_score()]


def test_rejected_row_by_hand() -> None:
    table = TABLES["scored_posts"]
    row = scored_post(post_id="x:\ud800", text="t" * 20_000)._asdict()
    letter = rejected_row(table, row, "too bad")
    assert letter.stage == "write_scored_posts"
    assert letter.error_type == "rejected_row"
    assert letter.message == "too bad"
    assert letter.post_id == "x:\ufffd"
    assert len(letter.payload) == 10_000
    assert letter.letter_id == rejected_row(table, row, "again").letter_id
    assert letter.letter_id != rejected_row(table, {**row, "topic": "b"}, "too bad").letter_id
    letter.payload.encode()


def test_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="STREAMING_INSERTS, STORAGE_WRITE_API, FILE_LOADS"):
        WriteTable("bq://some-project.mltox", "text_scores", method="DEFAULT")


def test_load_jobs_build_a_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    arguments = ["--project=some-project", "--temp_location=gs://bucket/temp"]
    pipeline = beam.Pipeline("FnApiRunner", options=PipelineOptions(arguments))
    sink = WriteTable("bq://some-project.mltox", "text_scores", method="FILE_LOADS")
    _ = pipeline | beam.Create([text_score()]) | sink
    steps = [step.unique_name for step in pipeline.to_runner_api().components.transforms.values()]
    assert any("TriggerLoadJobs" in step for step in steps)
    assert not any("StreamInsertRows" in step for step in steps)


@pytest.mark.usefixtures("anonymous")
def test_bigquery_gets_appends(big: Warehouse) -> None:
    rows = [hourly(hour=MONDAY + hour * HOUR) for hour in range(20)]
    write(big.uri, "hourly_toxicity", rows)
    assert read_records(big, "hourly_toxicity", HourlyToxicity, order_by="hour") == rows


@pytest.mark.usefixtures("anonymous")
def test_bigquery_refusals_come_back(big: Warehouse, backend: Backend) -> None:
    """One row is unfit before it is sent, the server refuses another, the third is written."""
    table = "some-project.mltox.text_scores"
    rows = [text_score(text_sha256="ok"), text_score(text_sha256="unfit", obscene="x")]
    rows.append(text_score(text_sha256="refused", insult=0.5))
    fields = backend.schemas[table]
    backend.schemas[table] = [
        {**field, "type": "STRING"} if field["name"] == "insult" else field for field in fields
    ]
    written = counters(write(big.uri, "text_scores", rows, letters=2))
    assert written == {
        "written_text_scores": 2,
        "rejected_text_scores": 1,
        "refused_text_scores": 1,
    }
    backend.schemas[table] = fields
    assert [row.text_sha256 for row in read_records(big, "text_scores", TextScore)] == ["ok"]


@pytest.mark.usefixtures("anonymous")
def test_bigquery_is_asked_again_after_a_transient_error(big: Warehouse, backend: Backend) -> None:
    backend.fail_next = [Refused(503, "backendError", "come back later")]
    write(big.uri, "text_scores", [text_score()])
    assert read_records(big, "text_scores", TextScore) == [text_score()]
