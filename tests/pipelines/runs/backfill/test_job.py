"""The backfill as one job of Dataflow, run in this process: the tables are those of a local run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from mltox.base.errors import UsageError
from mltox.warehouse import open_warehouse
from pipelines.runs.arguments import check_reach
from pipelines.runs.backfill import job as backfill_job
from pipelines.runs.backfill.local import backfill
from tests.pipelines.runs.backfill.test_backfill import (
    BAD_ROWS,
    contents,
    plain_rows,
    settings,
    write,
)

ROWS = [*plain_rows(120), *plain_rows(9), *BAD_ROWS]


def run_job(folder: Path, *patterns: str) -> None:
    with open_warehouse(str(folder / "w.duckdb")) as warehouse:
        backfill_job.launch_job(patterns, settings(), warehouse, None, PipelineOptions([]))


def run_here(folder: Path, *inputs: str) -> None:
    with open_warehouse(str(folder / "w.duckdb")) as warehouse:
        backfill(inputs, settings(), warehouse, show=False)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("job", "here"):
        (tmp_path / name).mkdir()
    return tmp_path / "job", tmp_path / "here"


def both(folder: Path) -> dict[str, list[Any]]:
    """What both kinds of run write: a finished collection is judged in retrospect by a local run
    alone."""
    return {name: rows for name, rows in contents(folder).items() if name != "judged_spans"}


def test_the_job_writes_what_a_local_run_writes(folders: tuple[Path, Path]) -> None:
    job, here = folders
    path = write(here / "posts.jsonl", ROWS)
    run_job(job, path)
    run_here(here, path)
    assert both(job) == both(here)


def test_an_hour_in_two_files_ends_as_in_one(folders: tuple[Path, Path]) -> None:
    """The posts that an earlier job has stored count in their hour again."""
    job, here = folders
    first, second = write(job / "a.jsonl", ROWS[:70]), write(job / "b.jsonl", ROWS[60:])
    run_job(job, first)
    run_job(job, second)
    run_here(here, first, second)
    ours, theirs = contents(job), contents(here)
    for table in ("scored_posts", "hourly_toxicity", "text_scores", "dead_letters"):
        assert ours[table] == theirs[table]


def test_a_glob_stands_for_its_files(folders: tuple[Path, Path]) -> None:
    job, here = folders
    one, other = write(job / "a.jsonl", ROWS[:70]), write(job / "b.jsonl", ROWS[70:])
    run_job(job, str(job / "*.jsonl"))
    run_here(here, one, other)
    assert both(job) == both(here)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--warehouse=w.duckdb"], "--warehouse: w.duckdb is a DuckDB file, which one process"),
        (["--warehouse=parquet://w"], "--warehouse: Dataflow writes to gs:// or BigQuery"),
        (["--warehouse=bq://some-project.mltox", "--input=a.jsonl"], "--input: Dataflow reads gs"),
        (["--warehouse=bq://some-project.mltox", "--bundle=model"], "--bundle: Dataflow reads gs"),
    ],
)
def test_what_workers_cannot_reach_is_refused(flags: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_reach(PipelineOptions(["--runner=DataflowRunner", *flags]))
    check_reach(PipelineOptions(flags))
