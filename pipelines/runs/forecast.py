"""The hourly tables into next week's: `mltox forecast`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from tqdm import tqdm

from mltox.base.clock import micros_of
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
from mltox.posts.records import HOUR, Forecast, ForecastAccuracy, HourlyToxicity, Micros
from mltox.warehouse import Warehouse, open_warehouse, read_records
from pipelines.options import ForecastOptions, WarehouseOptions
from pipelines.preflight import check
from pipelines.preflight.needs import dataset_of, forecast_needs
from pipelines.progress import NOBODY, Progress, Shown
from pipelines.runners import bounded_pipeline, on_dataflow
from pipelines.runs.arguments import check_reach, parse
from pipelines.sinks.write_table import WriteTable
from pipelines.transforms.forecast import ACCURACY, FORECASTS, METRICS, ForecastHours


@dataclass(frozen=True)
class Tables:
    """What `build` returns: a PCollection for each table."""

    forecasts: beam.PCollection[Forecast]
    forecast_accuracy: beam.PCollection[ForecastAccuracy]


@dataclass(frozen=True)
class Extent:
    """What there is to forecast. `run_at` is the hour after the last one observed."""

    topics: int
    run_at: Micros


def build(
    hours: beam.PCollection[HourlyToxicity],
    *,
    run_at: Micros,
    horizon: int = 168,
    progress: Progress = NOBODY,
) -> Tables:
    """The graph from hourly rows to forecasts. `progress` hears of each series."""
    made = hours | "Forecast" >> ForecastHours(run_at, horizon, progress)
    return Tables(made[FORECASTS], made[ACCURACY])


class ReadHours(beam.DoFn):
    """The last revision of every hour."""

    def process(self, warehouse_uri: str) -> Iterator[HourlyToxicity]:
        with open_warehouse(warehouse_uri) as warehouse:
            yield from read_records(warehouse, "latest_hourly_toxicity", HourlyToxicity)


def extent_of(warehouse: Warehouse) -> Extent | None:
    """None where no hour was rolled up yet."""
    hours = warehouse.relation("latest_hourly_toxicity")
    sql = f"SELECT count(DISTINCT topic) AS topics, max(hour) AS last FROM {hours}"  # noqa: S608
    (row,) = warehouse.query(sql).to_pylist()
    return Extent(row["topics"], micros_of(row["last"]) + HOUR) if row["topics"] else None


def read_and_write(
    pipeline: beam.Pipeline,
    warehouse_uri: str,
    *,
    run_at: Micros,
    horizon: int,
    progress: Progress = NOBODY,
) -> None:
    """The graph from table to tables."""
    hours = (
        pipeline
        | "Warehouse" >> beam.Create([warehouse_uri])
        | "ReadHours" >> beam.ParDo(ReadHours()).with_output_types(HourlyToxicity)
    )
    tables = build(hours, run_at=run_at, horizon=horizon, progress=progress)
    tables.forecasts | "Write_forecasts" >> WriteTable(warehouse_uri, "forecasts")
    tables.forecast_accuracy | "Write_forecast_accuracy" >> WriteTable(
        warehouse_uri, "forecast_accuracy"
    )


def forecast(
    warehouse: Warehouse,
    *,
    horizon: int = 168,
    options: PipelineOptions | None = None,
    show: bool = True,
) -> Extent | None:
    """Forecasts every topic and metric that the warehouse has hours of. Raises WarehouseError."""
    extent = extent_of(warehouse)
    if extent is None:
        return None
    options = options or PipelineOptions([])
    total = extent.topics * len(METRICS)
    with (
        tqdm(
            total=total, desc="forecasting", unit="series", disable=None if show else True
        ) as shown_bar,
        bounded_pipeline(options) as pipeline,
    ):
        read_and_write(
            pipeline,
            warehouse.uri,
            run_at=extent.run_at,
            horizon=horizon,
            progress=NOBODY if on_dataflow(options) else Shown(shown_bar.update),
        )
    return extent


def main(argv: Sequence[str] | None = None) -> int:
    """`mltox forecast`: exit code 0, or 2 with one line on what is wrong."""
    options = parse(
        "mltox forecast",
        "Forecasts the coming week of every topic.\n\n"
        "reads   hourly_toxicity\n"
        "writes  forecasts, forecast_accuracy",
        "mltox forecast --warehouse politics.duckdb",
        (WarehouseOptions, ForecastOptions),
        argv,
    )
    return reporting_errors(lambda: run(options))


def run(options: PipelineOptions) -> int:
    check_reach(options)
    if dataset_of(options) is not None:
        check(forecast_needs(options))
    with open_warehouse(options.view_as(WarehouseOptions).warehouse) as warehouse:
        warehouse.create()
        extent = forecast(
            warehouse, horizon=options.view_as(ForecastOptions).horizon, options=options
        )
    if extent is None:
        raise UsageError("the warehouse has no hours yet: run `mltox backfill` first")
    print(f"  topics forecast   {extent.topics:>12,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
