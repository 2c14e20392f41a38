"""Was it right? What was said beside what came, by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mltox.posts.records import DAY, HOUR, Forecast
from mltox.warehouse import Warehouse
from tests.mltox.warehouse.examples import MONDAY, anomaly, forecast, hourly


@pytest.fixture(params=["duck", "big"])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    yield request.getfixturevalue(request.param)


def said(metric: str, ahead: int, expected: float, half: float, run_at: int = MONDAY) -> Forecast:
    """The 95 % band is twice as wide as the 80 % band."""
    return forecast(
        metric=metric,
        run_at=run_at,
        hour=run_at + ahead * HOUR,
        expected=expected,
        lower_80=expected - half,
        upper_80=expected + half,
        lower_95=expected - 2 * half,
        upper_95=expected + 2 * half,
        method="pool",
        p_anomaly=0.25,
    )


def found(warehouse: Warehouse, view: str, columns: str, order: str) -> list[tuple[object, ...]]:
    sql = f"SELECT {columns} FROM {warehouse.relation(view)} ORDER BY {order}"  # noqa: S608
    return [tuple(row.values()) for row in warehouse.query(sql).to_pylist()]


def test_each_hour_that_has_come_once(warehouse: Warehouse) -> None:
    warehouse.upsert(
        "forecasts",
        [
            *(said("posts", ahead, 10.0, 2.0) for ahead in range(4)),
            *(said("toxic_share", ahead, 0.1, 0.05) for ahead in range(4)),
        ],
    )
    warehouse.upsert(
        "hourly_toxicity",
        [
            hourly(hour=MONDAY, posts=13, toxic_share=0.1),
            hourly(hour=MONDAY + 2 * HOUR, posts=12, toxic_share=0.3),
        ],
    )
    warehouse.upsert(
        "anomalies", [anomaly(hour=MONDAY + 2 * HOUR, metric="toxic_share", direction="up")]
    )
    columns = "metric, hours_ahead, observed, absolute_error, inside_80, inside_95, flagged"
    rows = found(warehouse, "forecast_outcomes", columns, "metric, hour")
    # The hour without posts has 0 posts and no share; the fourth hour has not come.
    assert [row[:3] for row in rows] == [
        ("posts", 1, 13.0),
        ("posts", 2, 0.0),
        ("posts", 3, 12.0),
        ("toxic_share", 1, 0.1),
        ("toxic_share", 3, 0.3),
    ]
    assert [row[3] for row in rows] == pytest.approx([3.0, 10.0, 2.0, 0.0, 0.2])
    assert [row[4:] for row in rows] == [
        (False, True, False),
        (False, False, False),
        (True, True, False),
        (True, True, False),
        (False, False, True),
    ]


def test_scores_by_day_ahead(warehouse: Warehouse) -> None:
    warehouse.upsert("forecasts", [said("posts", ahead, 10.0, 2.0) for ahead in range(48)])
    warehouse.upsert(
        "hourly_toxicity",
        [hourly(hour=MONDAY + h * HOUR, posts=11 if h < 24 else 13) for h in range(48)],
    )
    columns = "method, day_ahead, hours, mean_absolute_error, coverage_80, coverage_95"
    assert found(warehouse, "forecast_scores", columns, "day_ahead") == [
        ("pool", 1, 24, 1.0, 1.0, 1.0),
        ("pool", 2, 24, 3.0, 0.0, 1.0),
    ]


def test_bands_that_failed_for_a_week_of_hours_are_marked(warehouse: Warehouse) -> None:
    runs = [MONDAY + day * DAY for day in range(8)]
    warehouse.upsert(
        "forecasts",
        [said("posts", ahead, 10.0, 2.0, run_at) for run_at in runs for ahead in range(24)],
    )
    warehouse.upsert(
        "hourly_toxicity",
        [hourly(hour=MONDAY + h * HOUR, posts=10 if h % 24 < 12 else 20) for h in range(8 * 24)],
    )
    rows = found(warehouse, "forecast_runs", "hours, coverage_80, bands_failed", "run_at")
    assert rows[0] == (24, 0.5, False)
    assert [row[2] for row in rows] == [False] * 6 + [True] * 2
