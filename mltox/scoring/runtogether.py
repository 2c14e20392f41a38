"""Taking words apart that were run together: "#youareanidiot", "Iwillfindyou"."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

LONGEST_WORD = 40
"""Letters of a word that is looked at."""
LEAST_LETTERS = 12
"""Of a word outside of a hashtag."""
_MEAN_PART = 2.6
_SPEAKS = {
    "you",
    "your",
    "youre",
    "are",
    "the",
    "this",
    "that",
    "they",
    "them",
    "all",
    "will",
    "we",
}
_SPEAKS |= {"he", "she", "his", "her", "my", "who", "what"}
"""One of these is among the words of a sentence, and not among the parts of one long word."""


@cache
def _costs() -> dict[str, float]:
    """Minus the logarithm of a word's frequency, which falls with its rank (Zipf)."""
    words = (files(__package__) / "words.txt").read_text(encoding="utf-8").split()
    scale = math.log(len(words))
    return {word: math.log((rank + 1) * scale) for rank, word in enumerate(words)}


@lru_cache(maxsize=20_000)
def apart(letters: str) -> str:
    """The commonest words that `letters` are made of, or `letters` where they are no such row.

    >>> apart("youareanidiot")
    'you are an idiot'
    >>> apart("schwarzenegger")
    'schwarzenegger'
    """
    costs, low = _costs(), letters.lower()
    if low in costs or len(low) > LONGEST_WORD or not low.isascii() or not low.isalpha():
        return letters
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(low) + 1):
        found = (math.inf, end)
        for start in range(max(0, end - 16), end):
            cost = best[start][0] + costs.get(low[start:end], math.inf)
            if cost < found[0]:
                found = (cost, start)
        best.append(found)
    if math.isinf(best[-1][0]):
        return letters
    cuts = [len(low)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    cuts.reverse()
    parts = [letters[a:b] for a, b in pairwise(cuts)]
    return " ".join(parts) if len(low) / len(parts) >= _MEAN_PART else letters


def sentence_apart(letters: str) -> str:
    """`apart`, where the outcome reads like a sentence, for words outside of hashtags.

    >>> [sentence_apart(word) for word in ("Iwillkillyou", "satisfactions", "grandfathers")]
    ['I will kill you', 'satisfactions', 'grandfathers']
    """
    words = apart(letters)
    return words if len(found := words.lower().split()) > 2 and _SPEAKS & set(found) else letters
