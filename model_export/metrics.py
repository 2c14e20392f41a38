"""Figures of merit, over known labels alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def roc_auc(truth: Floats, scores: Floats) -> float | None:
    """The probability that a positive scores above a negative, ties counting half.

    None unless both classes occur. `truth` is 0 or 1, both of shape (texts,).
    """
    positive = truth >= 0.5
    count, others = int(positive.sum()), int((~positive).sum())
    if not count or not others:
        return None
    _, inverse, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[inverse]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


def average_precision(truth: Floats, scores: Floats) -> float | None:
    """The mean precision over recall steps (no interpolation), tied scores taken together."""
    positive = truth >= 0.5
    if not positive.any() or positive.all():
        return None
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(positive[order])
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def calibration_error(truth: Floats, scores: Floats, bins: int = 15) -> float:
    """Expected calibration error: |mean score − share of positives|, averaged over bins of equal
    width, weighted by their size (Guo et al. 2017)."""
    cell = np.minimum((scores * bins).astype(int), bins - 1)
    sizes = np.bincount(cell, minlength=bins)
    gaps = np.abs(np.bincount(cell, scores, bins) - np.bincount(cell, truth, bins))
    return float(gaps.sum() / sizes.sum())


def at_threshold(truth: Floats, scores: Floats, threshold: float) -> Mapping[str, float]:
    """Precision, recall, F1, accuracy of `score >= threshold`, and the share it flags."""
    positive, flagged = truth >= 0.5, scores >= threshold
    hits = float((positive & flagged).sum())
    precision = hits / max(float(flagged.sum()), 1.0)
    recall = hits / max(float(positive.sum()), 1.0)
    return {
        "threshold": round(threshold, 4),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(precision + recall, 1e-12),
        "accuracy": float((positive == flagged).mean()),
        "flagged": float(flagged.mean()),
    }


def best_threshold(truth: Floats, scores: Floats) -> float:
    """The threshold of greatest F1, among hundredths."""
    choices = [number / 100 for number in range(5, 96)]
    return max(choices, key=lambda choice: at_threshold(truth, scores, choice)["f1"])
