"""Probabilities that mean what they say: Platt scaling of each label on the held-out texts."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from model_export.classifier import MeanPooledClassifier
from model_export.fit import Encoded, all_logits_of, wide_logits_of

_LEAST_POSITIVE = 20


def platt(
    logits: NDArray[np.float64],
    truth: NDArray[np.float32],
    offset: NDArray[np.float64] | None = None,
) -> tuple[float, float]:
    """(scale, shift) of least log loss for one label; `truth` in [0, 1], texts of -1 are left out.

    `offset` is added to the scaled logits. Returns (1, 0) where fewer than 20 texts of either kind
    are known. The scale stays positive, so that the order of texts does not change (Platt 1999; Guo
    et al. 2017 for the plain scale).
    """
    known = truth >= 0
    positive = float((truth[known] >= 0.5).sum())
    if min(positive, known.sum() - positive) < _LEAST_POSITIVE:
        return 1.0, 0.0
    x, y = torch.from_numpy(logits[known]), torch.from_numpy(truth[known].astype(np.float64))
    added = torch.zeros_like(x) if offset is None else torch.from_numpy(offset[known])
    log_scale = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    shift = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_scale, shift], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = binary_cross_entropy_with_logits(x * log_scale.exp() + shift + added, y)
        loss.backward()
        return loss

    optimiser.step(closure)
    return log_scale.exp().item(), shift.item()


def calibrate_head(model: MeanPooledClassifier, held_out: Encoded) -> list[tuple[float, float]]:
    """Folds the scaling of each label into the model, and returns that of the whole network.

    Each exit is scaled by itself, so that its probabilities mean what the last ones do; what the
    wide branch adds is the same for all.
    """
    labels = range(held_out.labels.shape[1])
    last = all_logits_of(model, held_out.ids)[-1]
    scalings = [platt(last[:, label], held_out.labels[:, label]) for label in labels]
    for label, (scale, shift) in enumerate(scalings):
        model.rescale(label, scale, shift)
    wide = wide_logits_of(model, held_out.ids)
    for head, logits in zip(model.heads, all_logits_of(model, held_out.ids)[:-1], strict=False):
        for label in labels:
            own = logits[:, label] - wide[:, label]
            scale, shift = platt(own, held_out.labels[:, label], wide[:, label])
            with torch.no_grad():
                head.weight[label] *= scale
                head.bias[label] = head.bias[label] * scale + shift
    return scalings
