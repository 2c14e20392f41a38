"""A smaller model of an existing one: its first layers, taught to say what all of them say.

The student begins as the teacher without its last layers (of all layers they are missed least;
Sajjad et al. 2020, and measured here too, after 50 steps) and learns from the same texts. A label
that a person gave counts half, what the teacher says of the text the other half (Hinton et al.
2015), all of it where nobody gave one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tqdm import tqdm

from mltox.scoring import Bundle, Scorer, load_bundle
from mltox.scoring.bundle import TOKENIZER
from model_export.calibrate import calibrate_head
from model_export.classifier import MeanPooledClassifier, save
from model_export.data import (
    TRAINED_LABELS,
    UNKNOWN,
    VALIDATION_SHARE,
    DataError,
    Example,
    split_validation,
)
from model_export.fit import LEARNING_RATE, Schedule, encode, fit, logits_of
from model_export.passes import examples_of_pass
from model_export.restore import restore
from model_export.rounding import STEPS as ROUNDING_STEPS
from model_export.rounding import dither, teach_rounding
from model_export.watch import Watch

TRUTH = 0.5
AT_ONCE = 2_000
"""Texts the teacher scores between two movements of the progress bar."""


def distil(examples: Sequence[Example], options: argparse.Namespace) -> None:
    """Trains the student of `options.distil_from` and saves it into `options.out`.

    Raises BundleError where the teacher was not made by `mltox train`, DataError where it has other
    labels or no more layers.
    """
    bundle = load_bundle(options.distil_from)
    if bundle.labels != TRAINED_LABELS:
        raise DataError(
            f"the bundle {bundle.name} has other labels than {', '.join(TRAINED_LABELS)}"
        )
    training, validation = split_validation(examples, VALIDATION_SHARE)
    tokenizer_json = (bundle.folder / TOKENIZER).read_text(encoding="utf-8")
    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.enable_truncation(bundle.max_length)
    tokenizer.no_padding()
    student = restore(bundle)
    dither(student, options.seed)
    keep_layers(student, options.layers)
    held_out = encode(validation, tokenizer)

    def drawn(number: int) -> list[Example]:
        return examples_of_pass(training, number, cases=options.contrast, seed=options.seed)

    teacher = Teacher(bundle, options.out)
    sizes = [len(drawn(number)) for number in range(options.passes)]
    print(f"{len(training):,} texts to learn from, {len(validation):,} held out,"
          f" {sum(sizes):,} in {options.passes} passes", flush=True)  # fmt: skip
    watch = Watch(student, held_out)
    rate = options.learning_rate or LEARNING_RATE
    progress = fit(
        student,
        lambda number: encode(teacher.answers(drawn(number), number), tokenizer),
        sizes,
        Schedule(options.passes, options.batch, rate, options.seed, options.minutes),
        options.out,
        watch,
    )
    scalings = calibrate_head(student, logits_of(student, held_out.ids), held_out.labels)
    teach_rounding(student, encode(training, tokenizer).ids, ROUNDING_STEPS, options.seed)
    save(student, tokenizer_json, TRAINED_LABELS, options.out)
    facts = dict(bundle.document.get("training", {})) | {
        "distilled": {
            "teacher": f"{bundle.name}@{bundle.sha256[:12]}",
            "layers": options.layers,
            "truth": TRUTH,
            "passes": options.passes,
            "texts_of_passes": sizes,
            "steps": progress.step,
            "learning_rate": rate,
            "seed": options.seed,
            "minutes": round(progress.seconds / 60, 1),
            "watched": watch.seen,
        },
        "platt": scalings,
    }
    (options.out / "training.json").write_text(json.dumps(facts, indent=1))


def keep_layers(model: MeanPooledClassifier, count: int) -> None:
    """Cuts the encoder down to its first `count` layers. Raises DataError."""
    layers = model.encoder.encoder.layer
    if not 0 < count < len(layers):
        raise DataError(f"--layers: the model of the bundle has {len(layers)}")
    model.encoder.encoder.layer = layers[:count]
    model.encoder.config.num_hidden_layers = count


class Teacher:
    """The bundle as it scores in production. What it said of a pass stays in `folder`, so that a
    training that was stopped need not ask again."""

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        self._bundle = bundle
        self._folder = folder

    def answers(self, examples: Sequence[Example], number: int) -> list[Example]:
        """The examples of a pass, their labels mixed with what the teacher says."""
        kept = self._folder / f"teacher-{number}.pt"
        if not kept.exists():
            torch.save(self._said([example.text for example in examples]), kept)
        said: list[list[float]] = torch.load(kept, weights_only=True)
        return [
            example._replace(labels=mixed(example.labels, own))
            for example, own in zip(examples, said, strict=True)
        ]

    def _said(self, texts: Sequence[str]) -> list[list[float]]:
        scorer = Scorer(self._bundle)
        said: list[list[float]] = []
        for start in tqdm(range(0, len(texts), AT_ONCE), desc="teacher", mininterval=10):
            some = texts[start : start + AT_ONCE]
            # All count as English, which the sets are.
            for scores in scorer.score(some, ["en"] * len(some)):
                said.append([getattr(scores, label) for label in TRAINED_LABELS])
        return said


def mixed(labels: Sequence[float], said: Sequence[float]) -> tuple[float, ...]:
    return tuple(
        own if label == UNKNOWN else TRUTH * label + (1 - TRUTH) * own
        for label, own in zip(labels, said, strict=True)
    )
