"""A long text as windows that overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from mltox.scoring.sentences import sentences

PER_WINDOW = 0.5
"""Chosen on held-out Wikipedia comments (0, 0.15, 0.3 and 0.5 were tried): it ranks best, and flags
no more of the long clean ones than of the short."""
OVERLAP = 24
"""Word pieces that neighbouring windows share at least."""


def windows(encoding: Encoding, plain: str, most: int, window: int) -> list[list[int]]:
    """The ids of each window of `plain`, with the special pieces: one for a text of at most `most`,
    else windows of at most `window`.

    A window ends with a sentence where one ends in its second half, else between two words. The
    next begins with a sentence or a word that lies `OVERLAP` pieces before, so that what stands on
    a seam is seen whole.
    """
    ids = list(encoding.ids)
    if len(ids) <= most:
        return [ids]
    special = encoding.special_tokens_mask
    first = special.index(0)
    last = len(special) - special[::-1].index(0)
    before, inner, after = ids[:first], ids[first:last], ids[last:]
    offsets = encoding.offsets[first:last]
    size = window - len(before) - len(after)
    found = cut(_ends(offsets, plain), _begins(offsets, plain), size)
    return [[*before, *inner[begin:end], *after] for begin, end in found]


def cut(ends: Sequence[bool], begins: Sequence[bool], size: int) -> list[tuple[int, int]]:
    """(begin, end) of windows of at most `size` pieces that cover all of them, in order.

    `ends` says of each piece whether a sentence ends with it, `begins` whether a word begins.
    """
    overlap, begin, end, found = min(OVERLAP, size // 4), 0, 0, list[tuple[int, int]]()
    while len(ends) - begin > size:
        most = begin + size
        least = max(end + 1, most - size // 2)
        end = _behind(ends, least, most) or _before(begins, least, most)
        found.append((begin, end))
        least = max(begin + 1, end - 2 * overlap)
        begin = _behind(ends, least, end - overlap) or _before(begins, least, end - overlap)
    return [*found, (begin, len(ends))]


def whole_logits(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logits of a text from those of its windows (windows × labels).

    The largest of each label, less `PER_WINDOW` times the logarithm of the number of windows: of
    many harmless windows one looks worse than it is.
    """
    return np.asarray(logits.max(axis=0) - PER_WINDOW * math.log(len(logits)))


def _behind(ends: Sequence[bool], least: int, most: int) -> int | None:
    """The last place in [least, most] with the end of a sentence before it."""
    return next((place for place in range(most, least - 1, -1) if ends[place - 1]), None)


def _before(begins: Sequence[bool], least: int, most: int) -> int:
    """The last place in [least, most] where a word begins, `most` if none does."""
    return next((place for place in range(most, least - 1, -1) if begins[place]), most)


def _ends(offsets: Sequence[tuple[int, int]], plain: str) -> list[bool]:
    behind = [end for _, end in sentences(plain)]
    found, number = [], 0
    for _, end in offsets:
        passed = number
        while number < len(behind) and behind[number] <= end:
            number += 1
        found.append(number > passed)
    return found


def _begins(offsets: Sequence[tuple[int, int]], plain: str) -> list[bool]:
    """Whether there is space before a piece, or in it (as byte-level tokenizers have it)."""
    before = 0
    found = []
    for begin, end in offsets:
        found.append(begin > before or plain[begin : begin + 1].isspace())
        before = end
    return found
