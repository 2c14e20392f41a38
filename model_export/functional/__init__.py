"""Functional tests in the manner of HateCheck (Röttger et al. 2021): own cases, never trained on.

They were written without sight of the training templates, and of any published test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

Toxicity = Callable[[Sequence[str]], NDArray[np.float64]]


class Functionality(NamedTuple):
    """Cases of one kind. `hateful` attack a protected group; `toxic` are rude to anybody."""

    functionality: str
    hateful: bool
    toxic: bool
    cases: tuple[str, ...]


class Accuracy(NamedTuple):
    functionality: str
    toxic: bool
    cases: int
    accuracy: float


@cache
def read_cases() -> tuple[Functionality, ...]:
    document = yaml.safe_load((files(__package__) / "cases.yaml").read_text(encoding="utf-8"))
    return tuple(
        Functionality(row["functionality"], row["hateful"], row["toxic"], tuple(row["cases"]))
        for row in document
    )


def functional(toxicity: Toxicity, threshold: float) -> list[Accuracy]:
    """How often the verdict is right, by functionality."""
    rows = []
    for kind in read_cases():
        right = (toxicity(kind.cases) >= threshold) == kind.toxic
        rows.append(Accuracy(kind.functionality, kind.toxic, len(right), float(right.mean())))
    return rows


def overall(rows: Sequence[Accuracy]) -> float:
    """Accuracy over all cases."""
    return sum(row.cases * row.accuracy for row in rows) / sum(row.cases for row in rows)


def balanced(rows: Sequence[Accuracy]) -> float:
    """Mean of the accuracy over toxic and over harmless cases."""
    return (
        overall([row for row in rows if row.toxic])
        + overall([row for row in rows if not row.toxic])
    ) / 2
