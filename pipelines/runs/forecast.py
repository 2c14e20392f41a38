"""The hourly tables into next week's: `mltox forecast`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from tqdm import tqdm

from mltox.base.clock import datetime_of, micros_of, now_micros
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
from mltox.forecasting.adaptive import PastCoverage
from mltox.forecasting.outages import collection_gaps
from mltox.forecasting.series import LONGEST_HISTORY
from mltox.posts.records import HOUR, Forecast, ForecastAccuracy, HourlyToxicity, Micros
from mltox.warehouse import Warehouse, open_for_reading, open_warehouse, read_records
from pipelines.options import ForecastOptions, WarehouseOptions
from pipelines.preflight import check
from pipelines.preflight.needs import dataset_of, forecast_needs
from pipelines.progress import UNHEARD, BarProgress, RowProgress
from pipelines.runners import LOCAL_NAMES, bounded_pipeline, on_dataflow
from pipelines.runs.arguments import check_reach, parse
from pipelines.sinks.write_table import WriteTable
from pipelines.transforms.forecast import (
    ACCURACY,
    FORECAST_METRICS,
    FORECASTS,
    ForecastHours,
    Origin,
)

OUTCOME = ("topic", "metric", "run_at", "hours", "coverage_80", "coverage_95")
LEAST_OUTCOME_HOURS = 24
MOST_OUTCOMES = 20
"""Past runs that a band learns from, and the hours of each that must have come."""


@dataclass(frozen=True)
class ForecastTables:
    """What `build` returns: a PCollection for each table."""

    forecasts: beam.PCollection[Forecast]
    forecast_accuracy: beam.PCollection[ForecastAccuracy]


@dataclass(frozen=True)
class Extent:
    """What there is to forecast."""

    topics: int
    origin: Origin

    @property
    def run_at(self) -> Micros:
        """The hour after the last one observed."""
        return self.origin.run_at


def build(
    hours: beam.PCollection[HourlyToxicity],
    *,
    origin: Origin,
    horizon: int = 168,
    processes: int = 1,
    progress: RowProgress = UNHEARD,
) -> ForecastTables:
    """The graph from hourly rows to forecasts. `progress` hears of each series."""
    made = hours | "Forecast" >> ForecastHours(origin, horizon, processes, progress)
    return ForecastTables(made[FORECASTS], made[ACCURACY])


class ReadHours(beam.DoFn):
    """The last revision of every hour."""

    def process(self, warehouse_uri: str) -> Iterator[HourlyToxicity]:
        with open_warehouse(warehouse_uri) as warehouse:
            yield from read_records(warehouse, "latest_hourly_toxicity", HourlyToxicity)


def extent_of(warehouse: Warehouse, now: Micros | None = None) -> Extent | None:
    """None where no hour was rolled up yet.

    An hour that is not over at `now` (the clock's by default) is not observed, whatever a post
    with a date in the future says.
    """
    over = datetime_of((now_micros() if now is None else now) - HOUR)
    hours = warehouse.relation("latest_hourly_toxicity")
    sql = f"SELECT count(DISTINCT topic) AS topics, max(hour) AS last FROM {hours} WHERE hour <= ?"  # noqa: S608
    (row,) = warehouse.query(sql, (over,)).to_pylist()
    if not row["topics"]:
        return None
    run_at = micros_of(row["last"]) + HOUR
    gaps = collection_gaps(posts_by_hour(warehouse, run_at)) if row["topics"] > 1 else ()
    return Extent(row["topics"], Origin(run_at, gaps, past_outcomes(warehouse)))


def posts_by_hour(warehouse: Warehouse, run_at: Micros) -> list[tuple[Micros, int]]:
    """All topics' posts by hour, of the longest history that a forecast looks at."""
    span = (datetime_of(run_at - LONGEST_HISTORY * HOUR), datetime_of(run_at))
    hours = warehouse.relation("latest_hourly_toxicity")
    sql = (
        f"SELECT hour, sum(posts) AS posts FROM {hours}"  # noqa: S608 - a name of ours
        " WHERE hour >= ? AND hour < ? GROUP BY hour"
    )
    rows = warehouse.query(sql, span).to_pylist()
    return sorted((micros_of(row["hour"]), int(row["posts"])) for row in rows)


def past_outcomes(warehouse: Warehouse) -> dict[tuple[str, str], tuple[PastCoverage, ...]]:
    """What became of the last runs, by topic and metric, oldest first."""
    found: dict[tuple[str, str], list[PastCoverage]] = {}
    runs = warehouse.query(
        f"SELECT {', '.join(OUTCOME)} FROM {warehouse.relation('forecast_runs')}"  # noqa: S608 - names of ours
    )
    for row in sorted(runs.to_pylist(), key=lambda row: row["run_at"]):
        if row["hours"] >= LEAST_OUTCOME_HOURS:
            outcome = PastCoverage(row["hours"], row["coverage_80"], row["coverage_95"])
            found.setdefault((row["topic"], row["metric"]), []).append(outcome)
    return {series: tuple(outcomes[-MOST_OUTCOMES:]) for series, outcomes in found.items()}


def read_and_write(
    pipeline: beam.Pipeline,
    warehouse_uri: str,
    *,
    origin: Origin,
    horizon: int,
    processes: int = 1,
    progress: RowProgress = UNHEARD,
) -> None:
    """The graph from table to tables."""
    hours = (
        pipeline
        | "Warehouse" >> beam.Create([warehouse_uri])
        | "ReadHours" >> beam.ParDo(ReadHours()).with_output_types(HourlyToxicity)
    )
    tables = build(hours, origin=origin, horizon=horizon, processes=processes, progress=progress)
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
    processes: int = 1,
) -> Extent | None:
    """Forecasts every topic and metric that the warehouse has hours of. Raises WarehouseError.

    With more than one process, the caller's main module is imported by each.
    """
    extent = extent_of(warehouse)
    if extent is None:
        return None
    options = options or PipelineOptions([])
    total = extent.topics * len(FORECAST_METRICS)
    with (
        tqdm(
            total=total, desc="forecasting", unit="series", disable=None if show else True
        ) as shown_bar,
        bounded_pipeline(options) as pipeline,
    ):
        read_and_write(
            pipeline,
            warehouse.uri,
            origin=extent.origin,
            horizon=horizon,
            processes=min(processes, total),
            progress=UNHEARD if on_dataflow(options) else BarProgress(shown_bar.update),
        )
    return extent


def main(argv: Sequence[str] | None = None) -> int:
    """`mltox forecast`: exit code 0, or 2 with one line on what is wrong."""
    options = parse(
        "mltox forecast",
        "Forecasts the coming week of every topic.\n\n"
        "reads   hourly_toxicity, and what became of past forecasts\n"
        "writes  forecasts, forecast_accuracy",
        "mltox forecast --warehouse politics.duckdb",
        (WarehouseOptions, ForecastOptions),
        argv,
    )
    return reporting_errors(lambda: run(options))


def processes_of(options: PipelineOptions) -> int:
    """One for each core in a local run, unless told; a cluster spreads series by itself."""
    asked = options.view_as(ForecastOptions).processes
    if asked is not None and asked < 1:
        raise UsageError(f"--processes: {asked} is not 1 or more")
    if options.view_as(StandardOptions).runner not in LOCAL_NAMES:
        return 1
    return asked or cores()


def cores() -> int:
    """Those that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(options: PipelineOptions) -> int:
    check_reach(options)
    if dataset_of(options) is not None:
        check(forecast_needs(options))
    # a mistyped name makes no file
    with open_for_reading(options.view_as(WarehouseOptions).warehouse) as warehouse:
        extent = forecast(
            warehouse,
            horizon=options.view_as(ForecastOptions).horizon,
            options=options,
            processes=processes_of(options),
        )
    if extent is None:
        raise UsageError("the warehouse has no hours yet: run `mltox backfill` first")
    print(f"  topics forecast   {extent.topics:>12,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
