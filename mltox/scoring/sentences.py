"""Where the sentences of a text begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_SENTENCE = 400
"""Characters of a sentence; a longer one is cut at a space."""

# A run of signs is tried once, from its first: linear in time for any text.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s)|[。！？]+|\n")
_ABBREVIATION = re.compile(
    r"(?<!\w)(?:[A-Za-z]|mr|mrs|ms|dr|prof|sen|rep|gov|gen|st|vs|etc|e\.g|i\.e|jr|sr|u\.s)\.",
    re.IGNORECASE,
)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """(begin, end) of each sentence in characters, without the space around it, in order.

    >>> text = "Dr. Low is here. Go away!  You"
    >>> [text[begin:end] for begin, end in sentences(text)]
    ['Dr. Low is here.', 'Go away!', 'You']
    """
    begin = 0
    for match in _END.finditer(text):
        if match.group() != "." or not _ABBREVIATION.fullmatch(*_word_before(text, match.end())):
            yield from _cut(text, begin, match.end())
            begin = match.end()
    yield from _cut(text, begin, len(text))


def _word_before(text: str, end: int) -> tuple[str, int, int]:
    begin = end
    while begin > 0 and end - begin < 8 and not text[begin - 1].isspace():
        begin -= 1
    return text, begin, end


def _cut(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The part without the space around it, in pieces of at most `LONGEST_SENTENCE` characters."""
    begin, end = _stripped(text, begin, end)
    while end - begin > LONGEST_SENTENCE:
        space = text.rfind(" ", begin + LONGEST_SENTENCE // 2, begin + LONGEST_SENTENCE)
        middle = space if space >= 0 else begin + LONGEST_SENTENCE
        yield _stripped(text, begin, middle)
        begin, end = _stripped(text, middle, end)
    if begin < end:
        yield begin, end


def _stripped(text: str, begin: int, end: int) -> tuple[int, int]:
    part = text[begin:end]
    return begin + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())
