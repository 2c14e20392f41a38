"""Pairs of a text and another service's score, as a table with a column for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from mltox.base.errors import UserError
from mltox.posts.reading.raw_rows import read_raw_rows


class Pairs(NamedTuple):
    texts: list[str]
    scores: list[float]
    skipped: int
    """Rows without a text or without a score in [0, 1]."""


def read_pairs(file: Path, text_column: str, score_column: str) -> Pairs:
    """Reads any table that `mltox score` reads. Raises UserError."""
    texts: list[str] = []
    scores: list[float] = []
    rows = 0
    for row in read_raw_rows(file, text_column):
        if not rows and score_column not in row:
            raise UserError(f"{file} has no column {score_column}: name it with --score-column")
        rows += 1
        text, score = row.get(text_column), _score(row.get(score_column))
        if isinstance(text, str) and text.strip() and score is not None:
            texts.append(text)
            scores.append(score)
    return Pairs(texts, scores, rows - len(texts))


def _score(value: Any) -> float | None:
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return score if 0 <= score <= 1 else None
