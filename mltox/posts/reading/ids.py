"""Ids of posts in files, and what only looks like one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

_ROUNDED = re.compile(r"[+-]?[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}")
_WITH_POINT = re.compile(r"([0-9]+)[.,]0+")
_EXACT = 2**53
"""From here on a float does not hold every whole number."""
_DIGITS_KEPT = 15
"""Of a number, by a spreadsheet: the digits behind these become zeros."""


def row_id(cells: Sequence[str]) -> str:
    """An id that follows from a row's content, the same in every run and in every order."""
    text = "\x1f".join(cells).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def sound_id(value: object) -> str | int | None:
    """The id that a cell holds; None for a number that was rounded, and so is that of many posts.

    >>> sound_id("1.82303E+18"), sound_id(1.8230312345678e18), sound_id("12345.0"), sound_id("3kab")
    (None, None, '12345', '3kab')
    """
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT else None
    if isinstance(value, int):
        return value
    text = str(value).strip()
    if not text.isascii() or not text[:1].isdigit():
        return text
    if (point := _WITH_POINT.fullmatch(text)) is not None:
        return point[1] if int(point[1]) < _EXACT else None
    return None if _ROUNDED.fullmatch(text) else text


def are_zero_filled(ids: Iterable[object]) -> bool:
    """Whether all long numbers among ids end in zeros where a spreadsheet writes zeros.

    >>> are_zero_filled(["1823030000000000000", "1823040000000000000"])
    True
    """
    long = [str(each) for each in ids if len(str(each)) > _DIGITS_KEPT + 1 and str(each).isdigit()]
    return len(long) > 1 and all(not each[_DIGITS_KEPT:].strip("0") for each in long)
