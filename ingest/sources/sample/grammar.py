"""Texts from templates: a small context-free grammar with random choices."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

_SLOT = re.compile(r"\{(\w+)\}")
_SENTENCE_START = re.compile(r"(?:^|(?<=[.!?] ))([a-z])")

Grammar = Mapping[str, Sequence[str]]
"""Each symbol's alternatives; `{symbol}` in one of them stands for one of that symbol's."""


def expanded(grammar: Grammar, symbol: str, rng: Random) -> str:
    """Returns a random text of the symbol, each sentence beginning with a capital letter.

    >>> expanded({"greeting": ["good {time}."], "time": ["morning"]}, "greeting", Random(1))
    'Good morning.'
    """

    def chosen(name: str) -> str:
        return _SLOT.sub(lambda slot: chosen(slot[1]), rng.choice(grammar[name]))

    return _SENTENCE_START.sub(lambda start: start[1].upper(), chosen(symbol))
