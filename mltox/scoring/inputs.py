"""What may be given as texts, and what of it is nothing to score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_MISSING = ("NAType", "NaTType")
"""What pandas puts where a cell is empty."""


def listed(texts: Iterable[Any]) -> list[str]:
    """The texts as a list of `str`; what is missing (None, NaN, pandas' NA) is an empty one.

    Raises TypeError for a lone string, whose characters would be scored one by one, and for what is
    no text.

    >>> listed(["hello", None, float("nan")])
    ['hello', '', '']
    """
    if isinstance(texts, str | bytes):
        raise TypeError("give a list of texts, not one string: [text]")
    return [_text(text) for text in texts]


def languages_of(langs: Iterable[Any] | None, count: int) -> Sequence[str | None]:
    """The language of each text, None where none was given. Raises TypeError, ValueError."""
    if langs is None:
        return [None] * count
    if isinstance(langs, str | bytes):
        raise TypeError("give a list of languages, one for each text, not one string")
    found = [_text(lang) or None for lang in langs]
    if len(found) != count:
        raise ValueError(f"there are {count} texts and {len(found)} languages")
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or type(value).__name__ in _MISSING:
        return ""
    if isinstance(value, float) and value != value:
        return ""
    raise TypeError(f"a text is a string, not {type(value).__name__}")
