"""What the network sees in each pass over the training data: a fresh draw every time."""

from __future__ import annotations

import random
from collections.abc import Sequence

from model_export import contrast
from model_export.data import Example
from model_export.perturb import perturbed

CLEAN_SHARE = 0.5
"""Of the clean Jigsaw comments, six for each toxic one, a pass sees this share: every toxic text is
met in every pass, every clean one in every second, for half of the time."""
PERTURBED_SHARE = 0.12
_CLEAN_BELOW = 0.3


def examples_of_pass(
    examples: Sequence[Example], number: int, *, cases: int, seed: int
) -> list[Example]:
    """The examples of pass `number`, with about `cases` newly composed contrast cases.

    Clean and toxic texts are respelled equally often, so that spelling alone tells nothing.
    """
    generator = random.Random(f"{seed}-{number}")
    chosen = [
        example
        for example in examples
        if example.source != "jigsaw"
        or example.labels[0] >= _CLEAN_BELOW
        or generator.random() < CLEAN_SHARE
    ]
    chosen += [case for _, case in contrast.compose(cases, seed=1000 * seed + number)]
    return [
        example._replace(text=perturbed(example.text, generator))
        if generator.random() < PERTURBED_SHARE
        else example
        for example in chosen
    ]
