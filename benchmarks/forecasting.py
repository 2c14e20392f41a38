"""Forecasters against each other: MASE, pinball loss and coverage on series held out.

    python benchmarks/forecasting.py m4 m4_hourly_train.csv.gz --series 60
    python benchmarks/forecasting.py counts hourly_counts.csv.gz --origins 8

`m4`: a CSV with one series a row (the last 48 hours are held out). `counts`: a CSV with a column of
hours and a column of counts for each topic; each is forecast a week ahead from origins spread over
its second half. Prints a line for each method, and one for what `forecast_series` would have
published: its choice by backtest, with calibrated bands.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from mltox.forecasting.accuracy import coverage, mase, pinball, smape
from mltox.forecasting.backtest import forecast_all
from mltox.forecasting.forecast import LONGEST_HISTORY, METHODS, forecast_series
from mltox.forecasting.forecasters import History
from mltox.forecasting.scales import Floats, LogCounts
from mltox.posts.records import HOUR

FIGURES = ("mase", "smape", "pinball/naive", "coverage_80", "coverage_95")
PUBLISHED = "published"


class Task(NamedTuple):
    """A history, and what came after it."""

    name: str
    history: Floats
    observed: Floats


def m4_tasks(path: str, count: int) -> Iterator[Task]:
    """Evenly spread over the file, so that every kind of series is there."""
    frame = pd.read_csv(path)
    for row in np.unique(np.linspace(0, len(frame) - 1, count).astype(int)):
        values = frame.iloc[row, 1:].dropna().to_numpy(dtype=float)
        yield Task(str(frame.iloc[row, 0]), values[:-48], values[-48:])


def count_tasks(path: str, origins: int) -> Iterator[Task]:
    frame = pd.read_csv(path)
    for column in frame.columns[1:]:
        values = frame[column].to_numpy(dtype=float)
        for end in np.linspace(len(values) // 2, len(values) - 168, origins).astype(int):
            if values[end - 4 * 168 : end].sum() > 0:
                yield Task(f"{column}@{end}", values[:end], values[end : end + 168])


def quantiles_of(task: Task) -> dict[str, Floats]:
    """Quantiles (h, 5) on the series' own scale, by method."""
    horizon, scale = len(task.observed), LogCounts()
    recent = task.history[-LONGEST_HISTORY:]
    posts = np.ones(len(recent))
    history = History(0, scale.forward(recent, posts), posts)
    found = {
        name: scale.back(q, np.ones((horizon, 1)))
        for name, q in forecast_all(METHODS, history, horizon).items()
    }
    rows, _ = forecast_series(
        task.name,
        "posts",
        np.arange(len(recent)) * HOUR,
        recent,
        None,
        len(recent) * HOUR,
        horizon,
    )
    found[PUBLISHED] = np.array(
        [[r.lower_95, r.lower_80, r.expected, r.upper_80, r.upper_95] for r in rows]
    )
    return found


def figures_of(task: Task, quantiles: Floats, naive: Floats) -> tuple[float, ...]:
    return (
        mase(task.observed, quantiles[:, 2], task.history),
        smape(task.observed, quantiles[:, 2]),
        pinball(task.observed, quantiles) / max(pinball(task.observed, naive), 1e-9),
        coverage(task.observed, quantiles[:, 1], quantiles[:, 3]),
        coverage(task.observed, quantiles[:, 0], quantiles[:, 4]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("kind", choices=("m4", "counts"))
    parser.add_argument("path")
    parser.add_argument("--series", type=int, default=60, help="of M4's 414 series")
    parser.add_argument("--origins", type=int, default=8, help="origins for each column of counts")
    args = parser.parse_args()
    tasks = (
        m4_tasks(args.path, args.series)
        if args.kind == "m4"
        else count_tasks(args.path, args.origins)
    )
    table: dict[str, list[tuple[float, ...]]] = {}
    for task in tasks:
        found = quantiles_of(task)
        for name, quantiles in found.items():
            row = figures_of(task, quantiles, found["seasonal_naive"])
            table.setdefault(name, []).append(row)
    print(f"{len(table[PUBLISHED])} forecasts; mean (median) of " + ", ".join(FIGURES))
    for name, rows in table.items():
        figures = np.array(rows)
        means, medians = np.nanmean(figures, axis=0), np.nanmedian(figures, axis=0)
        cells = "  ".join(f"{a:.3f} ({b:.3f})" for a, b in zip(means, medians, strict=True))
        print(f"  {name:18s} {cells}", flush=True)


if __name__ == "__main__":
    main()
