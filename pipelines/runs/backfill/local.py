"""Files of posts into the warehouse: `mltox backfill`.

Reads every row once into a spool on disk, then runs the graph of `pipelines.graph` over slices
of time, so that memory stays flat however large the input is. A second run changes nothing. On
Dataflow it is one job instead, see `pipelines.runs.backfill.job`.
"""

from __future__ import annotations

import logging
import pickle
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from tqdm import tqdm

from mltox.base.clock import now_micros
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
from mltox.base.scratch import scratch_folder
from mltox.detection.monitor import TopicMonitor
from mltox.posts.formats.own import notice
from mltox.posts.reading.errors import InputError
from mltox.posts.reading.files import count_hint, expand
from mltox.posts.reading.rows import read_rows
from mltox.posts.records import Message
from mltox.warehouse import Warehouse, open_warehouse
from pipelines.graph import Settings, build
from pipelines.graph.modes import Bounded
from pipelines.options import (
    AuthorOptions,
    BackfillOptions,
    InputOptions,
    ModelOptions,
    StoreOptions,
    TopicOptions,
    WarehouseOptions,
)
from pipelines.preflight import check
from pipelines.preflight.needs import backfill_needs, dataset_of
from pipelines.progress import Progress, Shown
from pipelines.runners import bounded_runner, on_dataflow
from pipelines.runs.arguments import check_reach, columns_of, parse, settings_of
from pipelines.runs.backfill import job as backfill_job
from pipelines.runs.backfill.hindsight import judge_in_hindsight
from pipelines.runs.backfill.spool import Slice, Spool, read_messages
from pipelines.runs.history import monitors_before, stored_posts
from pipelines.runs.input_messages import messages_of
from pipelines.sinks.write_tables import write_tables
from pipelines.transforms.metrics import counters

log = logging.getLogger(__name__)


class ConservationError(AssertionError):
    """Rows were lost or made up. This is a defect of mltox, never of the input."""


@dataclass(frozen=True)
class Report:
    """What a backfill did, by the counters of the pipeline. Units: rows and posts."""

    counts: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.counts.get(name, 0)

    def text(self) -> str:
        """The balance of rows, as a person reads it."""
        lines = [
            ("rows read", self["rows_read"]),
            ("+ further topics", self["topic_copies"]),
            ("= posts kept", self["posts_kept"]),
            ("+ duplicates", self["duplicates"]),
            ("+ of no topic", self["rows_no_topic"]),
            ("+ dead letters", self["dead_letters"]),
        ]
        return "\n".join(f"  {name:<18}{count:>12,}" for name, count in lines)

    def check_conservation(self, spooled: int) -> None:
        """Every row read is a post, a duplicate, of no topic, or a dead letter.

        A row that matches several topics is a post in each: these copies are counted as well.
        Raises ConservationError.
        """
        read = self["rows_read"] + self["topic_copies"]
        parts = {
            name: self[name]
            for name in ("posts_kept", "duplicates", "rows_no_topic", "dead_letters")
        }
        if self["rows_read"] != spooled or read != sum(parts.values()):
            raise ConservationError(
                f"{spooled} rows spooled, {self['rows_read']} read + {self['topic_copies']} copies "
                f"for further topics, but {parts}"
            )


@contextmanager
def bar(total: int, what: str, unit: str, *, shown: bool) -> Iterator[tqdm]:
    with tqdm(
        total=total, desc=what, unit=unit, unit_scale=True, disable=None if shown else True
    ) as shown_bar:
        yield shown_bar


def spool_rows(
    inputs: Sequence[str],
    columns: Mapping[str, str] | None,
    settings: Settings,
    spool: Spool,
    *,
    show: bool = True,
) -> None:
    """Decodes every row of the inputs and lays it into the spool by its event time.

    Authors are already pseudonyms there: the spool holds no raw author id. Raises InputError.
    """
    paths = expand(inputs)
    now = now_micros()
    with bar(count_hint(paths), "reading", "B", shown=show) as reading:
        for path in paths:
            try:
                for row in read_rows(path, columns, progress=reading.update):
                    for message, created_at in messages_of(row, settings.authors, now):
                        spool.write(message, created_at)
            except InputError as error:
                if len(paths) == 1:
                    raise
                # One file of many does not keep the others from being read.
                log.error("%s", error)
                told = notice("unreadable_file", str(error).replace(str(path), path.name))
                spool.write(Message(told, f"{path.name}:0"), None)
    spool.close()


def save_monitor(element: tuple[str, TopicMonitor], folder: str) -> None:
    """Leaves a monitor's state where the next slice finds it."""
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".monitor", delete=False) as file:
        pickle.dump(element, file)


def load_monitors(folder: Path) -> dict[str, TopicMonitor]:
    monitors = {}
    for path in folder.glob("*.monitor"):
        topic, monitor = pickle.loads(path.read_bytes())
        monitors[topic] = monitor
        path.unlink()
    return monitors


def run_slice(
    part: Slice,
    key: bytes,
    settings: Settings,
    warehouse: Warehouse,
    monitors: Mapping[str, TopicMonitor],
    folder: Path,
    options: PipelineOptions,
    progress: Progress,
) -> Mapping[str, int]:
    """One run of the graph over one slice. Returns its counters."""
    stored = stored_posts(warehouse, part.start, part.end)
    with beam.Pipeline(runner=bounded_runner(options), options=options) as pipeline:
        messages = (
            pipeline
            | "Files" >> beam.Create(part.files)
            | "Read" >> beam.FlatMap(read_messages, key).with_output_types(Message)
        )
        tables = build(
            messages,
            settings,
            Bounded(
                stored_posts=None if stored is None else pipeline | "ReadStored" >> stored,
                monitors=monitors,
                progress=progress,
            ),
        )
        write_tables(tables, warehouse.uri)
        tables.monitors | "SaveMonitor" >> beam.Map(save_monitor, folder=str(folder))
    return counters(pipeline.result)


def backfill(
    inputs: Sequence[str],
    settings: Settings,
    warehouse: Warehouse,
    *,
    columns: Mapping[str, str] | None = None,
    slice_posts: int = 50_000,
    options: PipelineOptions | None = None,
    show: bool = True,
) -> Report:
    """Scores and aggregates all rows of the inputs into the warehouse.

    Raises InputError for what cannot be read, WarehouseError, BundleError, ConservationError.
    """
    warehouse.create()
    totals: Counter[str] = Counter()
    with scratch_folder() as folder:
        spool = Spool(folder)
        spool_rows(inputs, columns, settings, spool, show=show)
        first = spool.first
        monitors = {} if first is None else monitors_before(warehouse, first)
        with bar(spool.messages, "scoring", "post", shown=show) as scoring:
            progress = Shown(scoring.update)
            for part in spool.slices(slice_posts):
                totals.update(
                    run_slice(
                        part,
                        spool.key,
                        settings,
                        warehouse,
                        monitors,
                        folder,
                        options or PipelineOptions([]),
                        progress,
                    )
                )
                monitors = {**monitors, **load_monitors(folder)}
                for file in part.files:
                    Path(file).unlink()
        report = Report(totals)
        report.check_conservation(spool.messages)
    # Those of earlier runs as well: hours of this one may be what they lacked.
    judge_in_hindsight(warehouse, monitors, now_micros(), settings.matcher.words())
    return report


def main(argv: Sequence[str] | None = None) -> int:
    """`mltox backfill`: exit code 0, or 2 with one line on what is wrong."""
    options = parse(
        "mltox backfill",
        "Scores files of posts and rolls them up.\n\n"
        "reads   posts from files: X API v2 and v1.1, Bluesky, Reddit, Mastodon, or plain rows\n"
        "writes  scored_posts, text_scores, hourly_toxicity, anomalies and dead_letters",
        "mltox backfill --input 'tweets/*.jsonl.gz' --topic politics "
        "--keywords 'election,#vote,prime minister' --warehouse politics.duckdb",
        (
            InputOptions,
            TopicOptions,
            AuthorOptions,
            ModelOptions,
            WarehouseOptions,
            StoreOptions,
            BackfillOptions,
        ),
        argv,
    )
    return reporting_errors(lambda: run(options))


def run(options: PipelineOptions) -> int:
    given = options.view_as(InputOptions)
    if not given.input:
        raise UsageError("--input: name a file, folder or glob of posts")
    check_reach(options)
    if dataset_of(options) is not None:
        check(backfill_needs(options))
    settings = settings_of(options)
    columns = columns_of(given.columns)
    with open_warehouse(options.view_as(WarehouseOptions).warehouse) as warehouse:
        if on_dataflow(options):
            backfill_job.launch(given.input, settings, warehouse, columns, options)
            return 0
        report = backfill(
            given.input,
            settings,
            warehouse,
            columns=columns,
            slice_posts=options.view_as(BackfillOptions).slice_posts,
            options=options,
        )
    print(report.text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
