"""Bands out of the errors that a path made."""

from __future__ import annotations

import numpy as np
import pytest

from mltox.forecasting.bands import around
from mltox.forecasting.history import LEVELS


def test_bands_are_the_quantiles_of_the_errors_and_a_little_more() -> None:
    errors = np.random.default_rng(0).normal(size=(10, 168))
    bands = around(errors, blocks=6.0)
    # Student's t with 6 degrees of freedom over the normal: 1.12 at 90 %, 1.25 at 97.5 %.
    ratio = bands.coming[80] / np.quantile(errors, LEVELS)
    assert ratio[[1, 3]] == pytest.approx(1.12, abs=0.06)
    assert ratio[[0, 4]] == pytest.approx(1.25, abs=0.09)
    assert around(errors, blocks=1e9).coming[80, 3] < bands.coming[80, 3]


def test_an_origins_band_does_not_know_its_own_errors() -> None:
    errors = np.random.default_rng(0).normal(size=(6, 48))
    changed = errors.copy()
    changed[2] = np.sign(errors[2]) * np.abs(errors).mean() * 9
    before, after = around(errors, 4.0).past, around(changed, 4.0).past
    # The widths by lead are common to all; the shape of origin 2's band is the others'.
    shape = before[2] / before[2][:, 4:5]
    assert after[2] / after[2][:, 4:5] == pytest.approx(shape, abs=0.08)
    assert (after[3][:, 4] > before[3][:, 4]).all()


def test_bands_widen_with_the_lead_where_errors_do() -> None:
    rng = np.random.default_rng(1)
    errors = np.repeat([0.5, 0.5, 3.0, 3.0], 24) * rng.normal(size=(8, 96))
    found = around(errors, 8.0).coming
    assert 2.0 < found[95, 4] / found[0, 4] < 7.0


def test_no_errors_no_width() -> None:
    assert (around(np.zeros((4, 24)), 3.0).coming == 0).all()
    assert (around(np.full((4, 24), np.nan), 3.0).coming == 0).all()
