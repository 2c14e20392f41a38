"""What the detector would have flagged in a history: the truth that `p_anomaly` is measured by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mltox.detection.detector import MEAN_TOXICITY, POSTS, TOXIC_SHARE, SeasonalDetector
from mltox.forecasting.history import History
from mltox.posts.records import HOUR

DETECTOR_SETTINGS = {"posts": POSTS, "mean_toxicity": MEAN_TOXICITY, "toxic_share": TOXIC_SHARE}


def flags(metric: str, history: History) -> NDArray[np.int64]:
    """Array (n,): 1 where the hour was flagged as too high, -1 as too low, else 0.

    The detector goes through the history as a live one would, with its warm-up, its least change
    and its least posts.
    """
    detector = SeasonalDetector(DETECTOR_SETTINGS[metric])
    result = np.zeros(len(history), dtype=np.int64)
    for step, (value, posts) in enumerate(
        zip(history.values.tolist(), history.posts.tolist(), strict=True)
    ):
        if np.isnan(value) or (metric != "posts" and posts <= 0):
            detector.skip()
            continue
        verdict = detector.observe(history.start + step * HOUR, value, posts)
        if verdict is not None and verdict.anomalous:
            result[step] = 1 if verdict.score > 0 else -1
    return result
