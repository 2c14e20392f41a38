"""`mltox evaluate`: what a bundle gets right on labelled texts that it was not trained on."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from mltox.base.command_line import Parser
from mltox.scoring import DEFAULT_BUNDLE, BundleError, Scorer
from mltox.scoring.bundle import DOCUMENT
from model_export import contrast, functional
from model_export.data import (
    VALIDATION_SHARE,
    DataError,
    read_table,
    read_training_data,
    split_validation,
)
from model_export.examples import TRAINED_LABELS, LabelledText
from model_export.footprint import footprint
from model_export.identities import SUBGROUPS, mentions
from model_export.metrics import (
    REPORTED_THRESHOLDS,
    Measured,
    at_threshold,
    best_threshold,
    measured,
    power_mean,
    reliability,
    subgroup_auc,
)
from model_export.model_card import model_card
from model_export.readers import asks_for_toxicity
from model_export.robustness import robustness

TEXTS_A_CHUNK = 512


class EvaluationSet(NamedTuple):
    """A file, the column of its text, whether a row is positive, and which rows belong to it."""

    file: str
    text: str
    positive: Callable[[dict[str, str]], bool]
    belongs: Callable[[dict[str, str]], bool] = lambda row: True


EVALUATION_ONLY = {
    "tweets to politicians": EvaluationSet(
        "incivility_training-data.csv.gz", "text", lambda row: row["uncivil"] in ("1", "yes")
    ),
    "tweets on black lives matter": EvaluationSet(
        "md_agreement_blm_covid.csv.gz",
        "text",
        lambda row: row["hard_label"] == "1",
        lambda row: row["domain"] == "BLM",
    ),
    "tweets on covid": EvaluationSet(
        "md_agreement_blm_covid.csv.gz",
        "text",
        lambda row: row["hard_label"] == "1",
        lambda row: row["domain"] == "Covid-19",
    ),
    "olid": EvaluationSet(
        "olid_train_3level.csv.gz", "tweet", lambda row: row["subtask_a"] == "OFF"
    ),
    "ethos": EvaluationSet(
        "ethos_binary.csv.gz", "comment", lambda row: float(row["isHate"]) >= 0.5
    ),
    "tweeteval_hate": EvaluationSet(
        "tweeteval_hate_val.csv.gz", "text", lambda row: row["label"] == "1"
    ),
    "context_toxicity": EvaluationSet(
        "context_toxicity_gn.csv.gz", "text", lambda row: row["label"] == "1"
    ),
    "insults to participants": EvaluationSet(
        "insults_timestamped.csv.gz", "Text", lambda row: row["oh_label"] == "1"
    ),
    "waseem": EvaluationSet("waseem_twitter.csv.gz", "Text", lambda row: row["oh_label"] == "1"),
}
"""Sets under GPL or no stated licence, or whose labels mean something else."""
LARGEST_SET = 3_000
RESPELLED = 1_000
WRONG_EACH = 2
"""Wrong cases of a functionality that are shown."""
TIMED = 2_000


def parser() -> argparse.ArgumentParser:
    arguments = Parser(
        prog="mltox evaluate",
        description="Measures a bundle.\n\n"
        "reads   a bundle; labelled texts as for `mltox train`, of which the part held out there\n"
        "        is used, and from the same folder sets that are for evaluation only\n"
        "writes  tables; with --json the figures, with --card the model card; with --record the\n"
        "        figures and the best threshold into the bundle's document",
        epilog="example:\n  mltox evaluate bundles/mine --data labelled/ --card model-card.md",
    )
    arguments.add_argument("bundle", nargs="?", default=str(DEFAULT_BUNDLE), help="folder; default:"
                           " the one that ships")  # fmt: skip
    arguments.add_argument("--data", type=Path, required=True, help="CSV or folder")
    arguments.add_argument("--json", type=Path, help="file for the figures")
    arguments.add_argument("--card", type=Path, help="file for the model card (Markdown)")
    arguments.add_argument(
        "--threshold", type=float, help="toxic from here; default: where F1 is greatest"
    )
    arguments.add_argument("--record", action="store_true", help="store figures and threshold")
    return arguments


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        scorer = Scorer(options.bundle)
        figures = evaluate(scorer, options.data, options.threshold)
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


class ScoredSet(NamedTuple):
    """Texts with the truth and the score of their toxicity."""

    texts: list[str]
    truth: NDArray[np.bool_]
    scores: NDArray[np.float64]


def evaluate(scorer: Scorer, data: Path, threshold: float | None = None) -> dict[str, Any]:
    """All figures as JSON values; those of verdicts at `threshold`, or else at that of the greatest
    F1. Raises DataError."""

    def toxicity(texts: Sequence[str]) -> NDArray[np.float64]:
        return probabilities(scorer, texts, "scoring")[:, 0]

    _, held_out = split_validation(read_training_data(data), VALIDATION_SHARE)
    asked = [example for example in held_out if asks_for_toxicity(example.source)]
    judged = scored_set(asked, toxicity)
    if threshold is None:
        threshold = best_threshold(judged.truth, judged.scores)
    cases = functional.functional(toxicity, threshold)
    respelled = slice(None, None, max(1, len(judged.texts) // RESPELLED))
    timed = judged.texts[:: max(1, len(judged.texts) // TIMED)]
    return {
        "held_out": {
            source: measure(scorer, [e for e in held_out if e.source == source], source)
            for source in sorted({example.source for example in held_out})
        },
        "evaluation_only": {
            name: measure(scorer, examples, name) for name, examples in evaluation_sets(data)
        },
        "threshold": at_threshold(judged.truth, judged.scores, threshold)._asdict(),
        "thresholds": [
            at_threshold(judged.truth, judged.scores, value)._asdict()
            for value in REPORTED_THRESHOLDS
        ],
        "reliability": [row._asdict() for row in reliability(judged.truth, judged.scores)],
        "subgroups": subgroups(judged, toxicity),
        "functional": {
            "accuracy": functional.overall(cases),
            "balanced": functional.balanced(cases),
            "kinds": [row._asdict() for row in cases],
        },
        "templates": held_out_templates(toxicity, threshold),
        "wrong": wrong(toxicity, threshold),
        "robustness": [
            row._asdict()
            for row in robustness(
                judged.texts[respelled], judged.truth[respelled], toxicity, threshold
            )
        ],
        "footprint": footprint(scorer.bundle.folder, timed)._asdict(),
    }


def probabilities(scorer: Scorer, texts: Sequence[str], what: str) -> NDArray[np.float64]:
    """Probabilities, texts × TRAINED_LABELS. All texts count as English, which the sets are."""
    rows = []
    for start in tqdm(range(0, len(texts), TEXTS_A_CHUNK), desc=what, unit="batch", disable=None):
        chunk = texts[start : start + TEXTS_A_CHUNK]
        rows += [
            scores[: len(TRAINED_LABELS)] for scores in scorer.score(chunk, ["en"] * len(chunk))
        ]
    return np.asarray(rows, dtype=float)


def scored_set(examples: Sequence[LabelledText], toxicity: functional.Toxicity) -> ScoredSet:
    """The examples whose toxicity is known. A label from 0.5 up is toxic."""
    known = [example for example in examples if example.labels[0] >= 0]
    texts = [example.text for example in known]
    truth = np.asarray([example.labels[0] >= 0.5 for example in known], dtype=bool)
    return ScoredSet(texts, truth, toxicity(texts))


def measure(scorer: Scorer, examples: Sequence[LabelledText], what: str) -> list[dict[str, Any]]:
    """A row for each label of which both kinds are there."""
    scores = probabilities(scorer, [example.text for example in examples], what)
    labels = np.asarray([example.labels for example in examples])
    rows: list[Measured | None] = []
    for column, label in enumerate(TRAINED_LABELS):
        known = labels[:, column] >= 0
        rows.append(measured(label, labels[known, column] >= 0.5, scores[known, column]))
    return [row._asdict() for row in rows if row is not None]


def evaluation_sets(data: Path) -> Iterator[tuple[str, list[LabelledText]]]:
    """The sets for evaluation only that are in the folder."""
    unknown = (-1.0,) * (len(TRAINED_LABELS) - 1)
    for name, known in EVALUATION_ONLY.items():
        if data.is_dir() and (data / known.file).exists():
            rows = [row for row in read_table(data / known.file) if known.belongs(row)]
            rows = rows[:: max(1, len(rows) // LARGEST_SET)]
            yield (
                name,
                [
                    LabelledText(row[known.text], (float(known.positive(row)), *unknown), name)
                    for row in rows
                ],
            )


def subgroups(judged: ScoredSet, toxicity: functional.Toxicity) -> dict[str, Any]:
    """Bias by mentioned group over the held-out texts and the held-out contrast cases."""
    composed = scored_set(
        [case for _, case in contrast.compose(3_000, seed=13, held_out=True)], toxicity
    )
    texts = judged.texts + composed.texts
    truth = np.concatenate([judged.truth, composed.truth])
    scores = np.concatenate([judged.scores, composed.scores])
    rows = [subgroup_auc(name, mentions(texts, name), truth, scores) for name in SUBGROUPS]
    found = [row._asdict() for row in rows if row is not None]
    means = {
        figure: power_mean([row[figure] for row in found])
        for figure in ("subgroup_auc", "bpsn_auc", "bnsp_auc")
        if found
    }
    return {"groups": found, "power_means": means, "auc": float(roc_auc_score(truth, scores))}


def wrong(toxicity: functional.Toxicity, threshold: float) -> list[dict[str, Any]]:
    """Of each functionality the cases of our own writing that are furthest on the wrong side."""
    rows = []
    for kind in functional.read_cases():
        scores = toxicity(kind.cases)
        side = scores - threshold if kind.toxic else threshold - scores
        for index in np.argsort(side)[:WRONG_EACH]:
            if (scores[index] >= threshold) != kind.toxic:
                rows.append(
                    {
                        "functionality": kind.functionality,
                        "text": kind.cases[index],
                        "toxic": kind.toxic,
                        "score": float(scores[index]),
                    }
                )
    return rows


def held_out_templates(toxicity: functional.Toxicity, threshold: float) -> list[dict[str, Any]]:
    """Accuracy by kind on the contrast templates that training never saw."""
    cases = contrast.compose(2_000, seed=11, held_out=True)
    scores = toxicity([case.text for _, case in cases])
    right: dict[str, list[bool]] = {}
    for (kind, case), score in zip(cases, scores, strict=True):
        right.setdefault(kind, []).append((score >= threshold) == (case.labels[0] >= 0.5))
    return [
        {"kind": kind, "cases": len(hits), "accuracy": float(np.mean(hits))}
        for kind, hits in sorted(right.items())
    ]


if __name__ == "__main__":
    raise SystemExit(main())
