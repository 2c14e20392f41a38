"""No forecast that nobody should draw, and a reason beside its place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dashboards.foreseen import FORECAST_IS_OVER, NOT_RUN, foreseen
from dashboards.queries import PAGE_METRICS, Hour
from mltox.posts.records import HOUR, Forecast, Micros

HourOf = Callable[..., Hour]


def coming(start: int) -> list[Forecast]:
    return [
        Forecast("politics", metric, start * HOUR, at * HOUR, 1, 0, 2, 0, 3, "pool", None)
        for metric in PAGE_METRICS
        for at in range(start, start + 168)
    ]


@pytest.fixture
def month(hour: HourOf) -> list[Hour]:
    return [hour(at) for at in range(30 * 24)]


def test_a_month_of_hours_carries_a_forecast(month: list[Hour]) -> None:
    found = foreseen(coming(720), month, 720 * HOUR)
    assert len(found.rows) == 3 * 168
    assert found.why_not == {}


@pytest.mark.parametrize("hours", [2, 72])
def test_hours_or_days_do_not(hour: HourOf, hours: int) -> None:
    found = foreseen(coming(hours), [hour(at) for at in range(hours)], hours * HOUR)
    assert found.rows == []
    assert all(reason.startswith("no forecast yet: ") for reason in found.why_not.values())


def test_a_topic_that_has_ended_has_none_whatever_was_forecast(month: list[Hour]) -> None:
    now: Micros = (720 + 20 * 24) * HOUR
    found = foreseen(coming(720), month, now)
    assert "has ended" in found.why_not["posts"]
    assert found.rows == []


def test_one_that_is_over_is_not_drawn_and_one_that_was_not_made_is_told(
    month: list[Hour],
) -> None:
    assert set(foreseen(coming(300), month, 720 * HOUR).why_not.values()) == {FORECAST_IS_OVER}
    assert set(foreseen([], month, 720 * HOUR).why_not.values()) == {NOT_RUN}
    assert foreseen([], [], 0).why_not["posts"] == "no forecast yet: no hour with a value"
