"""Figures of quality from truth and scores. No model in here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

RELIABILITY_BINS = 10
REPORTED_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

Truth = NDArray[np.bool_]
Predictions = NDArray[np.float64]


class Measured(NamedTuple):
    """How one label did on one set. `ece` is the expected calibration error over ten bins."""

    label: str
    texts: int
    positive: int
    auc: float
    average_precision: float
    ece: float


def measured(label: str, truth: Truth, scores: Predictions) -> Measured | None:
    """None where only one class is there, or the model has no such label."""
    if not 0 < truth.sum() < len(truth) or np.isnan(scores).any():
        return None
    return Measured(
        label,
        len(truth),
        int(truth.sum()),
        float(roc_auc_score(truth, scores)),
        float(average_precision_score(truth, scores)),
        calibration_error(truth, scores),
    )


def calibration_error(truth: Truth, scores: Predictions) -> float:
    """Expected calibration error over equal-width bins (Naeini et al. 2015)."""
    return float(
        sum(abs(row.observed - row.predicted) * row.texts for row in reliability(truth, scores))
        / max(1, len(truth))
    )


class Bin(NamedTuple):
    """A bar of the reliability diagram."""

    texts: int
    predicted: float
    observed: float


def reliability(truth: Truth, scores: Predictions) -> list[Bin]:
    """Mean score and share of positives in ten bins of equal width; empty bins are left out."""
    bins = np.minimum((scores * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    return [
        Bin(int(inside.sum()), float(scores[inside].mean()), float(truth[inside].mean()))
        for inside in (bins == number for number in range(RELIABILITY_BINS))
        if inside.any()
    ]


class AtThreshold(NamedTuple):
    threshold: float
    precision: float
    recall: float
    f1: float
    false_positive_rate: float


def at_threshold(truth: Truth, scores: Predictions, threshold: float) -> AtThreshold:
    flagged = scores >= threshold
    hits, flags = float((flagged & truth).sum()), float(flagged.sum())
    precision, recall = hits / max(1.0, flags), hits / max(1.0, float(truth.sum()))
    return AtThreshold(
        threshold,
        precision,
        recall,
        2 * precision * recall / max(1e-12, precision + recall),
        (flags - hits) / max(1.0, float((~truth).sum())),
    )


def best_threshold(truth: Truth, scores: Predictions) -> float:
    """The threshold of the greatest F1, rounded to 0.01."""
    precision, recall, thresholds = precision_recall_curve(truth, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(np.clip(round(float(thresholds[int(f1[:-1].argmax())]), 2), 0.01, 0.99))


class SubgroupAuc(NamedTuple):
    """Bias of one identity term (Borkan et al. 2019, Nuanced Metrics; arXiv:1903.04561)."""

    subgroup: str
    texts: int
    positive: int
    subgroup_auc: float
    bpsn_auc: float
    """Toxic texts of the background against clean ones of the subgroup: low if the mention of the
    group alone raises scores."""
    bnsp_auc: float
    """Clean texts of the background against toxic ones of the subgroup: low if the mention of the
    group lowers scores."""


def subgroup_auc(
    subgroup: str, member: Truth, truth: Truth, scores: Predictions, least: int = 10
) -> SubgroupAuc | None:
    """None where fewer than `least` toxic or clean texts mention the group."""
    if min((member & truth).sum(), (member & ~truth).sum()) < least:
        return None

    def auc(chosen: Truth) -> float:
        return float(roc_auc_score(truth[chosen], scores[chosen]))

    return SubgroupAuc(
        subgroup,
        int(member.sum()),
        int((member & truth).sum()),
        auc(member),
        auc((member & ~truth) | (~member & truth)),
        auc((member & truth) | (~member & ~truth)),
    )


def power_mean(values: Sequence[float], power: float = -5) -> float:
    """The generalised mean of the Jigsaw 2019 metric: near the worst of the values."""
    return float(np.mean(np.asarray(values) ** power) ** (1 / power))
