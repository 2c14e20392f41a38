"""Bands learn from what became of published forecasts."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from mltox.forecasting.adaptive import PastCoverage, factors, miss_level


def test_the_level_by_hand() -> None:
    # 0.2 + 0.1 * (0.2 - 0.5) = 0.17, then + 0.1 * (0.2 - 0) = 0.19
    assert miss_level([0.5], 0.2) == pytest.approx(0.17)
    assert miss_level([0.5, 0.0], 0.2) == pytest.approx(0.19)


def test_bounds() -> None:
    assert miss_level([1.0] * 50, 0.2) == pytest.approx(0.04)
    assert miss_level([0.0] * 50, 0.2) == pytest.approx(0.4)


def test_no_runs_no_change() -> None:
    assert factors([]).tolist() == [1.0] * 5


def test_bands_that_failed_become_wide_and_vain_ones_narrow() -> None:
    failed = factors([PastCoverage(168, 0.5, 0.8)] * 4)
    assert failed[2] == 1.0
    assert (failed[[0, 1, 3, 4]] > 1.0).all()
    level = 0.2 - 4 * 0.1 * 0.3
    normal = NormalDist()
    expected = normal.inv_cdf(1 - level / 2) / normal.inv_cdf(0.9)
    assert failed[1] == failed[3] == pytest.approx(expected)
    assert (factors([PastCoverage(168, 1.0, 1.0)] * 4)[[1, 3]] < 1.0).all()


def test_in_the_long_run_the_bands_hold_what_they_say() -> None:
    """A series twice as wild as its backtest says: the nominal band would miss half of it."""
    rng = np.random.default_rng(0)
    outcomes: list[PastCoverage] = []
    for _ in range(60):
        by = factors(outcomes[-20:])
        errors = np.abs(1.9 * rng.normal(size=168))
        outcomes.append(
            PastCoverage(
                168,
                float((errors <= 1.2816 * by[3]).mean()),
                float((errors <= 1.96 * by[4]).mean()),
            )
        )
    assert np.mean([each.inside_80 for each in outcomes[:3]]) < 0.6
    assert np.mean([each.inside_80 for each in outcomes[-20:]]) == pytest.approx(0.75, abs=0.08)
