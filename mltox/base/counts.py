"""Counts as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping


def count_lines(counts: Mapping[str, int], names: Mapping[str, str]) -> str:
    """A line each, in the order of `names`: what a count is called, and how many.

    >>> print(count_lines({"read": 1200}, {"read": "rows read", "kept": "posts kept"}))
      rows read         1,200
      posts kept            0
    """
    width = max(map(len, names.values())) + 1
    return "\n".join(f"  {name:<{width}}{counts.get(key, 0):>12,}" for key, name in names.items())
