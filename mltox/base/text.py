"""Strings that are no text yet: JSON may hold halves of surrogate pairs, and NUL characters."""

from __future__ import annotations


def storable(text: str) -> str:
    """What every file and table can hold: pairs of surrogates joined, lone ones U+FFFD.

    >>> storable("a\\ud83d\\ude00b\\ud800") == "a\\U0001f600b\\ufffd"
    True
    """
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def legible(text: str) -> str:
    """The same without NUL characters, which end a text for many a reader.

    >>> legible("a\\0b") == "a\\ufffdb"
    True
    """
    return storable(text).replace("\0", "\ufffd")
