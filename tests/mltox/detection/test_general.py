"""The detector for any series: what it hears, what it lets pass, what it never sees."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mltox.detection.general import THRESHOLD, GeneralDetector, Surprise


def scores(values: np.ndarray, detector: GeneralDetector | None = None) -> list[float]:
    detector = detector or GeneralDetector()
    return [detector.update(300 * n, float(value)) for n, value in enumerate(values)]


def series(length: int = 3000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 10 + 3 * np.sin(2 * np.pi * np.arange(length) / 288) + rng.normal(0, 0.5, length)


def test_normal_rows_score_below_the_threshold() -> None:
    found = [n for n, score in enumerate(scores(series())) if score >= THRESHOLD and n > 450]
    assert len(found) <= 2


@pytest.mark.parametrize("size", [15.0, -15.0])
def test_a_spike_is_heard_at_once(size: float) -> None:
    values = series()
    values[2000] += size
    told = scores(values)
    assert told[2000] >= THRESHOLD
    assert told[2000] == max(told[450:])


def test_a_change_of_scatter_is_heard() -> None:
    values = series()
    values[2000:2040] = values[2000]
    assert max(scores(values)[2000:2060]) >= THRESHOLD


def test_what_was_told_is_not_told_again_until_it_fades() -> None:
    values = series()
    values[2000:2030] += 15.0
    told = scores(values)
    assert sum(score > 0 for score in told[2003:2030]) <= 2


def test_nothing_is_known_of_the_future() -> None:
    values = series()
    assert scores(values[:1500]) == scores(values)[:1500]


def test_scale_and_offset_of_the_series_do_not_matter() -> None:
    values = series(1200)
    assert scores(values * 1024.0) == pytest.approx(scores(values), abs=1e-6)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_teaches_nothing(value: float) -> None:
    detector, clean = GeneralDetector(), GeneralDetector()
    scores(series(500), detector)
    scores(series(500), clean)
    assert detector.update(150_000, value) == 0.0
    assert detector.refused == 1
    assert detector.update(150_300, 40.0) == clean.update(150_300, 40.0)


def test_a_flat_line_is_silent_and_a_step_from_it_is_not() -> None:
    told = scores(np.array([5.0] * 1000 + [6.0]))
    assert max(told[:1000]) == 0.0
    assert told[1000] >= THRESHOLD


def test_a_surprise_is_the_rank_among_those_before() -> None:
    surprise = Surprise()
    for n in range(99):
        surprise.update(float(n % 10))
    # the median is 4 or 5; a distance of 5 is the greatest, and 9 or 10 of 99 are as great
    assert 0.8 < surprise.update(10.0) < 2.5
