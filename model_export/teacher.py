"""What an existing bundle says of the texts, mixed with what people said.

A label that a person gave counts half, what the teacher says of the text the other half (Hinton et
al. 2015), all of it where nobody gave one. Sets that asked for hate instead of toxicity count less.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from mltox.scoring import Bundle, Scorer
from model_export.examples import TRAINED_LABELS, UNKNOWN, LabelledText
from model_export.readers import TRUTH, trust

TEXTS_AT_ONCE = 2_000
"""Texts the teacher scores between two movements of the progress bar."""


class Teacher:
    """The bundle as it scores in production. What it said of a pass stays in `folder`, so that a
    training that was stopped need not ask again."""

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        self._bundle = bundle
        self._folder = folder
        self.name = f"{bundle.name}@{bundle.sha256[:12]}"

    def answers(self, examples: Sequence[LabelledText], number: int) -> list[LabelledText]:
        """The examples of a pass, their labels mixed with what the teacher says."""
        kept = self._folder / f"teacher-{number}.pt"
        if not kept.exists():
            torch.save(self._said([example.text for example in examples]), kept)
        said: list[list[float]] = torch.load(kept, weights_only=True)
        return [mixed(example, own) for example, own in zip(examples, said, strict=True)]

    def _said(self, texts: Sequence[str]) -> list[list[float]]:
        scorer = Scorer(self._bundle)
        said: list[list[float]] = []
        for start in tqdm(range(0, len(texts), TEXTS_AT_ONCE), desc="teacher", mininterval=10):
            some = texts[start : start + TEXTS_AT_ONCE]
            # All count as English, which the sets are.
            for scores in scorer.score(some, ["en"] * len(some)):
                own = [getattr(scores, label) for label in TRAINED_LABELS]
                said.append([UNKNOWN if value is None else value for value in own])
        return said


def mixed(example: LabelledText, said: Sequence[float]) -> LabelledText:
    """The example with the labels to learn; what neither knows stays unknown."""
    weights = [trust(example.source), *[TRUTH] * (len(said) - 1)]
    labels = tuple(
        own
        if label == UNKNOWN
        else label
        if own == UNKNOWN
        else weight * label + (1 - weight) * own
        for label, own, weight in zip(example.labels, said, weights, strict=True)
    )
    return example._replace(labels=labels)


def untaught(example: LabelledText) -> LabelledText:
    """The example without a teacher: toxicity is unknown where the set did not ask for it."""
    if trust(example.source) >= TRUTH:
        return example
    return example._replace(labels=(UNKNOWN, *example.labels[1:]))
