"""The model card (Mitchell et al. 2019), written from a bundle's document and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_HEAD = "| set | label | texts | positive | ROC AUC | average precision | calibration error |"
_RULE = "|---|---|---:|---:|---:|---:|---:|"


def model_card(document: Mapping[str, Any], model: str) -> str:
    """Markdown. `document` is a bundle's, with its `metrics`; `model` its name and hash."""
    metrics, training, parity = (document[key] for key in ("metrics", "training", "parity"))
    threshold = metrics["threshold"]
    sources = ", ".join(f"{name} {count:,}" for name, count in training.get("sources", {}).items())
    lines = [
        f"# Model card: {model}",
        "",
        "Made by `mltox evaluate --card`; change the model, not this page.",
        "",
        "## What it is",
        "",
        f"An encoder ({document['base_model']}) fine-tuned to the probability of "
        f"{', '.join(document['labels'])}. It reads the first {document['max_length']} word pieces "
        f"of a text in {', '.join(document['languages'])}; posts in other languages get no score. "
        "int8 with fixed activation ranges, so that a text's score depends on the text alone.",
        "",
        f"Licence of the weights: {document['licence']}.",
        "",
        "## What it is for, and not for",
        "",
        "For watching how the tone of many posts changes over time. Not for judging, removing or "
        "reporting single posts or persons: it errs on single texts, most of all on irony, "
        "reclaimed words, quotation and implied hate.",
        "",
        "## Training",
        "",
        f"{training.get('texts', 0):,} texts ({sources}), {training.get('steps', 0):,} steps of "
        f"{training.get('batch', 0)}, learning rate {training.get('learning_rate')} falling to 0, "
        f"seed {training.get('seed')}, {training.get('minutes')} minutes on two CPU cores. Jigsaw "
        "labels are CC0 (texts CC BY-SA 3.0), Davidson is MIT, Stormfront CC BY-SA 3.0, `contrast` "
        "are sentences composed by the project. Unknown labels are masked. Sets under GPL, NC or "
        "no licence were never trained on.",
        *untrained_lines(training.get("untrained_labels", [])),
        "",
        "## Held out from the training sets",
        "",
        "Split by groups of near-duplicates. The sets are richer in toxic texts than real traffic, "
        "so average precision and calibration do not carry over to it; AUC does better.",
        "",
        *_table(metrics["held_out"]),
        "",
        f"Threshold **{threshold['threshold']}** (greatest F1 for toxicity on the held-out texts): "
        f"precision {threshold['precision']:.3f}, recall {threshold['recall']:.3f}.",
        "",
        "## Sets for evaluation only",
        "",
        *_table(metrics["evaluation_only"]),
        "",
        "## Functional cases",
        "",
        "Sentences composed from templates that training did not see (other templates of the same "
        "kinds were trained on). Accuracy at the threshold.",
        "",
        "| functionality | cases | accuracy |",
        "|---|---:|---:|",
        *(
            f"| {name} | {row['cases']} | {row['accuracy']:.2f} |"
            for name, row in metrics["functional"].items()
        ),
        "",
        "## int8 against the source",
        "",
        f"On {parity['texts']:,} texts, all labels: mean difference {parity['int8_mean']:.4f}, "
        f"largest {parity['int8_largest']:.3f}; a text alone against the same text in a batch: "
        f"{parity['batch_largest']:.1g}. {parity['products_in_fp32']} matrix products stay in "
        "fp32.",
    ]
    return "\n".join(lines) + "\n"


def untrained_lines(labels: Sequence[str]) -> list[str]:
    if not labels:
        return []
    return ["", f"Not trained, and therefore without scores: {', '.join(labels)}."]


def _table(sets: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    return [
        _HEAD,
        _RULE,
        *(
            f"| {name} | {row['label']} | {row['texts']:,} | {row['positive']:,} "
            f"| {row['auc']:.4f} | {row['average_precision']:.3f} | {row['ece']:.3f} |"
            for name, rows in sets.items()
            for row in rows
        ),
    ]
