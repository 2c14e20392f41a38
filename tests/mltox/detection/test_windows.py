"""Windows are sums of the hours that they hold, and of no other."""

from __future__ import annotations

import pytest

from mltox.detection.families import CountFamily
from mltox.detection.windows import SLOW, SUDDEN, WINDOWS, Reading, Record

FAMILY = CountFamily()


def reading(hour: int, value: float, mean: float = 10.0, near: float = 10.0) -> Reading:
    return Reading(hour, *FAMILY.hour(value, value, mean, 0.0), near, 0.0)


def surprises(hours: list[Reading]) -> dict[tuple[str, int], float]:
    record = Record()
    for each in hours[:-1]:
        record.add(each)
    found = record.surprises(hours[-1], FAMILY, 1.0, 0.01, 0.0, 0.0)
    kinds = ["slow"] * len(SLOW) + ["sudden"] * len(SUDDEN)
    return dict(zip(zip(kinds, WINDOWS, strict=True), found, strict=True))


def alone(value: float, mean: float, square: float, between: float) -> float:
    return FAMILY.surprise(value, 1.0, mean, square, 0.0, 1.0, between, 0.0)


def test_a_window_pools_its_hours() -> None:
    found = surprises([reading(h, 10.0 + (h >= 28) * 6.0) for h in range(30)])
    assert found["slow", 1] == pytest.approx(alone(16, 10, 100, 0.01))
    assert found["slow", 4] == pytest.approx(alone(52, 40, 400, 0.01))
    assert found["sudden", 1] == pytest.approx(alone(16, 10, 0, 0.0))
    assert found["slow", 2] == max(found.values())


def test_hours_without_an_observation_make_no_window_reach_farther() -> None:
    found = surprises([reading(0, 99.0), reading(10, 10.0), reading(24, 10.0)])
    assert found["slow", 12] == pytest.approx(alone(10, 10, 100, 0.01))
    assert found["slow", 24] == pytest.approx(alone(20, 20, 200, 0.01))


def test_a_young_record_has_no_long_windows() -> None:
    found = surprises([reading(h, 20.0) for h in range(6)])
    assert found["slow", 8] > 0  # six of its eight hours are there
    assert found["slow", 12] == found["slow", 24] == 0.0


def test_a_gap_longer_than_a_day_leaves_the_hour_alone() -> None:
    found = surprises([reading(0, 99.0), reading(5000, 16.0)])
    assert set(found.values()) <= {found["slow", 1], found["sudden", 1]}


def test_bursty_hours_tell_less_when_pooled() -> None:
    record, now = Record(), reading(3, 20.0)
    for hour in range(3):
        record.add(reading(hour, 20.0))
    lone = record.surprises(now, FAMILY, 1.0, 0.1, 0.0, 0.0)
    bursty = record.surprises(now, FAMILY, 1.0, 0.0, 0.1, 0.0)
    assert bursty[0] == pytest.approx(lone[0])
    assert bursty[SLOW.index(4)] < lone[SLOW.index(4)]
