"""How far two scores of the same texts agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

THRESHOLDS = (0.5, 0.7, 0.8, 0.9)


def agreement(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """`pairs`, `mean_distance`, `rmse`, `bias` (ours less theirs), and at each threshold how many
    texts either flags (score ≥ threshold) and the Jaccard index of the two sets (None: both empty).
    """
    a, b = np.asarray(ours, float), np.asarray(theirs, float)
    at: dict[str, Any] = {}
    for threshold in THRESHOLDS:
        mine, other = a >= threshold, b >= threshold
        either = int((mine | other).sum())
        at[f"{threshold:g}"] = {
            "ours": int(mine.sum()),
            "theirs": int(other.sum()),
            "jaccard": round(int((mine & other).sum()) / either, 3) if either else None,
        }
    return {
        "pairs": len(a),
        "mean_distance": round(float(np.abs(a - b).mean()), 4),
        "rmse": round(float(np.sqrt(((a - b) ** 2).mean())), 4),
        "bias": round(float((a - b).mean()), 4),
        "at": at,
    }
