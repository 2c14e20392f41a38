"""The pipelines' graphs as Dataflow gets them, built without a network."""

from __future__ import annotations

import base64
import bz2
import re
import sys
from collections.abc import Callable, Mapping

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor

from pipelines.runs import forecast
from pipelines.runs.backfill import job as backfill_job
from pipelines.runs.stream import subscribe
from pipelines.sinks.write_tables import write_tables
from pipelines.transforms.forecast import Origin
from tests.pipelines.streams import SETTINGS

WAREHOUSE = "bq://some-project.mltox"
FLAGS = [
    "--runner=DataflowRunner",
    "--dry_run=true",
    "--no_auth",
    "--project=some-project",
    "--region=europe-west1",
    "--temp_location=gs://some-bucket/temp",
    "--no_save_main_session",
    "--input_subscription=projects/some-project/subscriptions/posts",
    f"--warehouse={WAREHOUSE}",
]


def streaming() -> beam.Pipeline:
    options = PipelineOptions(FLAGS)
    options.view_as(StandardOptions).streaming = True
    pipeline = beam.Pipeline(options=options)
    subscribe(pipeline, options, SETTINGS)
    return pipeline


def backfill() -> beam.Pipeline:
    pipeline = beam.Pipeline(options=PipelineOptions(FLAGS))
    tables = backfill_job.build_job(pipeline, ["gs://some-bucket/*.jsonl"], SETTINGS, WAREHOUSE)
    write_tables(tables, WAREHOUSE)
    return pipeline


def forecasting() -> beam.Pipeline:
    pipeline = beam.Pipeline(options=PipelineOptions(FLAGS))
    forecast.read_and_write(pipeline, WAREHOUSE, origin=Origin(0), horizon=168)
    return pipeline


PIPELINES: Mapping[str, Callable[[], beam.Pipeline]] = {
    "streaming": streaming,
    "backfill": backfill,
    "forecast": forecasting,
}


class Steps(PipelineVisitor):
    def __init__(self) -> None:
        self.names: list[str] = []

    def visit_transform(self, transform_node: AppliedPTransform) -> None:
        self.names.append(transform_node.full_label)


def step_names(pipeline: beam.Pipeline) -> list[str]:
    steps = Steps()
    pipeline.visit(steps)
    return steps.names


def pickles(proto: bytes) -> list[bytes]:
    """What Beam has pickled into a pipeline: base64 of bz2 of the pickle."""
    packed = re.findall(rb"QlpoO[A-Za-z0-9+/]+=*", proto)
    return [bz2.decompress(base64.b64decode(each)) for each in packed]


if __name__ == "__main__":
    sys.stdout.write("\n".join(step_names(PIPELINES[sys.argv[1]]())) + "\n")
