"""`mltox demo`: posts in, a dashboard out, on this machine alone."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from dashboards.page import write_page
from ingest.sample import write_sample
from pipelines.arguments import columns_of, parse, settings_of
from pipelines.backfill import backfill
from pipelines.entry import reporting_errors
from pipelines.forecast import forecast
from pipelines.options import BackfillOptions, InputOptions, ModelOptions, WarehouseOptions
from pipelines.warehouse import Warehouse, open_warehouse


class DemoOptions(PipelineOptions):
    """Where the demo puts what it makes."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--out",
            default="demo",
            metavar="FOLDER",
            help="Folder of the warehouse (made anew) and the page. Default: %(default)s",
        )


@dataclass(frozen=True)
class Found:
    """A planted incident, and whether an anomaly of its topic and metric lies in it."""

    incident: dict[str, Any]
    found: bool


def start_over(folder: Path) -> str:
    """An empty warehouse in the folder; the one of an earlier demo goes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("mltox.duckdb", "mltox.duckdb.wal"):
        (folder / name).unlink(missing_ok=True)
    return str(folder / "mltox.duckdb")


def find_incidents(warehouse: Warehouse, incidents: Sequence[dict[str, Any]]) -> list[Found]:
    return [
        Found(
            incident,
            warehouse.query(
                "SELECT 1 FROM latest_anomalies WHERE topic = ? AND metric = ?"
                " AND hour >= CAST(? AS TIMESTAMPTZ) AND hour < CAST(? AS TIMESTAMPTZ) LIMIT 1",
                (incident["topic"], incident["metric"], incident["start"], incident["end"]),
            ).num_rows
            > 0,
        )
        for incident in incidents
    ]


def summary(warehouse: Warehouse) -> str:
    row = warehouse.query(
        "SELECT (SELECT COUNT(*) FROM latest_scored_posts),"
        " (SELECT COUNT(DISTINCT topic) FROM latest_hourly_toxicity),"
        " (SELECT COUNT(*) FROM latest_hourly_toxicity),"
        " (SELECT COUNT(*) FROM latest_anomalies),"
        " (SELECT COUNT(*) FROM latest_forecasts)"
    ).to_pylist()[0]
    names = ("posts", "topics", "hours", "anomalies", "hours forecast")
    return "\n".join(
        f"  {name:<18}{count:>12,}" for name, count in zip(names, row.values(), strict=True)
    )


def incidents_text(found: Sequence[Found]) -> str:
    lines = [f"  planted incidents found: {sum(f.found for f in found)} of {len(found)}"]
    for result in found:
        incident = result.incident
        start = datetime.fromisoformat(incident["start"]).astimezone(UTC)
        lines.append(
            f"    {'found ' if result.found else 'missed'}  {start:%Y-%m-%d %H:%M}  "
            f"{incident['topic']}: {incident['kind']} ({incident['metric']})"
        )
    return "\n".join(lines)


def run(options: PipelineOptions) -> int:
    began = time.monotonic()
    out = Path(options.view_as(DemoOptions).out)
    given = options.view_as(InputOptions)
    is_sample = not given.input
    warehouse_uri = start_over(out)
    incidents: list[dict[str, Any]] = []
    if is_sample:
        info = write_sample(out / "sample" / "posts.jsonl")
        incidents = json.loads(info.incidents_path.read_text(encoding="utf-8"))
        given.input = [str(info.posts_path)]
        given.topics_file = str(info.topics_path)
    warehouse = open_warehouse(warehouse_uri)
    try:
        report = backfill(
            given.input,
            settings_of(options),
            warehouse,
            columns=columns_of(given.columns),
            slice_posts=options.view_as(BackfillOptions).slice_posts,
        )
        forecast(warehouse)
        page = write_page(
            warehouse,
            out / "index.html",
            sample=is_sample,
            incidents=info.incidents_path if is_sample else None,
        )
        print(f"\nrows\n{report.text()}\n\nin the warehouse {warehouse_uri}\n{summary(warehouse)}")
        if is_sample:
            print(incidents_text(find_incidents(warehouse, incidents)))
    finally:
        warehouse.close()
    print(f"\n{time.monotonic() - began:.0f} s. Open the page: {page.resolve().as_uri()}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parse(
        "mltox demo",
        "The whole way in one command.\n\n"
        "reads   a generated sample of posts, or your own with --input\n"
        "writes  a DuckDB warehouse with all tables, and the page index.html",
        "mltox demo --input posts.csv --columns text=tweet,created_at=date --topic politics",
        (DemoOptions, InputOptions, ModelOptions, WarehouseOptions, BackfillOptions),
        arguments,
    )
    return reporting_errors(lambda: run(options))
