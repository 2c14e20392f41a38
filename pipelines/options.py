"""Every option of the pipelines, with its help, and the settings that a run makes of them."""

from __future__ import annotations

import argparse
from enum import StrEnum

from apache_beam.options.pipeline_options import PipelineOptions

from mltox.base.logs import log_format_argument


class StoreText(StrEnum):
    """How much of a post's text the warehouse keeps."""

    FULL = "full"
    HASHED = "hashed"
    NONE = "none"


def is_true(text: str) -> bool:
    """What a value of a switch means: `--dayfirst=false` is off."""
    return text.lower() not in ("", "0", "false", "no")


class InputOptions(PipelineOptions):
    """Which files are read."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--input",
            action="append",
            metavar="PATH",
            help="File, folder or glob of posts: JSONL, JSON, CSV, TSV or Parquet, also .gz, .bz2 "
            "or .zst. May be given several times.",
        )
        parser.add_argument(
            "--columns",
            metavar="FIELD=COLUMN,…",
            help="For tables and plain JSON: which column or key (as user.name) holds "
            "which field of a post. Fields: id, text, created_at, author, topic, lang, source. "
            "Example: text=tweet,created_at=date",
        )
        parser.add_argument(
            "--source",
            metavar="NETWORK",
            help="The network that all plain rows are of, such as x: what their column source says "
            "(of X's exports the device) does not matter then.",
        )
        parser.add_argument(
            "--delimiter",
            metavar="SIGN",
            help="Of a table: one sign, or tab, comma, semicolon, pipe. Default: it is found out.",
        )
        parser.add_argument(
            "--dayfirst",
            nargs="?",
            const=True,
            type=is_true,  # a template's form gives every option a value
            help="Times are written as 31/12/2020 14:05. Without it these are refused, for nobody "
            "knows whether 03/04 is in March or April.",
        )
        parser.add_argument(
            "--date_format",
            metavar="FORMAT",
            help="How times are written, as in Python's strptime: '%%m/%%d/%%Y %%I:%%M %%p'.",
        )
        parser.add_argument(
            "--timezone",
            metavar="ZONE",
            help="Of times that name none: Europe/Berlin, EST, …. Default: UTC.",
        )


class TopicOptions(PipelineOptions):
    """Which topics posts belong to."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--topic",
            action="append",
            metavar="NAME",
            help="A topic. Give --keywords after it, or all posts without a topic belong to it. "
            "May be given several times, each with its own --keywords.",
        )
        parser.add_argument(
            "--keywords",
            action="append",
            metavar="WORD,…",
            help="Words, #hashtags and phrases of the topic before it, separated by commas. "
            "Matched without regard to case, at word boundaries.",
        )
        parser.add_argument(
            "--topics_file",
            metavar="PATH",
            help="YAML file of topics: name, keywords, phrases, hashtags, languages, sources.",
        )


class ModelOptions(PipelineOptions):
    """What scores the posts."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--bundle",
            metavar="FOLDER",
            help="Model bundle: a folder, or a path of a store as gs:// or s3://. Default: the one "
            "that ships with mltox.",
        )
        parser.add_argument(
            "--threshold",
            type=float,
            metavar="P",
            help="Toxicity from which a post counts as toxic. Default: the bundle's own.",
        )
        parser.add_argument(
            "--scale",
            choices=("model", "perspective"),
            default="model",
            help="What scores are given on: the model's own probability, or Perspective's scale by"
            " the map beside the bundle, as `mltox serve` does. Default: %(default)s",
        )
        parser.add_argument(
            "--threads",
            type=int,
            default=0,
            metavar="N",
            help="Threads of the ONNX session, 0: one a core. Default: %(default)s",
        )


class AuthorOptions(PipelineOptions):
    """How authors become pseudonyms."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--author_key_secret",
            metavar="VERSION",
            help="The key for author hashes in Secret Manager: "
            "projects/PROJECT/secrets/NAME/versions/latest, or in a file of a store that all "
            "workers read: s3://bucket/key. Workers fetch it themselves, so that "
            "it is in no graph of a job. Default: MLTOX_AUTHOR_KEY of the environment, or a key "
            "that this machine keeps.",
        )


class WarehouseOptions(PipelineOptions):
    """Where the tables are."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--warehouse",
            default="mltox.duckdb",
            metavar="URI",
            help="DuckDB file, parquet://folder (of this machine, or as parquet://s3://bucket/folder),"
            " or bq://project.dataset for BigQuery. Default: %(default)s",
        )


class StoreOptions(PipelineOptions):
    """What the tables keep of a post."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--store_text",
            choices=[choice.value for choice in StoreText],
            default=StoreText.FULL.value,
            help="Keep the text of posts (full), only its SHA-256 (hashed), or neither (none). "
            "Default: %(default)s",
        )


class DetectionOptions(PipelineOptions):
    """When an hour is an anomaly."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--false_alarms_per_month",
            type=float,
            default=1.0,
            metavar="RATE",
            help="Incidents that a topic may give for nothing in a month: fewer miss more. "
            "Default: %(default)s",
        )


class LogOptions(PipelineOptions):
    """How the run logs."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        log_format_argument(parser)


class WriteOptions(PipelineOptions):
    """How rows come into BigQuery."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--write_method",
            choices=["STREAMING_INSERTS", "STORAGE_WRITE_API"],
            default="STREAMING_INSERTS",
            help="How rows come into BigQuery. STORAGE_WRITE_API is exactly once and cheaper, and "
            "needs a Java runtime where the job is launched. Default: %(default)s",
        )


class BackfillOptions(PipelineOptions):
    """How a large input is worked through."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--slice_posts",
            type=int,
            default=50_000,
            metavar="N",
            help="A local run holds one slice of time in memory: whole days, about N posts. "
            "Default: %(default)s",
        )
        parser.add_argument(
            "--limit", type=int, metavar="N", help="Only the first N rows, for a trial."
        )
        parser.add_argument(
            "--since", metavar="TIME", help="Only posts from then on: 2021-01-31, UTC."
        )
        parser.add_argument("--until", metavar="TIME", help="Only posts before then.")


class StreamOptions(PipelineOptions):
    """A live stream: where messages come from, and when hours are written."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--input_subscription",
            metavar="PATH",
            help="Pub/Sub subscription of posts: projects/PROJECT/subscriptions/NAME.",
        )
        parser.add_argument(
            "--lateness_hours",
            type=int,
            default=24,
            metavar="HOURS",
            help="On Dataflow: how long after its end an hour still takes posts. Later ones are "
            "dead letters (too_late). Default: %(default)s",
        )
        parser.add_argument(
            "--early_seconds",
            type=int,
            default=60,
            metavar="SECONDS",
            help="On Dataflow: how often an hour is written while it fills. Default: %(default)s",
        )
        parser.add_argument(
            "--watch_bundle_seconds",
            type=float,
            default=60.0,
            metavar="SECONDS",
            help="How often to look whether another model lies at --bundle; a sound one is taken "
            "without a restart. 0: never. Default: %(default)s",
        )
        parser.add_argument(
            "--batch_wait_ms",
            type=int,
            default=50,
            metavar="MS",
            help="On Dataflow: how long a post waits at most for others to be scored in one batch "
            "with. 0: not at all. Default: %(default)s",
        )
        parser.add_argument(
            "--disorder_minutes",
            type=float,
            default=10.0,
            metavar="MINUTES",
            help="On one machine: an hour is final, and judged, when posts this much newer than "
            "its end have come. Later ones still correct its row. Default: %(default)s",
        )
        parser.add_argument(
            "--span_days",
            type=float,
            default=365.0,
            metavar="DAYS",
            help="On one machine: posts further than this from their topic's newest post, and from "
            "now, are dead letters (outside_span), for created_at is what their author says. 0: "
            "none are. Default: %(default)s",
        )
        parser.add_argument(
            "--dead_letter_topic",
            metavar="PATH",
            help="Pub/Sub topic to which dead letters are published as well, as JSON: "
            "projects/PROJECT/topics/NAME.",
        )
        parser.add_argument(
            "--alerts_topic",
            metavar="PATH",
            help="Pub/Sub topic to which anomalies are published as well, as JSON.",
        )
        parser.add_argument(
            "--alerts_webhook",
            metavar="URL",
            help="On one machine: posts the news of incidents as Slack's incoming webhooks take "
            "it. Default: MLTOX_ALERTS_WEBHOOK of the environment, for the address is a secret.",
        )
        parser.add_argument(
            "--alerts_after",
            default="1/1",
            metavar="M/N",
            help="On one machine: the webhook is told of an incident once M of its last N hours "
            "were anomalous. Default: %(default)s",
        )
        parser.add_argument(
            "--deletions_subscription",
            metavar="PATH",
            help="On one machine: Pub/Sub subscription of posts that are gone at their source; the "
            "tables forget them. For BigQuery it is `mltox forget` that does it.",
        )
        parser.add_argument(
            "--port",
            type=int,
            metavar="N",
            help="On one machine: serves the page at http://127.0.0.1:N/ while the run lasts; 0 "
            "takes a free port.",
        )


class ForecastOptions(PipelineOptions):
    """What is forecast."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--horizon",
            type=int,
            default=168,
            metavar="HOURS",
            help="How far ahead. Default: %(default)s (a week)",
        )
        parser.add_argument(
            "--processes",
            type=int,
            metavar="N",
            help="Series forecast at a time on this machine. Default: one for each core",
        )
