"""Posts from Pub/Sub into the warehouse as they come: `mltox stream`.

Into BigQuery the graph of `pipelines.graph` runs on Dataflow (or the runner that is named).
Into a DuckDB file it runs on this machine, see `pipelines.runs.local_stream`.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import apache_beam as beam
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    SetupOptions,
    StandardOptions,
)
from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner
from apache_beam.runners.runner import PipelineResult

from mltox.base.counts import count_lines
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError, UserError
from mltox.base.interrupts import handling
from mltox.detection.alerts import Incidents
from mltox.google.pubsub.publisher import Publisher
from mltox.google.pubsub.subscription import Subscription
from mltox.posts.attributes import CREATED_AT, POST_ID
from mltox.posts.letters import origin_of
from mltox.posts.records import DAY, HOUR, SECOND, Message, Micros
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from mltox.warehouse.location import DuckDBFile, parse_uri
from pipelines.graph import Settings, build
from pipelines.graph.modes import Stream
from pipelines.options import (
    AuthorOptions,
    DetectionOptions,
    ModelOptions,
    StoreOptions,
    StreamOptions,
    TopicOptions,
    WarehouseOptions,
    WriteOptions,
)
from pipelines.preflight import check
from pipelines.preflight.needs import stream_needs
from pipelines.runs.arguments import check_reach, parse, settings_of
from pipelines.runs.local_stream.deletions import Deletions
from pipelines.runs.local_stream.loop import LocalStream
from pipelines.runs.local_stream.notices import Notices
from pipelines.runs.local_stream.state import LocalState
from pipelines.runs.local_stream.webhook import Webhook
from pipelines.sinks.write_tables import write_tables
from pipelines.transforms.metrics import counters
from pipelines.transforms.publish import Publish, anomaly_message, letter_message
from pipelines.transforms.window import Panes

log = logging.getLogger(__name__)

WEBHOOK = "MLTOX_ALERTS_WEBHOOK"
RUNNER_LOG = "apache_beam.runners.common"

ServePage = Callable[[DuckDBWarehouse, int], AbstractContextManager[object]]
"""Serves the page of a warehouse that this process holds, at a port. It comes from outside, for the
pipelines know no dashboard (`commands.stream` gives it)."""


def main(argv: Sequence[str] | None = None, serve_page: ServePage | None = None) -> int:
    options = options_of(argv)
    return reporting_errors(lambda: run(options, serve_page))


def options_of(argv: Sequence[str] | None, prog: str = "mltox stream") -> PipelineOptions:
    """Exits with code 2 and one line on an option that nobody knows."""
    return parse(
        prog,
        "Scores posts as they come and rolls them up.\n\n"
        "reads   a Pub/Sub subscription (PUBSUB_EMULATOR_HOST: an emulator's)\n"
        "writes  scored_posts, text_scores, hourly_toxicity, anomalies and dead_letters, into a\n"
        "        DuckDB file (on this machine, until Ctrl-C) or BigQuery (on Dataflow)",
        "mltox stream --input-subscription projects/p/subscriptions/posts --warehouse live.duckdb",
        (
            StreamOptions,
            TopicOptions,
            AuthorOptions,
            ModelOptions,
            DetectionOptions,
            WarehouseOptions,
            StoreOptions,
            WriteOptions,
        ),
        argv,
    )


def run(options: PipelineOptions, serve_page: ServePage | None = None) -> int:
    stream = options.view_as(StreamOptions)
    if not stream.input_subscription:
        raise UsageError("--input-subscription: name projects/PROJECT/subscriptions/NAME")
    location = parse_uri(options.view_as(WarehouseOptions).warehouse)
    if stream.alerts_webhook and not isinstance(location, DuckDBFile):
        raise UsageError(
            "--alerts-webhook goes with a DuckDB file; for BigQuery give --alerts-topic, and let a"
            " push subscription post what comes there"
        )
    if stream.deletions_subscription and not isinstance(location, DuckDBFile):
        raise UsageError(
            "--deletions-subscription goes with a DuckDB file; for BigQuery run: mltox forget"
            f" --warehouse bq://{location} --subscription {stream.deletions_subscription}"
        )
    check_reach(options)
    check(stream_needs(options))
    settings = replace(settings_of(options), watch_bundle=stream.watch_bundle_seconds)
    if isinstance(location, DuckDBFile):
        return run_here(options, settings, DuckDBWarehouse(location.path), serve_page)
    return launch(options, settings)


def launch(options: PipelineOptions, settings: Settings) -> int:
    """Starts the streaming job. A template launcher must not wait for it, and nobody else needs
    to: the job runs on at Dataflow. On a runner of this machine it ends with this process."""
    options.view_as(StandardOptions).streaming = True
    options.view_as(SetupOptions).save_main_session = False
    pipeline = beam.Pipeline(options=options)
    subscribe(pipeline, options, settings)
    result = pipeline.run()
    if isinstance(pipeline.runner, DataflowRunner):
        log.info("%s", launched(result, options))
        return 0
    result.wait_until_finish()
    log.info("the stream has ended: %s\n%s", result.state, balance(counters(result)))
    return 0


def launched(result: PipelineResult, options: PipelineOptions) -> str:
    """What was launched, between what, and where it can be watched."""
    cloud = options.view_as(GoogleCloudOptions)
    between = (
        f"{options.view_as(StreamOptions).input_subscription} to"
        f" {options.view_as(WarehouseOptions).warehouse}"
    )
    if not getattr(result, "has_job", False):  # a template, or --dry_run
        return f"{cloud.job_name}: {between}, described and not started"
    job = result.job_id()
    return (
        f"{cloud.job_name}: {between}, launched as job {job};"
        f" https://console.cloud.google.com/dataflow/jobs/{cloud.region}/{job}"
        f"?project={cloud.project}"
    )


def subscribe(pipeline: beam.Pipeline, options: PipelineOptions, settings: Settings) -> None:
    """The streaming graph from the subscription to the tables."""
    messages = (
        pipeline
        | "ReadPosts" >> ReadFromPubSub(
            subscription=options.view_as(StreamOptions).input_subscription,
            with_attributes=True,
            id_label=POST_ID,
            timestamp_attribute=CREATED_AT,
        )
        | "ToMessage" >> beam.Map(to_message).with_output_types(Message)
    )  # fmt: skip
    tables = build(messages, settings, mode_of(options.view_as(StreamOptions)))
    letters = write_tables(
        tables,
        options.view_as(WarehouseOptions).warehouse,
        options.view_as(WriteOptions).write_method,
    )
    stream = options.view_as(StreamOptions)
    if stream.dead_letter_topic:
        letters | "PublishDeadLetters" >> Publish(stream.dead_letter_topic, letter_message)
    if stream.alerts_topic:
        tables.anomalies | "PublishAlerts" >> Publish(stream.alerts_topic, anomaly_message)


def mode_of(stream: StreamOptions) -> Stream:
    panes = Panes(early=stream.early_seconds, lateness=stream.lateness_hours * HOUR // SECOND)
    return Stream(panes, batch_wait=stream.batch_wait_ms / 1000)


def to_message(received: PubsubMessage) -> Message:
    return Message(received.data, origin_of(received.message_id, received.attributes))


def run_here(
    options: PipelineOptions,
    settings: Settings,
    warehouse: DuckDBWarehouse,
    serve_page: ServePage | None = None,
) -> int:
    """Runs until SIGINT or SIGTERM, then commits what was pulled and prints the balance."""
    logging.getLogger(RUNNER_LOG).addFilter(is_a_defect)
    stream = options.view_as(StreamOptions)
    with warehouse:
        warehouse.create()
        state = LocalState(
            warehouse,
            settings.threshold,
            int(stream.disorder_minutes * 60 * SECOND),
            alerting=bool(stream.alerts_topic or webhook_of(stream)),
            span=span_of(stream),
        )
        stopping = threading.Event()
        subscription = Subscription(stream.input_subscription, stopping)
        live = LocalStream(
            subscription,
            settings,
            state,
            options,
            notices_of(stream),
            deletions_of(stream, warehouse, stopping),
            stopping=stopping,
        )
        state.open()
        try:
            with stopped_by_signals(live), page_beside(warehouse, stream, serve_page):
                live.run(log_turn)
        finally:
            state.close()
            subscription.close()
            if live.notices is not None:
                live.notices.close()
            if live.deletions is not None:
                live.deletions.subscription.close()
            print(balance(live.totals))
    return 0


def span_of(stream: StreamOptions) -> Micros:
    if not 0 <= stream.span_days < 1_000_000:
        raise UsageError(f"--span-days: {stream.span_days} is no number of days")
    return int(stream.span_days * DAY)


def notices_of(stream: StreamOptions) -> Notices | None:
    publishes = stream.dead_letter_topic or stream.alerts_topic
    address = webhook_of(stream)
    if not (publishes or address):
        return None
    webhook = Webhook(address, incidents_of(stream.alerts_after)) if address else None
    publisher = Publisher() if publishes else None
    return Notices(publisher, stream.dead_letter_topic, stream.alerts_topic, webhook)


def webhook_of(stream: StreamOptions) -> str | None:
    """The address lets anybody post, so the environment may hold it."""
    return stream.alerts_webhook or os.environ.get(WEBHOOK) or None


def incidents_of(rule: str) -> Incidents:
    """Raises UsageError for what is not M/N hours."""
    least, _, of = rule.partition("/")
    try:
        return Incidents(int(least), int(of))
    except ValueError:
        raise UsageError(f"--alerts-after: {rule!r} is not M/N, such as 2/3") from None


def deletions_of(
    stream: StreamOptions, warehouse: DuckDBWarehouse, stopping: threading.Event
) -> Deletions | None:
    if not stream.deletions_subscription:
        return None
    # Posts must not wait for deletions: what fails is looked at again later.
    source = Subscription(stream.deletions_subscription, stopping, give_up_after=0)
    return Deletions(source, warehouse, stopping)


def page_beside(
    warehouse: DuckDBWarehouse, stream: StreamOptions, serve_page: ServePage | None
) -> AbstractContextManager[object]:
    """DuckDB gives a file to one process, so the run itself serves the page."""
    if stream.port is None:
        return nullcontext()
    if serve_page is None:
        raise UsageError("--port: the page comes with `mltox stream`")
    return serve_page(warehouse, stream.port)


def stopped_by_signals(live: LocalStream) -> AbstractContextManager[None]:
    def stop() -> None:
        log.info("stopping: what was pulled is committed, the rest stays on the subscription")
        live.stopping.set()

    return handling({signal.SIGINT: stop, signal.SIGTERM: stop})


def is_a_defect(record: logging.LogRecord) -> bool:
    """The runner tells of an error with its traceback. Of what a person can mend the loop says one
    line, whenever it tries again."""
    return not (record.exc_info and isinstance(record.exc_info[1], UserError))


def log_turn(counts: Mapping[str, int]) -> None:
    log.info(
        "%d rows: %d posts, %d duplicates, %d dead letters, %d of no topic",
        *(counts.get(name, 0) for name in
          ("rows_read", "posts_kept", "duplicates", "dead_letters", "rows_no_topic")),
    )  # fmt: skip


def balance(totals: Mapping[str, int]) -> str:
    """What a live run did, as a person reads it."""
    return count_lines(
        totals,
        {
            "rows_read": "rows read",
            "posts_kept": "posts kept",
            "duplicates": "duplicates",
            "rows_no_topic": "of no topic",
            "dead_letters": "dead letters",
            "changed_hourly_toxicity": "hours written",
            "anomalies": "anomalies",
        },
    )


if __name__ == "__main__":
    sys.exit(main())
