"""What a person reads when the job is launched, and when a stream on this machine has ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.dataflow.dataflow_runner import DataflowPipelineResult
from google.cloud.dataflow import Job

from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from pipelines.runs.stream import launch, launched
from tests.pipelines.graph.test_streaming_steps import FLAGS
from tests.pipelines.streams import SETTINGS

NAMED = [*FLAGS, "--job_name=toxicity"]
BETWEEN = "projects/some-project/subscriptions/posts to bq://some-project.mltox"


def test_a_job_is_named_with_where_it_can_be_watched() -> None:
    result = DataflowPipelineResult(Job(id="2026-03-02_12_00_00-1"), None)
    assert launched(result, PipelineOptions(NAMED)) == (
        f"toxicity: {BETWEEN}, launched as job 2026-03-02_12_00_00-1;"
        " https://console.cloud.google.com/dataflow/jobs/europe-west1/2026-03-02_12_00_00-1"
        "?project=some-project"
    )


def test_a_launch_that_starts_no_job_says_so_and_waits_for_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("INFO", "pipelines.runs.stream"):
        assert launch(PipelineOptions(NAMED), SETTINGS) == 0
    assert caplog.messages == [f"toxicity: {BETWEEN}, described and not started"]


def test_a_stream_on_this_machine_ends_with_its_balance(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Beam's runner of bounded pipelines takes a subscription for an empty one, and ends. A file
    as the warehouse, so that no cloud is asked for."""
    given = [flag for flag in NAMED if not flag.startswith(("--runner", "--warehouse"))]
    path = tmp_path / "w.duckdb"
    with DuckDBWarehouse(path) as warehouse:
        warehouse.create()
        options = PipelineOptions([*given, "--runner=FnApiRunner", f"--warehouse={path}"])
        with caplog.at_level("INFO", "pipelines.runs.stream"):
            assert launch(options, SETTINGS) == 0
    (said,) = [each for each in caplog.messages if "has ended" in each]
    assert said.startswith("the stream has ended: DONE\n") and "rows read" in said
