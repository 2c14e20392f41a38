"""Probabilities that mean what they say: Platt scaling of each label on the held-out texts."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from model_export.classifier import MeanPooledClassifier

_LEAST_POSITIVE = 20


def platt(logits: NDArray[np.float64], truth: NDArray[np.float32]) -> tuple[float, float]:
    """(scale, shift) of least log loss for one label; `truth` in [0, 1], texts of -1 are left out.

    Returns (1, 0) where fewer than 20 texts of either kind are known. The scale stays positive, so
    that the order of texts does not change (Platt 1999; Guo et al. 2017 for the plain scale).
    """
    known = truth >= 0
    positive = float((truth[known] >= 0.5).sum())
    if min(positive, known.sum() - positive) < _LEAST_POSITIVE:
        return 1.0, 0.0
    x, y = torch.from_numpy(logits[known]), torch.from_numpy(truth[known].astype(np.float64))
    log_scale = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    shift = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_scale, shift], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = binary_cross_entropy_with_logits(x * log_scale.exp() + shift, y)
        loss.backward()
        return loss

    optimiser.step(closure)
    return log_scale.exp().item(), shift.item()


def calibrate_head(
    model: MeanPooledClassifier, logits: NDArray[np.float64], truth: NDArray[np.float32]
) -> list[tuple[float, float]]:
    """Folds the scaling of each label into the model, and returns it."""
    scalings = [platt(logits[:, label], truth[:, label]) for label in range(logits.shape[1])]
    for label, (scale, shift) in enumerate(scalings):
        model.rescale(label, scale, shift)
    return scalings
