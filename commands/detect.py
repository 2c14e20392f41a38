"""`mltox detect`: the anomalies of a series in a file."""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mltox.base.command_line import Parser
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
from mltox.detection.detectors import DETECTORS, JudgedRow, SeriesRow

COLUMNS = ("time", "value", "score", "expected", "lower", "upper", "direction", "detector")
TIME_NAMES = ("time", "timestamp", "hour", "date", "datetime", "ds")


class Series(NamedTuple):
    """Rows in order of time, and how many of the file's held no time or no number."""

    rows: list[SeriesRow]
    refused: int


def parser() -> argparse.ArgumentParser:
    arguments = Parser(
        prog="mltox detect",
        description="Finds the anomalies of a series.\n\n"
        "reads   a CSV with a header: a column of times (ISO 8601, or seconds since 1970; without\n"
        "        an offset they are UTC) and one of numbers, in any order\n"
        "writes  a CSV of the anomalous rows (standard output, or --out): "
        f"{', '.join(COLUMNS)}\n\n"
        "exit code 0; 2 with one line on what is wrong; 130 for Ctrl-C",
        epilog="examples:\n  mltox detect requests.csv --time-column when --value-column rps\n"
        "  mltox detect hourly.csv --detector seasonal --false-alarms-per-month 0.5",
    )
    arguments.add_argument("file", type=Path, help="the series; - reads standard input")
    arguments.add_argument("--time-column", help="default: the first that is called like one")
    arguments.add_argument("--value-column", help="default: the first other one")
    arguments.add_argument(
        "--detector",
        choices=sorted(DETECTORS),
        default="general",
        help="; ".join(f"{name}: {each.help}" for name, each in sorted(DETECTORS.items()))
        + " (default %(default)s)",
    )
    arguments.add_argument(
        "--false-alarms-per-month",
        type=float,
        default=1.0,
        help="what a normal series may give for nothing, for the detectors of hours"
        " (default %(default)g)",
    )
    arguments.add_argument("--threshold", type=float, help="score of an anomaly, for `general`")
    arguments.add_argument("--all", action="store_true", help="write every row with its score")
    arguments.add_argument("--out", type=Path, help="file to write")
    return arguments


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    return reporting_errors(lambda: run(options))


def run(options: argparse.Namespace) -> int:
    if not 0.0 < options.false_alarms_per_month < math.inf:
        raise UsageError("--false-alarms-per-month has to be greater than 0")
    series = read_series(options)
    detector = DETECTORS[options.detector].make(options.false_alarms_per_month, options.threshold)
    scored = [each for row in series.rows if (each := detector.score(row)) is not None]
    found = [each for each in scored if each.anomalous]
    shown = scored if options.all else found
    if options.out:
        with options.out.open("w", newline="", encoding="utf-8") as stream:
            write(shown, options.detector, stream)
    else:
        write(shown, options.detector, sys.stdout)
    refused = series.refused + detector.refused
    print(
        f"{len(series.rows):,} rows, {len(found):,} anomalous"
        + (f", {refused:,} refused (no time, or no number of this kind)" if refused else ""),
        file=sys.stderr,
    )
    return 0


def read_series(options: argparse.Namespace) -> Series:
    """The file's series. Raises UsageError where it is none."""
    if str(options.file) == "-":
        return series_of(sys.stdin, options.time_column, options.value_column)
    if not options.file.is_file():
        raise UsageError(f"there is no file {options.file}")
    try:
        with options.file.open(newline="", encoding="utf-8-sig") as stream:
            return series_of(stream, options.time_column, options.value_column)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{options.file} is no CSV in UTF-8 ({error})") from error


def series_of(lines: Iterable[str], time_column: str | None, value_column: str | None) -> Series:
    """The rows by time; of rows with one time the last counts."""
    table = csv.DictReader(lines)
    names = table.fieldnames or []
    time = time_column or next((name for name in names if name.lower() in TIME_NAMES), None)
    value = value_column or next((name for name in names if name != time), None)
    for name, option in ((time, "--time-column"), (value, "--value-column")):
        if name not in names:
            found = ", ".join(names) or "no header"
            raise UsageError(f"give {option}: the columns are {found}")
    assert time is not None
    assert value is not None
    rows: dict[float, SeriesRow] = {}
    refused = 0
    for line in table:
        row = _row(line.get(time), line.get(value))
        if row is None:
            refused += 1
        else:
            rows[row.seconds] = row
    return Series([rows[seconds] for seconds in sorted(rows)], refused)


def _row(time: str | None, value: str | None) -> SeriesRow | None:
    try:
        number = float(value or "")
        seconds = seconds_of_stamp((time or "").strip())
    except (ValueError, OverflowError):
        return None
    return SeriesRow(seconds, number) if math.isfinite(number) and math.isfinite(seconds) else None


def seconds_of_stamp(time: str) -> float:
    """
    >>> [seconds_of_stamp(t) for t in ("1970-01-01T01:00:00Z", "1970-01-01 02:00+01:00", "60")]
    [3600.0, 3600.0, 60.0]
    """
    try:
        return float(time)
    except ValueError:
        moment = datetime.fromisoformat(time)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def write(scored: Iterable[JudgedRow], detector: str, stream: object) -> None:
    table = csv.writer(stream)  # type: ignore[arg-type]
    table.writerow(COLUMNS)
    table.writerows(_fields(scored, detector))


def _fields(scored: Iterable[JudgedRow], detector: str) -> Iterator[list[str]]:
    for each in scored:
        moment = datetime.fromtimestamp(each.seconds, UTC).isoformat().replace("+00:00", "Z")
        band = ["" if x is None or math.isnan(x) else f"{x:.6g}" for x in each.band]
        yield [
            moment, f"{each.value:.10g}", f"{each.score:.4f}", *band, each.direction,
            each.detector or detector,
        ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
