"""Figures against tables worked out by hand."""

import numpy as np
import pytest

from model_export.metrics import (
    at_threshold,
    best_threshold,
    calibration_error,
    measured,
    power_mean,
    reliability,
    subgroup_auc,
)

TRUTH = np.array([0, 0, 0, 0, 1, 1, 1, 1], dtype=bool)
SCORES = np.array([0.05, 0.15, 0.35, 0.75, 0.45, 0.65, 0.85, 0.95])


def test_one_label_on_one_set() -> None:
    row = measured("toxicity", TRUTH, SCORES)
    assert row is not None
    assert (row.texts, row.positive) == (8, 4)
    assert row.auc == 14 / 16  # 0.75 stands above 0.45 and 0.65
    assert row.average_precision == pytest.approx((1 + 1 + 3 / 4 + 4 / 5) / 4)


def test_one_class_alone_has_no_figures() -> None:
    assert measured("threat", np.zeros(3, bool), np.array([0.1, 0.2, 0.3])) is None
    assert measured("threat", TRUTH, np.full(8, np.nan)) is None


def test_reliability_and_its_error() -> None:
    truth = np.array([0, 1, 1, 1], dtype=bool)
    scores = np.array([0.12, 0.18, 0.81, 0.89])
    low, high = reliability(truth, scores)
    assert (low.texts, low.observed) == (2, 0.5)
    assert low.predicted == pytest.approx(0.15)
    assert high.predicted == pytest.approx(0.85)
    assert calibration_error(truth, scores) == pytest.approx((2 * 0.35 + 2 * 0.15) / 4)


def test_a_threshold() -> None:
    row = at_threshold(TRUTH, SCORES, 0.5)
    assert (row.precision, row.recall, row.false_positive_rate) == (3 / 4, 3 / 4, 1 / 4)
    assert row.f1 == pytest.approx(3 / 4)
    assert best_threshold(TRUTH, SCORES) == 0.45


def test_bias_of_a_group() -> None:
    member = np.array([1, 1, 0, 0, 1, 1, 0, 0], dtype=bool)
    row = subgroup_auc("group", member, TRUTH, SCORES, least=2)
    assert row is not None
    assert (row.texts, row.positive) == (4, 2)
    assert row.subgroup_auc == 1.0  # 0.05, 0.15 against 0.45, 0.65
    assert row.bpsn_auc == 1.0  # clean members against toxic others
    assert row.bnsp_auc == 2 / 4  # clean others 0.35, 0.75 against toxic members 0.45, 0.65
    assert subgroup_auc("group", member, TRUTH, SCORES, least=3) is None


def test_the_power_mean_is_near_the_worst() -> None:
    assert power_mean([0.9, 0.9]) == pytest.approx(0.9)
    assert 0.5 < power_mean([0.5, 0.99, 0.99]) < 0.65
