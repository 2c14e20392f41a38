"""The same text in another spelling: how far its score moves, and whether it is still caught."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from model_export.perturb import CHANGES


class Robustness(NamedTuple):
    change: str
    auc: float
    still_caught: float
    """Of the toxic texts that are flagged as written, the share that is flagged respelled."""
    falsely_caught: float
    """Of the clean texts that pass as written, the share that is flagged respelled."""
    moved: float
    """Mean change of the probability."""


def robustness(
    texts: Sequence[str],
    truth: NDArray[np.bool_],
    toxicity: Callable[[Sequence[str]], NDArray[np.float64]],
    threshold: float,
) -> list[Robustness]:
    """A row for each change of `perturb.CHANGES`, the unchanged texts first."""
    as_written = toxicity(texts)
    flagged = as_written >= threshold
    rows = []
    for name in ("as written", *CHANGES):
        generator = random.Random(name)
        changed = [CHANGES[name](t, generator) for t in texts] if name in CHANGES else list(texts)
        scores = toxicity(changed)
        again = scores >= threshold
        rows.append(
            Robustness(
                name,
                float(roc_auc_score(truth, scores)),
                float(again[flagged & truth].mean()),
                float(again[~flagged & ~truth].mean()),
                float(np.abs(scores - as_written).mean()),
            )
        )
    return rows
