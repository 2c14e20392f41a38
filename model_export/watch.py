"""How well a model does while it is being trained."""

from __future__ import annotations

from sklearn.metrics import roc_auc_score

from model_export.classifier import MeanPooledClassifier
from model_export.examples import TRAINED_LABELS
from model_export.fit import Encoded, logits_of

WATCHED = 1_500
"""Held-out texts that are scored after each pass, for the log."""


class Watch:
    """Prints and keeps the AUC of each label on some held-out texts after every pass."""

    def __init__(self, model: MeanPooledClassifier, held_out: Encoded) -> None:
        step = max(1, len(held_out.ids) // WATCHED)
        self._model = model
        self._held_out = Encoded(held_out.ids[::step], held_out.labels[::step])
        self.seen: list[dict[str, float]] = []

    def __call__(self, number: int) -> None:
        logits = logits_of(self._model, self._held_out.ids)
        found = {}
        for column, label in enumerate(TRAINED_LABELS):
            truth = self._held_out.labels[:, column]
            known = truth >= 0
            positive = truth[known] >= 0.5
            if 0 < positive.sum() < len(positive):
                found[label] = round(float(roc_auc_score(positive, logits[known, column])), 4)
        self.seen.append(found)
        print(f"\npass {number + 1}, AUC on {len(logits):,} held-out texts: {found}", flush=True)
