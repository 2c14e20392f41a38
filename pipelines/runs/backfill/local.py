"""Files of posts into the warehouse: `mltox backfill`.

Reads every row once into a spool on disk, then runs the graph of `pipelines.graph` over slices
of time, so that memory stays flat however large the input is. A second run changes nothing. On
Dataflow it is one job instead, see `pipelines.runs.backfill.job`.
"""

from __future__ import annotations

import pickle
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, TestOptions

from mltox.base.clock import now_micros
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
from mltox.base.scratch import scratch_folder
from mltox.base.showing import progress_bar
from mltox.detection.monitor import TopicMonitor
from mltox.posts.records import Message
from mltox.warehouse import Warehouse, open_warehouse
from pipelines.graph import Settings, build
from pipelines.graph.modes import Bounded
from pipelines.options import (
    AuthorOptions,
    BackfillOptions,
    DetectionOptions,
    InputOptions,
    ModelOptions,
    StoreOptions,
    TopicOptions,
    WarehouseOptions,
)
from pipelines.preflight import check
from pipelines.preflight.needs import backfill_needs, dataset_of
from pipelines.progress import BarProgress, RowProgress
from pipelines.runners import bounded_runner, leaves_process, on_dataflow
from pipelines.runs.arguments import check_reach, columns_of, how_of, parse, settings_of
from pipelines.runs.backfill import job as backfill_job
from pipelines.runs.backfill.hindsight import judge_in_hindsight
from pipelines.runs.backfill.intake import ALL, ReadingOptions, Selection, moment_of, spool_rows
from pipelines.runs.backfill.report import Report
from pipelines.runs.backfill.roll_up_again import roll_up_again
from pipelines.runs.backfill.settling import Settling
from pipelines.runs.backfill.silence import judge_silence
from pipelines.runs.backfill.spool import Slice, Spool, read_messages
from pipelines.runs.backfill.survey import survey
from pipelines.runs.backfill.version_index import VersionIndex
from pipelines.runs.history import monitors_before, stored_posts
from pipelines.sinks.write_tables import write_tables
from pipelines.transforms.known import KnownHere
from pipelines.transforms.metrics import counters

DRY_RUN = ("--dry-run", "--dry_run")
NOTHING_KEPT = 1


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
    progress: RowProgress,
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
                known=KnownHere(warehouse.uri),
            ),
        )
        write_tables(tables, warehouse.uri)
        tables.monitors | "SaveMonitor" >> beam.Map(save_monitor, folder=str(folder))
    return counters(pipeline.result)


def backfill(
    inputs: Sequence[str] | ReadingOptions,
    settings: Settings,
    warehouse: Warehouse,
    *,
    columns: Mapping[str, str] | None = None,
    slice_posts: int = 50_000,
    options: PipelineOptions | None = None,
    show: bool = True,
) -> Report:
    """Scores and aggregates all rows of the inputs into the warehouse. What is deleted in them is
    forgotten, see `mltox.warehouse.forgetting`.

    Raises InputError for what cannot be read, WarehouseError, BundleError, ConservationError.
    """
    given = inputs if isinstance(inputs, ReadingOptions) else ReadingOptions(inputs, columns)
    warehouse.create()
    with scratch_folder() as folder:
        spool, index = Spool(folder), VersionIndex(folder)
        intake = spool_rows(given, settings.authors, spool, index, show=show)
        settling = Settling(warehouse, spool, index.verdicts(), has_posts(warehouse))
        forget(warehouse, intake.deleted)  # before, for DuckDB then never stores their text
        totals, monitors = run_slices(
            spool,
            slice_posts,
            settings,
            settling,
            folder,
            options or PipelineOptions([]),
            show=show,
        )
        forget(warehouse, intake.deleted)  # after, for BigQuery only knows what it holds
        roll_up_again(warehouse, settling.left, settings.threshold)
    silent = judge_silence(warehouse, monitors, now_micros())
    # Those of earlier runs as well: hours of this one may be what they lacked.
    judge_in_hindsight(warehouse, monitors, now_micros(), settings.matcher.words())
    not_run = Counter(
        deletions=intake.counts["deletions"],
        outside=intake.counts["outside"],
        superseded=settling.counts["superseded"],
    )
    totals.update(settling.counts)
    totals.update(anomalies=silent)
    totals.update(deletions=not_run["deletions"], outside=not_run["outside"])
    totals.update(rows_read=not_run.total())
    report = Report(totals, intake.letters, intake.remarks, tuple(intake.left_out))
    report.check_conservation(intake.counts["rows"])
    return report


def run_slices(
    spool: Spool,
    slice_posts: int,
    settings: Settings,
    settling: Settling,
    folder: Path,
    options: PipelineOptions,
    *,
    show: bool,
) -> tuple[Counter[str], Mapping[str, TopicMonitor]]:
    """Slice by slice, oldest first; what a slice wrote stays where a later one is stopped. Returns
    the counters, and the monitors as they are after the last one."""
    totals: Counter[str] = Counter()
    warehouse = settling.warehouse
    first = spool.first
    monitors = {} if first is None else monitors_before(warehouse, first)
    with progress_bar(spool.messages, "scoring", "post", shown=show) as advance:
        progress = BarProgress(advance)
        for each in spool.slices(slice_posts):
            part = settling.settle(each)
            totals.update(
                run_slice(part, spool.key, settings, warehouse, monitors, folder, options, progress)
            )
            monitors = {**monitors, **load_monitors(folder)}
            for file in part.files:
                Path(file).unlink()
    return totals, monitors


def has_posts(warehouse: Warehouse) -> bool:
    posts = warehouse.relation("scored_posts")
    return warehouse.query(f"SELECT 1 AS one FROM {posts} LIMIT 1").num_rows > 0  # noqa: S608 - ours


def forget(warehouse: Warehouse, deleted: Collection[str]) -> None:
    if deleted:
        warehouse.forget(deleted)


def main(argv: Sequence[str] | None = None) -> int:
    """`mltox backfill`: exit code 0; 1 where nothing was kept; 2 with one line on what is wrong;
    130 for Ctrl-C."""
    given = sys.argv[1:] if argv is None else argv
    options = parse(
        "mltox backfill",
        "Scores files of posts and rolls them up.\n\n"
        "reads   posts from files: X API v2 and v1.1, Bluesky, Reddit, Mastodon, or plain rows\n"
        "writes  scored_posts, text_scores, hourly_toxicity, anomalies and dead_letters\n\n"
        "With --dry-run it reads everything, writes nothing, and says what there is: rows, dead\n"
        "letters, posts by topic, distinct texts, and about how long the run would take.\n\n"
        "exit code 0; 1: no post was kept; 2 with one line on what is wrong; 130 for Ctrl-C",
        "mltox backfill --input 'tweets/*.jsonl.gz' --topic politics "
        "--keywords 'election,#vote,prime minister' --warehouse politics.duckdb",
        (
            InputOptions,
            TopicOptions,
            AuthorOptions,
            ModelOptions,
            DetectionOptions,
            WarehouseOptions,
            StoreOptions,
            BackfillOptions,
        ),
        # Beam's own option of this name wants a value
        ["--dry_run=true" if each in DRY_RUN else each for each in given],
    )
    return reporting_errors(lambda: run(options))


def run(options: PipelineOptions) -> int:
    given = options.view_as(InputOptions)
    if not given.input:
        raise UsageError("--input: name a file, folder or glob of posts")
    check_reach(options)
    inputs = ReadingOptions(
        given.input, columns_of(given.columns), how_of(given), selection_of(options)
    )
    dry_run = bool(options.view_as(TestOptions).dry_run) and not on_dataflow(options)
    if dataset_of(options) is not None and not dry_run:
        check(backfill_needs(options))
    settings = settings_of(options)
    if dry_run:
        print(survey(inputs, settings).text())
        return 0
    with open_warehouse(options.view_as(WarehouseOptions).warehouse) as warehouse:
        if leaves_process(options):
            return run_as_job(inputs, settings, warehouse, options)
        report = backfill(
            inputs,
            settings,
            warehouse,
            slice_posts=options.view_as(BackfillOptions).slice_posts,
            options=options,
        )
    print(report.text())
    if not report["posts_kept"]:
        print("no post was kept", file=sys.stderr)
        return NOTHING_KEPT
    return 0


def run_as_job(
    inputs: ReadingOptions, settings: Settings, warehouse: Warehouse, options: PipelineOptions
) -> int:
    """On the runner that was named, or in several processes of this machine."""
    if inputs.selection != ALL:
        raise UsageError("--limit, --since and --until are for a local run")
    patterns = backfill_job.patterns_of(inputs.names)
    counts = backfill_job.launch_job(
        patterns, settings, warehouse, inputs.columns, options, inputs.how
    )
    if on_dataflow(options):
        return 0
    if not counts:
        print("  this runner keeps no counters; what was written is in the tables")
        return 0
    print(Report(counts).text())
    return 0 if counts.get("posts_kept") else NOTHING_KEPT


def selection_of(options: PipelineOptions) -> Selection:
    given = options.view_as(BackfillOptions)
    if given.limit is not None and given.limit < 1:
        raise UsageError(f"--limit: {given.limit} is no number of rows")
    return Selection(
        given.limit, moment_of("--since", given.since), moment_of("--until", given.until)
    )


if __name__ == "__main__":
    sys.exit(main())
