"""`mltox demo`: posts in, a dashboard out, on this machine alone."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from apache_beam.options.pipeline_options import PipelineOptions

from dashboards.incidents import IncidentRun, incidents
from dashboards.page import write_page
from dashboards.planted import Planted, match, read_planted
from ingest.sources.sample.writing import write_sample
from mltox.base.entry import reporting_errors
from mltox.posts.records import SECOND, Anomaly
from mltox.warehouse import Warehouse, open_warehouse, read_records
from pipelines.options import BackfillOptions, InputOptions, ModelOptions, TopicOptions
from pipelines.runs.arguments import columns_of, how_of, parse, settings_of
from pipelines.runs.backfill.intake import ReadingOptions
from pipelines.runs.backfill.local import NOTHING_KEPT, backfill, selection_of
from pipelines.runs.forecast import cores, forecast


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


def start_over(folder: Path) -> str:
    """An empty warehouse in the folder; the one of an earlier demo goes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("mltox.duckdb", "mltox.duckdb.wal"):
        (folder / name).unlink(missing_ok=True)
    return str(folder / "mltox.duckdb")


def summary(warehouse: Warehouse, found: Sequence[IncidentRun]) -> str:
    (row,) = warehouse.query(
        "SELECT (SELECT COUNT(*) FROM latest_scored_posts),"
        " (SELECT COUNT(DISTINCT topic) FROM latest_hourly_toxicity),"
        " (SELECT COUNT(*) FROM latest_hourly_toxicity),"
        " (SELECT COUNT(*) FROM latest_anomalies),"
        " (SELECT COUNT(*) FROM latest_forecasts)"
    ).to_pylist()
    posts, topics, hours, anomalies, forecasts = row.values()
    lines = {
        "posts": posts,
        "topics": topics,
        "hours": hours,
        "anomalies": anomalies,
        "in incidents": len(found),
        "hours forecast": forecasts,
    }
    return "\n".join(f"  {name:<18}{count:>12,}" for name, count in lines.items())


def planted_summary(planted: Sequence[Planted], found: Sequence[IncidentRun]) -> str:
    matches = [match(incident, found) for incident in planted]
    lines = [f"planted incidents found: {sum(m is not None for m in matches)} of {len(matches)}"]
    for incident, seen in zip(planted, matches, strict=True):
        start = datetime.fromtimestamp(incident.start / SECOND, UTC)
        lines.append(
            f"  {'missed' if seen is None else 'found':<8}{start:%Y-%m-%d %H:%M} UTC  "
            f"{incident.topic}: {incident.kind} ({incident.metric} {incident.direction})"
        )
    matched = {(seen.topic, seen.number) for seen in matches if seen}
    lines.append(f"episodes beside them: {len(found) - len(matched)}")
    return "\n".join(lines)


def run(options: PipelineOptions) -> int:
    began = time.monotonic()
    out = Path(options.view_as(DemoOptions).out)
    given = options.view_as(InputOptions)
    sample = None if given.input else write_sample(out / "sample" / "posts.jsonl")
    if sample:
        given.input = [str(sample.posts_path)]
        options.view_as(TopicOptions).topics_file = str(sample.topics_path)
    settings = settings_of(options)
    planted = sample.incidents_path if sample else None
    with open_warehouse(start_over(out)) as warehouse:
        report = backfill(
            ReadingOptions(
                given.input, columns_of(given.columns), how_of(given), selection_of(options)
            ),
            settings,
            warehouse,
            slice_posts=options.view_as(BackfillOptions).slice_posts,
        )
        if not report["posts_kept"]:
            print(f"\nrows\n{report.text()}\n\nno post was kept: there is no page to look at")
            return NOTHING_KEPT
        forecast(warehouse, processes=cores())
        page = write_page(
            warehouse, out / "index.html", sample=sample is not None, incidents=planted
        )
        found = incidents(read_records(warehouse, "latest_anomalies", Anomaly))
        print(f"\nrows\n{report.text()}\n\nin {warehouse.uri}\n{summary(warehouse, found)}")
    if planted:
        print(f"\n{planted_summary(read_planted(planted), found)}")
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
        (DemoOptions, InputOptions, TopicOptions, ModelOptions, BackfillOptions),
        arguments,
    )
    return reporting_errors(lambda: run(options))
