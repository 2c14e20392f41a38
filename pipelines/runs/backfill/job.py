"""Files of posts into the warehouse as one job: what `mltox backfill` does on Dataflow, and on any
runner that is named.

The graph is that of `pipelines.graph`, over the whole input at once: an engine that sorts on disk
needs no slices of time. Two things differ from a local run. The stored posts of a day are read
where a file has posts of that day, since nobody knows the days before the files are read. And the
detectors begin without memory, for the same reason: the first two weeks of a topic are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.io.fileio import EmptyMatchTreatment, MatchAll
from apache_beam.io.filesystem import FileMetadata
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import DoOutputsTuple, TaggedOutput
from apache_beam.transforms.window import TimestampedValue

from mltox.base.clock import now_micros
from mltox.base.places import is_remote
from mltox.posts.authors import AuthorKeys
from mltox.posts.reading.errors import InputError
from mltox.posts.reading.files import find_inputs
from mltox.posts.reading.how import AS_USUAL, How
from mltox.posts.reading.rows import read_rows
from mltox.posts.records import DAY, Message, ScoredPost
from mltox.warehouse import Warehouse
from mltox.warehouse.parquet.warehouse import ParquetWarehouse
from pipelines.graph import Settings, Tables, build
from pipelines.graph.modes import Bounded
from pipelines.runners import bounded_pipeline, on_dataflow
from pipelines.runs.backfill.hindsight import judge_in_hindsight
from pipelines.runs.cloud_files import local_copy
from pipelines.runs.history import ReadStoredPosts
from pipelines.runs.input_messages import messages_of
from pipelines.sinks.write_tables import write_tables
from pipelines.transforms.known import KnownAnywhere
from pipelines.transforms.metrics import counters

MESSAGES, DAYS = "messages", "days"


class ReadFile(beam.DoFn):
    """A file -> its rows as messages, and the days (since 1970) that it has posts of.

    The file is fetched whole, and read by one worker.
    """

    def __init__(
        self, columns: Mapping[str, str] | None, authors: AuthorKeys, how: How = AS_USUAL
    ) -> None:
        self._columns = columns
        self._authors = authors
        self._how = how

    def process(self, file: FileMetadata) -> Iterator[Message | TaggedOutput]:
        now = now_micros()
        days: set[int] = set()
        with local_copy(file.path) as path:
            for row in read_rows(path, self._columns, how=self._how, name=file.path):
                for message, created_at in messages_of(row, self._authors, now):
                    if created_at is not None:
                        days.add(created_at // DAY)
                    yield message
        for day in sorted(days):
            yield TaggedOutput(DAYS, day)


class ReadStoredDay(beam.DoFn):
    """A day -> the posts that the warehouse holds of it."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def process(self, day: int) -> Iterator[TimestampedValue]:
        yield from ReadStoredPosts(self._uri, day * DAY, (day + 1) * DAY).process(None)


@dataclass(eq=False)
class ReadFiles(beam.PTransform):
    """Globs -> `messages` and `days`. A glob that no file matches fails the job."""

    patterns: Sequence[str]
    columns: Mapping[str, str] | None
    authors: AuthorKeys
    how: How = AS_USUAL

    def expand(self, pbegin: beam.pvalue.PBegin) -> DoOutputsTuple:
        read = (
            pbegin
            | "Inputs" >> beam.Create(self.patterns)
            | "Match" >> MatchAll(EmptyMatchTreatment.DISALLOW)
            | "SpreadFiles" >> beam.Reshuffle()
            | "Read"
            >> beam.ParDo(ReadFile(self.columns, self.authors, self.how)).with_outputs(
                DAYS, main=MESSAGES
            )
        )
        read[MESSAGES].element_type = Message
        read[DAYS].element_type = int
        return read


def build_job(
    pipeline: beam.Pipeline,
    patterns: Sequence[str],
    settings: Settings,
    warehouse_uri: str,
    columns: Mapping[str, str] | None = None,
    how: How = AS_USUAL,
) -> Tables:
    """The graph from files to tables."""
    read = pipeline | "ReadFiles" >> ReadFiles(patterns, columns, settings.authors, how)
    stored = (
        read[DAYS]
        | "Days" >> beam.Distinct()
        | "ReadStored" >> beam.ParDo(ReadStoredDay(warehouse_uri)).with_output_types(ScoredPost)
    )
    # Spread: a file would be scored by the worker that reads it otherwise.
    mode = Bounded(stored_posts=stored, known=KnownAnywhere(warehouse_uri), spread=True)
    return build(read[MESSAGES], settings, mode)


def launch_job(
    patterns: Sequence[str],
    settings: Settings,
    warehouse: Warehouse,
    columns: Mapping[str, str] | None,
    options: PipelineOptions,
    how: How = AS_USUAL,
) -> Mapping[str, int]:
    """Makes the tables that are missing, and starts the job. Elsewhere than on Dataflow it is
    waited for, and what is all in the warehouse then is judged in retrospect.

    Returns the job's counters: none on Dataflow, and where the runner has none. Raises
    WarehouseError, RunnerError.
    """
    warehouse.create()
    with bounded_pipeline(options) as pipeline:
        tables = build_job(pipeline, patterns, settings, warehouse.uri, columns, how)
        write_tables(tables, warehouse.uri)
    if on_dataflow(options):
        return {}
    if isinstance(warehouse, ParquetWarehouse):
        warehouse.compact_where_scattered()
    judge_in_hindsight(warehouse, topics_in(warehouse), now_micros(), settings.matcher.words())
    return counters(pipeline.result)


def topics_in(warehouse: Warehouse) -> list[str]:
    hours = warehouse.relation("latest_hourly_toxicity")
    found = warehouse.query(f"SELECT DISTINCT topic FROM {hours}")  # noqa: S608 - a name of ours
    return sorted(found.column("topic").to_pylist())


def patterns_of(inputs: Sequence[str]) -> list[str]:
    """Globs that mean the same wherever a worker runs: the files of a folder of this machine by
    their whole paths, and what is not here as it is."""
    patterns: list[str] = []
    for name in inputs:
        if is_remote(name):
            patterns.append(name)
            continue
        try:
            patterns += [path.resolve().as_posix() for path in find_inputs([name]).paths]
        except InputError:
            patterns.append(name)  # a folder that the workers alone have
    return patterns
