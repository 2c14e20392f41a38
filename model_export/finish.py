"""What is done to a network that has learned: calibration, and what may be settled early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from model_export.calibrate import calibrate_head
from model_export.classifier import MeanPooledClassifier
from model_export.examples import LabelledText
from model_export.fit import all_logits_of, encode_examples
from model_export.parity import sigmoid
from model_export.readers import asks_for_toxicity
from model_export.settle import thresholds


def finished(
    model: MeanPooledClassifier, held_out: Sequence[LabelledText], tokenizer: Tokenizer
) -> dict[str, Any]:
    """Calibrates the model in place; what `training.json` says of it.

    Only texts of sets that asked for toxicity count: the others would teach another threshold.
    """
    chosen = [example for example in held_out if asks_for_toxicity(example.source)]
    encoded = encode_examples(chosen, tokenizer)
    scalings = calibrate_head(model, encoded)
    facts: dict[str, Any] = {"platt": scalings}
    if model.exits:
        known = np.flatnonzero(encoded.labels[:, 0] >= 0)
        probabilities = sigmoid(all_logits_of(model, encoded.ids)[:, known, 0])
        facts["settled_below"] = thresholds(
            list(probabilities),
            encoded.labels[known, 0] >= 0.5,
            [chosen[index].source for index in known],
        )
    return facts
