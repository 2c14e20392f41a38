"""Spelling as people use it to get past filters, or by mistake: the same text in other letters."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

_WORD = re.compile(r"[A-Za-z]{4,}")
_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "l": "1"}
_HOMOGLYPHS = dict(zip("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ", strict=True))
_EMOJI = ("😂", "😡", "🙄", "🤡", "👍", "💀", "🔥", "🤮", "❤️", "😭")

Perturbation = Callable[[str, random.Random], str]


def leetspeak(word: str, generator: random.Random) -> str:
    return "".join(
        generator.choice(_LEET[letter]) if letter in _LEET and generator.random() < 0.7 else letter
        for letter in word
    )


def spaced_letters(word: str, generator: random.Random) -> str:
    return generator.choice(" .-_").join(word)


def homoglyphs(word: str, generator: random.Random) -> str:
    return "".join(
        _HOMOGLYPHS[letter] if letter in _HOMOGLYPHS and generator.random() < 0.6 else letter
        for letter in word
    )


def swapped_letters(word: str, generator: random.Random) -> str:
    at = generator.randrange(1, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def missing_letter(word: str, generator: random.Random) -> str:
    at = generator.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1 :]


def repeated_letter(word: str, generator: random.Random) -> str:
    at = generator.randrange(1, len(word))
    return word[:at] + word[at] * generator.randint(1, 3) + word[at:]


def masked_letters(word: str, generator: random.Random) -> str:
    masked = generator.randint(1, max(1, len(word) - 3))
    return word[0] + generator.choice("*#-_") * masked + word[1 + masked :]


WORD_CHANGES: Mapping[str, Perturbation] = {
    "leetspeak": leetspeak,
    "spaced letters": spaced_letters,
    "homoglyphs": homoglyphs,
    "swapped letters": swapped_letters,
    "missing letter": missing_letter,
    "repeated letter": repeated_letter,
    "masked letters": masked_letters,
}


def in_words(change: Perturbation, share: float) -> Perturbation:
    """`change` done to about `share` of the words of four letters or more, at least to one."""

    def changed(text: str, generator: random.Random) -> str:
        words = list(_WORD.finditer(text))
        if not words:
            return text
        chosen = {generator.randrange(len(words))}
        chosen |= {number for number in range(len(words)) if generator.random() < share}
        parts, end = [], 0
        for number in sorted(chosen):
            match = words[number]
            parts += [text[end : match.start()], change(match.group(), generator)]
            end = match.end()
        return "".join([*parts, text[end:]])

    return changed


def upper_case(text: str, generator: random.Random) -> str:
    return text.upper()


def mixed_case(text: str, generator: random.Random) -> str:
    return "".join(generator.choice((letter.upper(), letter.lower())) for letter in text)


def with_emoji(text: str, generator: random.Random) -> str:
    words = text.split(" ")
    words.insert(generator.randint(0, len(words)), generator.choice(_EMOJI))
    return " ".join(words)


def without_spaces(text: str, generator: random.Random) -> str:
    """Neighbouring words run together; the whole of a short text."""
    share = 1.0 if len(text) < 40 else 0.3
    return re.sub(" ", lambda _: "" if generator.random() < share else " ", text)


TEXT_CHANGES: Mapping[str, Perturbation] = {
    "upper case": upper_case,
    "mixed case": mixed_case,
    "emoji": with_emoji,
    "no spaces": without_spaces,
}

CHANGES: Mapping[str, Perturbation] = {
    **TEXT_CHANGES,
    **{name: in_words(change, 0.4) for name, change in WORD_CHANGES.items()},
}
"""By the name under which the evaluation reports them."""


def perturbed(text: str, generator: random.Random) -> str:
    """`text` after one of the changes, drawn at random."""
    return CHANGES[generator.choice(sorted(CHANGES))](text, generator)
