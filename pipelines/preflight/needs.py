"""What each command needs, by its options."""

from __future__ import annotations

from apache_beam.options.pipeline_options import PipelineOptions

from mltox.scoring import SHIPPED
from mltox.warehouse.location import BigQueryDataset, parse_uri
from pipelines.options import ModelOptions, StreamOptions, WarehouseOptions, WriteOptions
from pipelines.preflight import Needs

LIVE_TABLES = ("scored_posts", "text_scores", "hourly_toxicity", "anomalies", "dead_letters")


def bundle_of(options: PipelineOptions) -> str:
    return str(options.view_as(ModelOptions).bundle or SHIPPED)


def dataset_of(options: PipelineOptions) -> BigQueryDataset | None:
    """None where the warehouse is a file. Raises WarehouseError."""
    location = parse_uri(options.view_as(WarehouseOptions).warehouse)
    return location if isinstance(location, BigQueryDataset) else None


def stream_needs(options: PipelineOptions) -> Needs:
    """A streaming job finds its tables made: `mltox provision` does that."""
    dataset = dataset_of(options)
    method = options.view_as(WriteOptions).write_method
    stream = options.view_as(StreamOptions)
    return Needs(
        bundle=bundle_of(options),
        subscription=stream.input_subscription,
        deletions=stream.deletions_subscription,
        topics=(stream.dead_letter_topic, stream.alerts_topic),
        dataset=dataset,
        writes=LIVE_TABLES,
        storage_write=dataset is not None and method == "STORAGE_WRITE_API",
    )


def backfill_needs(options: PipelineOptions) -> Needs:
    """A backfill into BigQuery looks for posts and incidents that are there, and makes tables."""
    return Needs(
        bundle=bundle_of(options),
        dataset=dataset_of(options),
        reads=("scored_posts", "hourly_toxicity"),
        writes=LIVE_TABLES,
        makes_tables=True,
        queries=True,
    )


def forecast_needs(options: PipelineOptions) -> Needs:
    return Needs(
        dataset=dataset_of(options),
        reads=("hourly_toxicity",),
        writes=("forecasts", "forecast_accuracy"),
        makes_tables=True,
        queries=True,
    )
