"""`p_anomaly` is the chance of a flag, up or down."""

from __future__ import annotations

import numpy as np
import pytest

from mltox.forecasting.backtest import Backtest
from mltox.forecasting.chance import chances, line_of
from mltox.forecasting.flags import flags
from tests.mltox.forecasting.histories import counts, plain, waves

NORMAL = np.array([-1.959964, -1.281552, 0.0, 1.281552, 1.959964])


def test_the_line_is_passed_as_often_as_hours_were_flagged() -> None:
    z = np.random.default_rng(0).normal(size=1344)
    flagged = np.zeros(1344, dtype=np.int64)
    flagged[np.argsort(z)[-10:]] = 1
    flagged[np.argsort(z)[:3]] = -1
    line = line_of(plain(z), flagged)
    distance = z - line.profile[plain(z).phases(168)]
    assert (distance > line.above).sum() == 10
    assert (-distance > line.below).sum() == 3


def test_what_was_claimed_is_scaled_by_what_came() -> None:
    z = np.random.default_rng(0).normal(size=1344)
    history, flagged = plain(z), np.zeros(1344, dtype=np.int64)
    flagged[np.argsort(z)[-30:]] = 1
    said = np.tile(NORMAL, (1, 168, 1))
    observed = z[None, 1000:1168]
    honest = chances(history, Backtest((1000,), observed, {}, {}), said, said[0], flagged)
    assert honest.mean() == pytest.approx(30 / 1344, rel=0.8)
    boastful = chances(history, Backtest((1000,), observed, {}, {}), said * 4, said[0] * 4, flagged)
    assert boastful.mean() < 0.1


def test_both_directions_count() -> None:
    z = waves(1344, 0.2)
    history, none = plain(z), np.zeros(1344, dtype=np.int64)
    profile = line_of(history, none).profile[history.phases(168, 168)[1344:]]
    band = profile[:, None] + 0.2 * NORMAL
    test = Backtest((1000,), z[None, 1000:1168], {}, {})
    usual = chances(history, test, band[None], band, none)
    for shift in (3.0, -3.0):
        moved = chances(history, test, band[None], band + shift, none)
        assert moved.mean() > 10 * usual.mean()
    assert usual.max() < 0.05


def test_flags_are_the_detectors() -> None:
    rng = np.random.default_rng(0)
    posts = rng.poisson(30, 24 * 21).astype(float)
    posts[400:403] = 400
    found = flags("posts", counts(posts))
    assert (found[400:403] == 1).all()
    assert np.abs(found).sum() <= 8
