"""Whole texts: is an insult found at the end of a long one, and are long clean ones left alone?

    python benchmarks/long_texts.py labelled/

Reads the sets of `mltox train --data`, of which the part held out from training is used. Prints,
for windows of several lengths and that of the bundle: how many of the toxic functional cases are
found alone, and at the end of 500 clean words; how many clean Wikipedia comments are flagged, short
and long ones; and the milliseconds that a text of 4,000 characters takes on one core.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from mltox.scoring import DEFAULT_BUNDLE, Bundle, Scorer, load_bundle
from model_export.data import VALIDATION_SHARE, read_training_data, split_validation
from model_export.functional import read_cases

WORDS = 500
SHORT, LONG = 250, 600
"""Characters: at most, and at least."""
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--bundle", default=str(DEFAULT_BUNDLE))
    parser.add_argument("--windows", type=int, nargs="*", default=[32, 48, 64, 96])
    parser.add_argument("--each", type=int, default=1, help="takes every so many-th case")
    given = parser.parse_args()
    bundle = load_bundle(given.bundle)
    _, held_out = split_validation(read_training_data(given.data), VALIDATION_SHARE)
    clean = [e.text for e in held_out if e.source == "jigsaw" and max(e.labels) <= 0]
    insults = [case for kind in read_cases() if kind.toxic for case in kind.cases]
    print(
        f"{len(insults)} toxic cases, {len(clean):,} clean comments; threshold {bundle.threshold}"
    )
    print(
        "\n| window | found alone | found at the end | ratio | short flagged | long flagged | ms |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for window in sorted({*given.windows, bundle.window}):
        cells = row(bundle._replace(window=window), insults, clean)
        print(f"| {window} | {' | '.join(cells)} |", flush=True)


def row(bundle: Bundle, insults: Sequence[str], clean: Sequence[str]) -> list[str]:
    scorer = Scorer(bundle, threads=1, cache_size=0)

    def flagged(texts: Sequence[str]) -> float:
        scores = scorer.score(texts, ["en"] * len(texts))
        return float(np.mean([(found.toxicity or 0) >= bundle.threshold for found in scores]))

    short_ones = [text for text in clean if len(text) <= SHORT]
    harmless = [text for text in short_ones[:1_500] if not flagged([text])]
    long_ones = [f"{some} {insult}" for some, insult in zip(paragraphs(harmless, len(insults)),
                                                            insults, strict=True)]  # fmt: skip
    alone, at_the_end = flagged(insults), flagged(long_ones)
    short = flagged(short_ones)
    long = flagged([text for text in clean if len(text) >= LONG])
    return [f"{alone:.3f}", f"{at_the_end:.3f}", f"{at_the_end / alone:.3f}", f"{short:.4f}",
            f"{long:.4f}", f"{milliseconds(scorer, harmless):.1f}"]  # fmt: skip


def paragraphs(clean: Sequence[str], count: int) -> list[str]:
    """`count` texts of `WORDS` words each, of clean comments in turn."""
    words = [word for text in clean for word in f"{' '.join(text.split())}.".split()]
    starts = np.linspace(0, len(words) - WORDS - 1, count).astype(int)
    return [" ".join(words[start : start + WORDS]) for start in starts]


def milliseconds(scorer: Scorer, clean: Sequence[str]) -> float:
    text = " ".join(clean)[:4_000]
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        scorer.score([text], ["en"])
        times.append(1_000 * (time.perf_counter() - began))
    return median(times)


if __name__ == "__main__":
    main()
