"""What the network sees in each pass over the training data: a fresh draw every time."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from model_export import contrast
from model_export.examples import LabelledText
from model_export.joined import JOINED_SHARE as JOINED_SHARE
from model_export.joined import fillers, joined
from model_export.perturb import perturbed

CLEAN_SHARE = 0.5
"""Of the clean Jigsaw comments, six for each toxic one, a pass sees this share: every toxic text is
met in every pass, every clean one in every second."""
PERTURBED_SHARE = 0.12
_CLEAN_BELOW = 0.3

Answered = Callable[[Sequence[LabelledText]], list[LabelledText]]


def examples_of_pass(
    examples: Sequence[LabelledText],
    number: int,
    *,
    cases: int,
    seed: int,
    share: float = 1.0,
    answered: Answered | None = None,
) -> list[LabelledText]:
    """The examples of pass `number`: `share` of the texts, and about `cases` newly composed
    contrast cases.

    `answered` may fill in labels; it sees the texts as they are written, for what is then done to
    some of them changes no label: they are respelled, clean and toxic ones equally often, so that
    spelling alone tells nothing, or joined with clean texts.
    """
    generator = random.Random(f"{seed}-{number}")
    chosen = [
        example
        for example in examples
        if generator.random() < share
        and (
            example.source != "jigsaw"
            or example.labels[0] >= _CLEAN_BELOW
            or generator.random() < CLEAN_SHARE
        )
    ]
    if answered is not None:
        chosen = answered(chosen)
    chosen += [case for _, case in contrast.compose(cases, seed=1000 * seed + number)]
    clean = fillers(examples)
    return [_changed(example, clean, generator) for example in chosen]


def _changed(example: LabelledText, clean: Sequence[str], generator: random.Random) -> LabelledText:
    if generator.random() < PERTURBED_SHARE:
        example = example._replace(text=perturbed(example.text, generator))
    if clean and generator.random() < JOINED_SHARE:
        example = joined(example, clean, generator)
    return example
