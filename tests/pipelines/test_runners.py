"""A runner that is named gets the graph of a job, and nothing of this machine."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from mltox.base.errors import UsageError
from pipelines.runners import RunnerError, bounded_pipeline, leaves_process
from pipelines.runs.arguments import check_reach, settings_of
from pipelines.runs.backfill.job import build_job, patterns_of
from pipelines.sinks.write_tables import write_tables
from pipelines.transforms.metrics import counters
from tests.templates.graphs import pickles

MANY = ["--direct_running_mode=multi_processing"]
CLUSTERS = [
    *([f"--runner={name}"] for name in ("FlinkRunner", "SparkRunner", "PortableRunner")),
    ["--runner=PrismRunner"],
    MANY,
]


@pytest.mark.parametrize("flags", CLUSTERS)
def test_a_duckdb_file_is_refused_where_many_processes_would_write_it(flags: list[str]) -> None:
    options = PipelineOptions([*flags, "--warehouse=w.duckdb"])
    assert leaves_process(options)
    with pytest.raises(UsageError, match="give parquet://FOLDER") as refused:
        check_reach(options)
    assert "\n" not in str(refused.value)
    for warehouse in ("parquet://w", "parquet://s3://bucket/w", "bq://some-project.mltox"):
        check_reach(PipelineOptions([*flags, f"--warehouse={warehouse}"]))


@pytest.mark.parametrize("flags", [[], ["--runner=DirectRunner"], ["--runner=FnApiRunner"]])
def test_a_run_of_this_process_may_write_a_file(flags: list[str]) -> None:
    options = PipelineOptions([*flags, "--warehouse=w.duckdb"])
    assert not leaves_process(options)
    check_reach(options)


def test_a_name_of_no_runner_is_told_in_one_line() -> None:
    with (
        pytest.raises(UsageError, match=r"--runner: .*NoSuchRunner"),
        bounded_pipeline(PipelineOptions(["--runner=NoSuchRunner"])),
    ):
        pass


def test_an_engine_that_does_not_answer_is_told_in_one_line() -> None:
    options = PipelineOptions(
        ["--runner=PortableRunner", "--job_endpoint=localhost:1", "--job_server_timeout=1"]
    )
    with pytest.raises(RunnerError, match=r"^PortableRunner: ") as told, bounded_pipeline(options):
        pass
    assert "\n" not in str(told.value)


def test_what_is_pickled_holds_no_path_of_the_launcher() -> None:
    """The bundle is a name that each worker resolves; topics are data; the rest is an address."""
    settings = settings_of(PipelineOptions(["--topic=all"]))
    pipeline = beam.Pipeline(options=PipelineOptions([]))
    tables = build_job(pipeline, ["s3://bucket/*.jsonl"], settings, "parquet://s3://bucket/w")
    write_tables(tables, "parquet://s3://bucket/w")
    proto = pipeline.to_runner_api().SerializeToString()
    here = str(Path(__file__).parents[2]).encode()
    # Beam's own lambdas name the file that they are of, in an environment that may lie here
    found = [each.replace(beam.__path__[0].encode(), b"") for each in (proto, *pickles(proto))]
    assert len(found) > 20
    assert [each for each in found if here in each] == []


def test_files_of_this_machine_are_named_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "posts").mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / "posts" / name).write_text('{"id": "1", "text": "a"}\n')
    monkeypatch.chdir(tmp_path)
    both = [str(tmp_path.resolve() / "posts" / name) for name in ("a.jsonl", "b.jsonl")]
    assert patterns_of(["posts"]) == both
    assert patterns_of(["posts/*.jsonl"]) == both
    assert patterns_of(["s3://bucket/*.jsonl"]) == ["s3://bucket/*.jsonl"]
    assert patterns_of(["/of/the/workers/*.jsonl"]) == ["/of/the/workers/*.jsonl"]


class Mute:
    """A finished job of a runner that counts nothing, each in its own way."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def metrics(self) -> object:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.mark.parametrize("answer", [None, NotImplementedError("no"), RuntimeError("gone")])
def test_a_runner_without_metrics_counts_nothing(answer: object) -> None:
    assert counters(Mute(answer)) == {}
