"""Below which probability of toxicity a text may be settled early without loss of order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

LOSS = 0.0005
"""Of the mean AUC over the sources, for all stages together."""
CANDIDATES = (0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1)


def thresholds(
    probabilities: Sequence[NDArray[np.float64]],
    truth: NDArray[np.bool_],
    sources: Sequence[str],
) -> list[float]:
    """One for each stage but the last: the largest of `CANDIDATES` that keep the mean AUC over the
    sources within `LOSS`, the share of `LOSS` growing from stage to stage.

    `probabilities` are those of toxicity behind each stage, for the same texts.
    """
    groups = [
        chosen
        for source in sorted(set(sources))
        if 0 < truth[chosen := np.asarray(sources) == source].sum() < chosen.sum()
    ]
    if not groups:
        return [0.0] * (len(probabilities) - 1)

    def auc(scores: NDArray[np.float64]) -> float:
        return float(np.mean([roc_auc_score(truth[g], scores[g]) for g in groups]))

    whole, found = auc(probabilities[-1]), list[float]()
    for number in range(1, len(probabilities)):
        allowed = LOSS * number / (len(probabilities) - 1)
        found.append(
            max(
                candidate
                for candidate in CANDIDATES
                if candidate == 0.0
                or whole - auc(settled(probabilities, [*found, candidate])) <= allowed
            )
        )
    return found


def settled(
    probabilities: Sequence[NDArray[np.float64]], below: Sequence[float]
) -> NDArray[np.float64]:
    """The probability of each text from the first stage that settles it."""
    scores = probabilities[-1].copy()
    for stage, limit in reversed(list(zip(probabilities, below, strict=False))):
        scores = np.where(stage < limit, stage, scores)
    return scores
