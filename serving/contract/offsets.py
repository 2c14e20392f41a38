"""Python counts characters, the contract UTF-16 code units."""

from __future__ import annotations

from collections.abc import Iterable


def utf16_length(text: str) -> int:
    """The number of UTF-16 code units of `text`.

    >>> utf16_length("a😀")
    3
    """
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_spans(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of characters (end exclusive, in order, not overlapping) in UTF-16 code units.

    >>> utf16_spans("😀! b.", [(0, 2), (3, 5)])
    [(0, 3), (4, 6)]
    """
    if text.isascii():
        return list(spans)
    units: list[tuple[int, int]] = []
    at = passed = 0
    for begin, end in spans:
        passed += utf16_length(text[at:begin])
        first, passed = passed, passed + utf16_length(text[begin:end])
        units.append((first, passed))
        at = end
    return units
