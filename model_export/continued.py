"""Taking new labelled posts into an existing model without forgetting the old.

The old training data need not be there. Beside the new posts the network sees composed contrast
cases and respelled new posts, labelled with what the old model says of them, so that it is held to
its old answers wherever the new labels do not speak (learning without forgetting; Li & Hoiem 2016).
In the end the weights of the old and the new model are averaged (WiSE-FT; Wortsman et al. 2022), as
far toward the new as held-out rehearsal texts allow.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer

from mltox.scoring import load_bundle
from mltox.scoring.bundle import TOKENIZER
from model_export import contrast
from model_export.classifier import MeanPooledClassifier, save
from model_export.data import VALIDATION_SHARE, DataError, split_validation
from model_export.examples import TRAINED_LABELS, UNKNOWN, LabelledText
from model_export.fit import Encoded, FitSchedule, encode_examples, fit, logits_of
from model_export.parity import sigmoid
from model_export.restore import restore
from model_export.rounding import dither

REHEARSED = 12_000
FORGETTING = 0.02
"""How far the mean probability on rehearsal texts may move."""
CONTINUED_RATE = 5e-5
TOWARD_NEW = (1.0, 0.85, 0.7, 0.55, 0.4, 0.25, 0.1)


class ContinuedFigures(NamedTuple):
    """What `training.json` says of it. AUC of toxicity on held-out new posts, None if one-sided."""

    base_bundle: str
    new_texts: int
    auc_before: float | None
    auc_after: float | None
    moved: float
    """Mean change of the probabilities of the held-out rehearsal texts."""
    toward_new: float
    """Weight of the newly trained weights in the average."""


def continue_training(examples: Sequence[LabelledText], options: argparse.Namespace) -> float:
    """Trains and saves into `options.out`; returns the threshold, which stays the bundle's.

    Raises BundleError where the bundle was not made by `mltox train`, DataError where there is too
    little to learn from.
    """
    bundle = load_bundle(options.continue_from)
    labels = bundle.labels
    new, held_out = split_validation(_columns(examples, labels), VALIDATION_SHARE)
    if not new or not held_out:
        raise DataError(
            f"{options.data} has too few texts to learn from and to check ({len(examples)})"
        )
    model = restore(bundle)
    tokenizer_json = (bundle.folder / TOKENIZER).read_text(encoding="utf-8")
    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.enable_truncation(bundle.max_length)
    tokenizer.no_padding()

    rehearsed = [case for _, case in contrast.compose(min(REHEARSED, 2_000 + 3 * len(new)), 17)]
    checked = [case for _, case in contrast.compose(2_000, 19, held_out=True)]
    learned = answered(model, tokenizer, new) + answered(
        model, tokenizer, _unlabelled(rehearsed, len(labels))
    )
    new_ids, kept_ids = (
        encode_examples(held_out, tokenizer),
        encode_examples(checked, tokenizer).ids,
    )
    old_new, old_kept = logits_of(model, new_ids.ids), sigmoid(logits_of(model, kept_ids))
    dither(model, options.seed)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    print(f"{len(new):,} new texts and {len(rehearsed):,} rehearsed ones,"
          f" {len(held_out):,} held out", flush=True)  # fmt: skip
    rate = options.learning_rate or CONTINUED_RATE
    progress = fit(
        model,
        lambda number: encode_examples(learned, tokenizer),
        [len(learned)] * options.passes,
        FitSchedule(options.passes, options.batch, rate, options.seed, options.minutes),
        options.out,
        lambda number: None,
    )
    after = {name: value.clone() for name, value in model.state_dict().items()}
    for toward_new in TOWARD_NEW:
        model.load_state_dict({k: torch.lerp(before[k], after[k], toward_new) for k in before})
        moved = float(np.abs(sigmoid(logits_of(model, kept_ids)) - old_kept).mean())
        if moved <= FORGETTING:
            break
    save(model, tokenizer_json, labels, options.out)
    outcome = ContinuedFigures(
        f"{bundle.name}@{bundle.sha256[:12]}",
        len(new),
        _auc(old_new, new_ids),
        _auc(logits_of(model, new_ids.ids), new_ids),
        round(moved, 5),
        toward_new,
    )
    facts = dict(bundle.document.get("training", {}))
    facts |= {"max_length": bundle.max_length, "continued": outcome._asdict()}
    facts["continued"] |= {"steps": progress.step, "learning_rate": rate, "seed": options.seed}
    (options.out / "training.json").write_text(json.dumps(facts, indent=1))
    print(json.dumps(outcome._asdict(), indent=1))
    return bundle.threshold


def answered(
    model: MeanPooledClassifier, tokenizer: Tokenizer, examples: Sequence[LabelledText]
) -> list[LabelledText]:
    """The examples with every unknown label set to what the model says."""
    said = sigmoid(logits_of(model, encode_examples(examples, tokenizer).ids))
    return [
        example._replace(
            labels=tuple(
                float(own) if label == UNKNOWN else label
                for label, own in zip(example.labels, row, strict=True)
            )
        )
        for example, row in zip(examples, said, strict=True)
    ]


def _unlabelled(examples: Sequence[LabelledText], labels: int) -> list[LabelledText]:
    return [example._replace(labels=(UNKNOWN,) * labels) for example in examples]


def _columns(examples: Sequence[LabelledText], labels: Sequence[str]) -> list[LabelledText]:
    columns = [TRAINED_LABELS.index(label) for label in labels]
    return [
        example._replace(labels=tuple(example.labels[column] for column in columns))
        for example in examples
    ]


def _auc(logits: NDArray[np.float64], held_out: Encoded) -> float | None:
    truth = held_out.labels[:, 0]
    positive = truth[truth >= 0] >= 0.5
    if not 0 < positive.sum() < len(positive):
        return None
    return round(float(roc_auc_score(positive, logits[truth >= 0, 0])), 4)
