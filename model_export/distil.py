"""A smaller model of an existing one: its first layers, taught to say what all of them say.

The student begins as the teacher without its last layers (of all layers they are missed least;
Sajjad et al. 2020, and measured here too, after 50 steps) and learns from the same texts, labelled
as `teacher` mixes them, and from composed contrast cases.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from tokenizers import Tokenizer
from torch import nn

from mltox.scoring import load_bundle
from mltox.scoring.bundle import TOKENIZER
from model_export.classifier import MeanPooledClassifier, save
from model_export.data import VALIDATION_SHARE, DataError, split_validation
from model_export.examples import TRAINED_LABELS, LabelledText
from model_export.finish import finished
from model_export.fit import PEAK_RATE, FitSchedule, encode_examples, fit
from model_export.passes import examples_of_pass
from model_export.restore import restore
from model_export.rounding import STEPS as ROUNDING_STEPS
from model_export.rounding import dither, teach_rounding
from model_export.teacher import Teacher
from model_export.watch import Watch


def distil(examples: Sequence[LabelledText], options: argparse.Namespace) -> None:
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
    held_out = encode_examples(validation, tokenizer)

    teacher = Teacher(bundle, options.out)

    def drawn(number: int) -> list[LabelledText]:
        return examples_of_pass(
            training, number, cases=options.contrast, seed=options.seed,
            answered=lambda examples: teacher.answers(examples, number),
        )  # fmt: skip

    sizes = [len(drawn(number)) for number in range(options.passes)]
    print(f"{len(training):,} texts to learn from, {len(validation):,} held out,"
          f" {sum(sizes):,} in {options.passes} passes", flush=True)  # fmt: skip
    watch = Watch(student, held_out)
    rate = options.learning_rate or PEAK_RATE
    progress = fit(
        student,
        lambda number: encode_examples(drawn(number), tokenizer),
        sizes,
        FitSchedule(options.passes, options.batch, rate, options.seed, options.minutes),
        options.out,
        watch,
    )
    settled = finished(student, validation, tokenizer)
    teach_rounding(student, encode_examples(training, tokenizer).ids, ROUNDING_STEPS, options.seed)
    save(student, tokenizer_json, TRAINED_LABELS, options.out)
    facts = (
        dict(bundle.document.get("training", {}))
        | {
            "distilled": {
                "teacher": f"{bundle.name}@{bundle.sha256[:12]}",
                "layers": options.layers,
                "passes": options.passes,
                "texts_of_passes": sizes,
                "steps": progress.step,
                "learning_rate": rate,
                "seed": options.seed,
                "minutes": round(progress.seconds / 60, 1),
                "watched": watch.seen,
            },
        }
        | settled
    )
    (options.out / "training.json").write_text(json.dumps(facts, indent=1))


def keep_layers(model: MeanPooledClassifier, count: int) -> None:
    """Cuts the encoder down to its first `count` layers. Raises DataError."""
    layers = model.encoder.encoder.layer
    if not 0 < count < len(layers):
        raise DataError(f"--layers: the model of the bundle has {len(layers)}")
    model.encoder.encoder.layer = layers[:count]
    model.encoder.config.num_hidden_layers = count
    kept = [number for number, layer in enumerate(model.exits) if layer < count]
    model.exits = tuple(model.exits[number] for number in kept)
    model.early = nn.ModuleList(model.early[number] for number in kept)
