"""`mltox evaluate`: what a bundle gets right on labelled texts that it was not trained on."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from tqdm import tqdm

from model_export import contrast
from model_export.data import (
    TRAINED_LABELS,
    DataError,
    Example,
    read_table,
    read_training_data,
    split_validation,
)
from model_export.model_card import model_card
from model_export.train import VALIDATION_SHARE
from pipelines.toxicity import DEFAULT_BUNDLE, BundleError, Scorer
from pipelines.toxicity.bundle import DOCUMENT

CHUNK = 512
BINS = 10

EVALUATION_ONLY: dict[str, tuple[str, str, Callable[[dict[str, str]], bool]]] = {
    "incivility": (
        "incivility_training-data.csv.gz",
        "text",
        lambda row: row["uncivil"] in ("1", "yes"),
    ),
    "olid": ("olid_train_3level.csv.gz", "tweet", lambda row: row["subtask_a"] == "OFF"),
    "ethos": ("ethos_binary.csv.gz", "comment", lambda row: float(row["isHate"]) >= 0.5),
    "tweeteval_hate": ("tweeteval_hate_val.csv.gz", "text", lambda row: row["label"] == "1"),
}
"""Sets under GPL or no licence: file, column of the text, whether a row is toxic."""
LARGEST_SET = 3_000


class Measured(NamedTuple):
    """How one label did on one set. `ece` is the expected calibration error over ten bins."""

    label: str
    texts: int
    positive: int
    auc: float
    average_precision: float
    ece: float


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(
        prog="mltox evaluate",
        description="Measures a bundle.\n\n"
        "reads   a bundle; labelled texts as for `mltox train`, of which the part held out there\n"
        "        is used, and from the same folder sets that are for evaluation only\n"
        "writes  a table; with --json the figures, with --card the model card; with --record the\n"
        "        figures and the best threshold into the bundle's document",
        epilog="example:\n  mltox evaluate bundles/mine --data labelled/ --card model-card.md",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.add_argument("bundle", nargs="?", default=str(DEFAULT_BUNDLE), help="folder; default:"
                           " the one that ships")  # fmt: skip
    arguments.add_argument("--data", type=Path, required=True, help="CSV or folder")
    arguments.add_argument("--json", type=Path, help="file for the figures")
    arguments.add_argument("--card", type=Path, help="file for the model card (Markdown)")
    arguments.add_argument("--record", action="store_true", help="store figures and threshold")
    return arguments


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        scorer = Scorer(options.bundle)
        figures = evaluate(scorer, options.data)
    except (BundleError, DataError) as error:
        print(f"mltox evaluate: {error}", file=sys.stderr)
        return 2
    document = dict(scorer.bundle.document)
    if options.record:
        document |= {"threshold": figures["threshold"]["threshold"], "metrics": figures}
        path = scorer.bundle.folder / DOCUMENT
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    card = model_card(document | {"metrics": figures}, scorer.model)
    print(card)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.card:
        options.card.write_text(card, encoding="utf-8")
    return 0


def evaluate(scorer: Scorer, data: Path) -> dict[str, Any]:
    """All figures as JSON values. Raises DataError."""
    _, held_out = split_validation(read_training_data(data), VALIDATION_SHARE)
    figures: dict[str, Any] = {"held_out": {}, "evaluation_only": {}}
    for source in sorted({example.source for example in held_out}):
        examples = [example for example in held_out if example.source == source]
        figures["held_out"][source] = [m._asdict() for m in measure(scorer, examples, source)]
    threshold_set = [example for example in held_out if example.source != "contrast"]
    figures["threshold"] = best_threshold(
        *known(scored(scorer, [e.text for e in threshold_set], "threshold"), threshold_set, 0)
    )
    figures["functional"] = functional(scorer, figures["threshold"]["threshold"])
    for name, (file, column, is_toxic) in EVALUATION_ONLY.items():
        if data.is_dir() and (data / file).exists():
            rows = list(read_table(data / file))
            rows = rows[:: max(1, len(rows) // LARGEST_SET)]
            unknown = (-1.0,) * (len(TRAINED_LABELS) - 1)
            examples = [Example(r[column], (float(is_toxic(r)), *unknown), name) for r in rows]
            figures["evaluation_only"][name] = [
                m._asdict() for m in measure(scorer, examples, name)
            ]
    return figures


def scored(scorer: Scorer, texts: Sequence[str], what: str) -> NDArray[np.float64]:
    """Probabilities, texts × TRAINED_LABELS. All texts count as English, which the sets are."""
    rows = []
    for start in tqdm(range(0, len(texts), CHUNK), desc=what, unit="batch", disable=None):
        chunk = texts[start : start + CHUNK]
        rows += [
            scores[: len(TRAINED_LABELS)] for scores in scorer.score(chunk, ["en"] * len(chunk))
        ]
    return np.asarray(rows, dtype=float)


def known(
    scores: NDArray[np.float64], examples: Sequence[Example], label: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """(truth, scores) of the examples whose label is known. A label from 0.5 up is positive."""
    truth = np.asarray([example.labels[label] for example in examples])
    return truth[truth >= 0] >= 0.5, scores[truth >= 0, label]


def measure(scorer: Scorer, examples: Sequence[Example], what: str) -> list[Measured]:
    """A row for each label of which both kinds are there."""
    scores = scored(scorer, [example.text for example in examples], what)
    measured = []
    for index, label in enumerate(TRAINED_LABELS):
        truth, of_label = known(scores, examples, index)
        if 0 < truth.sum() < len(truth) and not np.isnan(of_label).any():
            measured.append(
                Measured(
                    label,
                    len(truth),
                    int(truth.sum()),
                    float(roc_auc_score(truth, of_label)),
                    float(average_precision_score(truth, of_label)),
                    calibration_error(truth, of_label),
                )
            )
    return measured


def calibration_error(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Expected calibration error over equal-width bins (Naeini et al. 2015)."""
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    apart = [
        abs(truth[bins == number].mean() - scores[bins == number].mean()) * (bins == number).mean()
        for number in range(BINS)
        if (bins == number).any()
    ]
    return float(sum(apart))


def best_threshold(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, float]:
    """The threshold of the greatest F1, rounded to 0.01, with its precision and recall."""
    precision, recall, thresholds = precision_recall_curve(truth, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    threshold = float(np.clip(round(float(thresholds[int(f1[:-1].argmax())]), 2), 0.01, 0.99))
    flagged = scores >= threshold
    hits = float((flagged & truth).sum())
    return {
        "threshold": threshold,
        "precision": hits / max(1.0, float(flagged.sum())),
        "recall": hits / max(1.0, float(truth.sum())),
    }


def functional(scorer: Scorer, threshold: float) -> dict[str, dict[str, float]]:
    """Accuracy by functionality on the contrast templates that training never saw."""
    cases = contrast.compose(2_000, seed=11, held_out=True)
    scores = scored(scorer, [case.text for _, case in cases], "functional")[:, 0]
    right: dict[str, list[bool]] = {}
    for (functionality, case), score in zip(cases, scores, strict=True):
        right.setdefault(functionality, []).append((score >= threshold) == (case.labels[0] >= 0.5))
    return {
        name: {"cases": len(hits), "accuracy": float(np.mean(hits))}
        for name, hits in sorted(right.items())
    }


if __name__ == "__main__":
    raise SystemExit(main())
