"""Series forecast beside each other, a process a core."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mltox.forecasting.adaptive import PastCoverage
from mltox.forecasting.forecast import forecast_series
from mltox.forecasting.outages import Gap
from mltox.forecasting.scales import Floats
from mltox.posts.records import Forecast, ForecastAccuracy, Micros

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""The matrices are small: threads of theirs would only wait for each other."""


class SeriesTask(NamedTuple):
    """The arguments of `forecast_series`."""

    topic: str
    metric: str
    hours: NDArray[np.int64]
    values: Floats
    weights: Floats
    run_at: Micros
    horizon: int
    gaps: tuple[Gap, ...]
    outcomes: tuple[PastCoverage, ...]


def forecast_task(task: SeriesTask) -> tuple[list[Forecast], list[ForecastAccuracy]]:
    """What `forecast_series` makes of it."""
    return forecast_series(
        task.topic,
        task.metric,
        task.hours,
        task.values,
        task.weights,
        task.run_at,
        task.horizon,
        gaps=task.gaps,
        outcomes=task.outcomes,
    )


def quiet_pool(processes: int) -> ProcessPoolExecutor:
    """Fresh processes with one thread each, that have begun.

    Spawned and not forked: a pipeline's process has threads that a fork would break.
    """
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
    with _environment(ONE_THREAD):
        for started in [pool.submit(os.getpid) for _ in range(processes)]:
            started.result()
    return pool


@contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
