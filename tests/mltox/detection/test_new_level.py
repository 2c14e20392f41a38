"""What is a new level, and what only a surge."""

from __future__ import annotations

import pytest

from mltox.detection.new_level import LEAST_LEVEL_HOURS, level_since
from mltox.detection.windows import Reading


def hours(*values: float) -> list[Reading]:
    return [Reading(i, value, 1.0, 50.0, 2500.0, 0.0, 50.0, 0.0) for i, value in enumerate(values)]


FLAT = [50.0] * 12


@pytest.mark.parametrize(("level", "sign"), [(75.0, 1), (33.0, -1), (60.0, 1)])
def test_a_shift_that_stays_is_one_since_its_first_hour(level: float, sign: int) -> None:
    assert level_since(hours(*FLAT, *[level] * LEAST_LEVEL_HOURS), sign) == 12
    assert level_since(hours(*FLAT, *[level] * LEAST_LEVEL_HOURS), -sign) is None


def test_it_has_to_last() -> None:
    assert level_since(hours(*FLAT, *[75.0] * (LEAST_LEVEL_HOURS - 1)), 1) is None


def test_a_surge_that_ebbs_away_is_none() -> None:
    assert level_since(hours(*FLAT, 300, 260, 200, 150, 110, 90, 70, 60, 55), 1) is None


def test_a_surge_that_is_over_is_none() -> None:
    assert level_since(hours(*FLAT, *[100.0] * 6, *[50.0] * 6), 1) is None


def test_a_shift_of_noise_is_found_near_where_it_began() -> None:
    since = level_since(hours(*FLAT, 70, 81, 66, 90, 74, 79, 83, 69, 77), 1)
    assert since == 12
