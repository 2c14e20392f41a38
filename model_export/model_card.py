"""The model card (Mitchell et al. 2019), written from a bundle's document and its figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mltox.scoring.normalise import MAX_CHARS
from model_export.readers import SETS


def model_card(document: Mapping[str, Any], model: str) -> str:
    """Markdown. `document` is a bundle's, with its `metrics`; `model` its name and hash."""
    metrics = document["metrics"]
    sections = [
        [
            f"# Model card: {model}",
            "Made by `mltox evaluate --card`; change the model, not this page.",
        ],
        _what_it_is(document),
        _training(document["training"]),
        _held_out(metrics),
        _evaluation_only(metrics),
        _functional(metrics),
        _wrong(metrics["wrong"]),
        _subgroups(metrics["subgroups"]),
        _robustness(metrics["robustness"]),
        _footprint(metrics["footprint"], document["parity"]),
    ]
    return (
        "\n\n".join(paragraph for section in sections for paragraph in section if paragraph) + "\n"
    )


def _what_it_is(document: Mapping[str, Any]) -> list[str]:
    return [
        "## What it is",
        f"An encoder ({document['base_model']}) fine-tuned to the probability of "
        f"{', '.join(document['labels'])}. It reads texts in {', '.join(document['languages'])}; "
        "posts in other languages get no score. What is longer than "
        f"{document['max_length']} word pieces is read in overlapping windows of "
        f"{document.get('window', document['max_length'])}; the worst of them counts, the less the "
        "more there are; "
        f"characters beyond {MAX_CHARS:,} are not read. {_stages(document)}"
        "int8 with fixed activation ranges, so that a text's score depends on the text alone. "
        f"Licence of the weights: {document['licence']}.",
        "## What it is for, and not for",
        "For watching how the tone of many posts changes over time. Not for judging, removing or "
        "reporting single posts or persons: it errs on single texts, most of all on irony, "
        "reclaimed words, quotation and implied hate. The tables below say how much.",
    ]


def _stages(document: Mapping[str, Any]) -> str:
    stages = document.get("stages", [])
    if len(stages) < 2:
        return ""
    limits = ", ".join(f"{stage['settled_below']:g}" for stage in stages[:-1])
    return (
        f"It works in {len(stages)} stages: a text whose probability of toxicity is below {limits} "
        "after a stage is settled there. "
    )


def _wrong(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        "## What it gets wrong",
        "Of the functional cases above (own writing, never trained on), the worst of each kind. "
        "They contain abuse.",
        _table(
            ("functionality", "text", "toxic", "probability"),
            (
                (row["functionality"], row["text"].replace("|", "/"),
                 "yes" if row["toxic"] else "no", f"{row['score']:.2f}")
                for row in rows
            ),
        ),
    ]  # fmt: skip


def _training(training: Mapping[str, Any]) -> list[str]:
    sources = ", ".join(f"{name} {count:,}" for name, count in training.get("sources", {}).items())
    untrained = training.get("untrained_labels", [])
    return [
        "## Training",
        f"{training.get('texts', 0):,} labelled texts ({sources}) and contrast cases composed from "
        f"{training.get('contrast_templates', 0):,} templates of the project's own writing. "
        f"{training.get('first_steps', 0):,} steps of {training.get('batch', 0)} on what people "
        f"labelled, then {training.get('steps', 0):,} steps in {training.get('passes')} passes "
        "that see half of it each beside the composed cases, learning rate "
        f"{training.get('learning_rate')} falling to 0, seed {training.get('seed')}, "
        f"{training.get('minutes')} minutes. Teacher of the second part: "
        f"{training.get('teacher') or 'none'}. One text in eight is respelled, one in eight is "
        "joined with clean sentences. Each label's probability is calibrated on the held-out texts "
        "(Platt) of the sets that asked for toxicity.",
        "Jigsaw 2018: labels CC0, texts CC BY-SA 3.0. "
        + " ".join(f"{name}: {known.licence}." for name, known in SETS.items())
        + " Texts of posts stay under the terms of the networks they were made on and are not part "
        "of this project. Unknown labels are masked; what sets that asked for hate say of toxicity "
        "counts less. Sets under GPL, NC or no licence were never trained on.",
        f"Not trained, and therefore without scores: {', '.join(untrained)}." if untrained else "",
        *_distilled(training.get("distilled")),
    ]


def _distilled(run: Mapping[str, Any] | None) -> list[str]:
    if run is None:
        return []
    return [
        f"That was the teacher ({run['teacher']}). The model of this card is its first "
        f"{run['layers']} layers, taught for {run['steps']:,} steps (learning rate "
        f"{run['learning_rate']}, seed {run['seed']}, {run['minutes']} minutes) to say what the "
        "teacher says.",
    ]


def _held_out(metrics: Mapping[str, Any]) -> list[str]:
    chosen = metrics["threshold"]
    return [
        "## Held out from the training sets",
        "Split by groups of near-duplicates. The sets are richer in toxic texts than real traffic, "
        "so average precision and calibration do not carry over to it; AUC does better.",
        _quality(metrics["held_out"]),
        f"Threshold **{chosen['threshold']}**: on the held-out texts of the sets that asked for "
        f"toxicity precision {chosen['precision']:.3f}, recall {chosen['recall']:.3f}. Others:",
        _table(
            ("threshold", "precision", "recall", "F1", "clean texts flagged"),
            (
                (row["threshold"], f"{row['precision']:.3f}", f"{row['recall']:.3f}",
                 f"{row['f1']:.3f}", f"{row['false_positive_rate']:.3f}")
                for row in metrics["thresholds"]
            ),
        ),
        "Reliability of the probability of toxicity, on the same texts:",
        _table(
            ("texts", "mean probability", "share toxic"),
            (
                (f"{row['texts']:,}", f"{row['predicted']:.3f}", f"{row['observed']:.3f}")
                for row in metrics["reliability"]
            ),
        ),
    ]  # fmt: skip


def _evaluation_only(metrics: Mapping[str, Any]) -> list[str]:
    if not metrics["evaluation_only"]:
        return []
    return [
        "## Sets for evaluation only",
        "Never trained on. Their authors asked other questions than ours (hate, sexism, "
        "incivility) and some labels are noisy.",
        _quality(metrics["evaluation_only"]),
    ]


def _functional(metrics: Mapping[str, Any]) -> list[str]:
    functional = metrics["functional"]
    return [
        "## Functional cases",
        "Sentences of our own that were written without sight of the training templates. Accuracy "
        f"of the verdict at the threshold: **{functional['accuracy']:.3f}** over all, "
        f"{functional['balanced']:.3f} as the mean over toxic and harmless cases.",
        _table(
            ("functionality", "toxic", "cases", "accuracy"),
            (
                (row["functionality"], "yes" if row["toxic"] else "no", row["cases"],
                 f"{row['accuracy']:.2f}")
                for row in functional["kinds"]
            ),
        ),
        "Templates held out from training, while others of the same kinds were trained on:",
        _table(
            ("kind", "cases", "accuracy"),
            ((row["kind"], row["cases"], f"{row['accuracy']:.2f}") for row in metrics["templates"]),
        ),
    ]  # fmt: skip


def _subgroups(subgroups: Mapping[str, Any]) -> list[str]:
    means = subgroups["power_means"]
    if not means:
        return []
    combined = (subgroups["auc"] + sum(means.values())) / 4
    return [
        "## Bias by mentioned group",
        "Borkan et al. 2019, on the held-out texts and held-out templates: AUC among texts that "
        "mention the group; BPSN (low: mentioning it raises scores); BNSP (low: it lowers "
        "them).",
        _table(
            ("group", "texts", "toxic", "subgroup AUC", "BPSN AUC", "BNSP AUC"),
            [
                *((row["subgroup"], f"{row['texts']:,}", f"{row['positive']:,}",
                   f"{row['subgroup_auc']:.3f}", f"{row['bpsn_auc']:.3f}", f"{row['bnsp_auc']:.3f}")
                  for row in subgroups["groups"]),
                ("power mean (-5)", "", "", *(f"{value:.3f}" for value in means.values())),
            ],
        ),
        "The metric of the Jigsaw 2019 challenge (the mean of these three and of the AUC over all, "
        f"{subgroups['auc']:.3f}) is **{combined:.3f}**. Detoxify's `unbiased` (Hanu 2020) gives "
        "0.936 for itself by the same formula, on the test set of that challenge: other texts and "
        "other groups, so the two say that the size is alike and not which is better. It publishes "
        "no figure for a single group.",
    ]  # fmt: skip


def _robustness(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        "## The same texts respelled",
        "Held-out texts of all sets. Caught: of the toxic texts flagged as written; falsely: "
        "of the clean texts not flagged as written; moved: mean change of the probability.",
        _table(
            ("change", "AUC", "still caught", "falsely caught", "moved"),
            (
                (row["change"], f"{row['auc']:.4f}", f"{row['still_caught']:.2f}",
                 f"{row['falsely_caught']:.3f}", f"{row['moved']:.3f}")
                for row in rows
            ),
        ),
    ]  # fmt: skip


def _footprint(footprint: Mapping[str, Any], parity: Mapping[str, Any]) -> list[str]:
    return [
        "## Speed, size, int8",
        f"{footprint['texts_per_second']:,.0f} of the held-out texts a second with tokenising "
        f"on the machine that wrote this card; {footprint['peak_mb']:.0f} MB peak memory of the "
        f"scoring process; bundle {footprint['bundle_mb']:.1f} MB. `benchmarks/scoring.py` "
        "compares with PyTorch in one run.",
        f"int8 against the source on {parity['texts']:,} texts, all labels: mean difference "
        f"{parity['int8_mean']:.4f}, largest {parity['int8_largest']:.3f}; a text alone against "
        f"the same text in a batch: {parity['batch_largest']:.1g}. "
        f"{parity['products_with_outliers_in_fp32']} matrix products multiply the largest channels "
        f"of their input in fp32, {parity['products_in_fp32']} all of them.",
    ]


def _quality(sets: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    return _table(
        ("set", "label", "texts", "positive", "ROC AUC", "average precision", "calibration error"),
        (
            (name, row["label"], f"{row['texts']:,}", f"{row['positive']:,}", f"{row['auc']:.4f}",
             f"{row['average_precision']:.3f}", f"{row['ece']:.3f}")
            for name, rows in sets.items()
            for row in rows
        ),
    )  # fmt: skip


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
