"""An insult among clean sentences: what stands in a window decides, not how much of it."""

from __future__ import annotations

import random
from collections.abc import Sequence

from model_export.examples import LabelledText

JOINED_SHARE = 0.12
"""Of the examples of a pass that are joined with others."""
LONGEST_JOINED = 340
"""Characters of a joined text: about 80 word pieces, so that nothing of it is cut off."""
_CLEAN = 0.05


def fillers(examples: Sequence[LabelledText]) -> list[str]:
    """The clean texts that others may be joined with: those of which all labels are known."""
    return [
        " ".join(example.text.split())
        for example in examples
        if 20 <= len(example.text) <= 220 and all(0 <= label <= _CLEAN for label in example.labels)
    ]


def joined(example: LabelledText, clean: Sequence[str], generator: random.Random) -> LabelledText:
    """`example` with clean texts before it, behind it, or both; its labels are what they were."""
    before, behind = list[str](), list[str]()
    room = LONGEST_JOINED - len(example.text)
    for _ in range(4):
        filler = generator.choice(clean)
        if len(filler) >= room:
            continue
        room -= len(filler) + 1
        (before if generator.random() < 0.6 else behind).append(_ended(filler))
    text = " ".join([*before, _ended(example.text) if behind else example.text, *behind])
    return example._replace(text=text)


def _ended(text: str) -> str:
    return text if text[-1:] in ".!?" else f"{text}."
