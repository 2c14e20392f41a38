"""Tokenised texts, grouped so that a text's score cannot depend on its neighbours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

PAD_TO = 8
"""A text is padded to the next multiple of this: to a length that it decides alone."""
BATCH_TOKENS = 1_024
"""On two cores batches of about 20 texts of 50 tokens are faster than larger ones: they stay in
the cache."""


def batches(
    rows: Sequence[Sequence[int]], tokens: int = BATCH_TOKENS
) -> Iterator[tuple[list[int], int]]:
    """(indices into `rows`, tokens each is padded to), shortest first.

    Only texts of the same padded length share a batch; it holds at most `tokens` tokens, but always
    one text.
    """
    by_length: defaultdict[int, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        by_length[-(-len(row) // PAD_TO) * PAD_TO].append(index)
    for length in sorted(by_length):
        indices = by_length[length]
        size = max(1, tokens // length)
        for start in range(0, len(indices), size):
            yield indices[start : start + size], length


def padded(
    rows: Sequence[Sequence[int]], length: int, pad_id: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids and attention mask, int64, of shape (texts, length)."""
    ids = np.full((len(rows), length), pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return ids, mask
