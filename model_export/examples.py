"""A labelled text, as every part of the training sees it."""

from __future__ import annotations

from typing import NamedTuple

from mltox.posts.records import LABELS

TRAINED_LABELS = LABELS[:6]
"""The labels of Jigsaw 2018, under our names; `sexual_explicit` is not among them."""

UNKNOWN = -1.0
"""Label value that the loss and the metrics leave out."""


class LabelledText(NamedTuple):
    """A text and its labels: one value in [0, 1] for each of `TRAINED_LABELS`, or `UNKNOWN`."""

    text: str
    labels: tuple[float, ...]
    source: str
