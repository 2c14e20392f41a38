"""Undoing the commonest ways to hide a word from a filter."""

from __future__ import annotations

import re

_LOOKALIKES = str.maketrans(
    "аАеЕоОрРсСхХуУіІјЈѕЅһԁԛԝВКМНТ" "αΑεΕοΟρΡνΝιΙκΚτΤΒΗΜΖΧΥ",
    "aAeEoOpPcCxXyYiIjJsShdqwBKMHT" "aAeEoOpPvNiIkKtTBHMZXY",
)  # fmt: skip
_MIXED_WORD = re.compile(r"\w*(?:[A-Za-z][Ͱ-ӿԀ-ԯ]|[Ͱ-ӿԀ-ԯ][A-Za-z])\w*")
_SPACED = re.compile(r"(?<![A-Za-z])[A-Za-z](?:([ ._*-])[A-Za-z])(?:\1[A-Za-z])+(?![A-Za-z'’])")
_LEET_WORD = re.compile(r"(?<![\w@#$&/.,])[\w@$!]{3,24}(?![\w@/]|\.\w)")
_LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"}
_INNER = re.compile(r"(?<=[a-zA-Z])(?:[013457@$]+|(?<![a-zA-Z]{3})!)(?=[a-zA-Z])")
_HIDES_LETTERS = re.compile(r"[A-Za-z][013457@$!]+[A-Za-z]|\$[a-z]")
_LEADING = re.compile(r"^[0145$](?=[a-z])")


def undisguise(text: str) -> str:
    """`text` with lookalike letters, spaced-out words and digits inside of words as plain letters.

    Cyrillic and Greek letters are only replaced in words that mix them with Latin ones. Digits are
    letters only between letters ("st0p", "1d10t"), not in "mp3", "4chan", "5pm" or "covid19".

    >>> undisguise("you f.u.c.k.i.n.g 1d10t, иди сюда")
    'you fucking idiot, иди сюда'
    """
    if not text.isascii():
        text = _MIXED_WORD.sub(lambda match: match.group().translate(_LOOKALIKES), text)
    text = _SPACED.sub(lambda match: match.group().replace(match.group(1), ""), text)
    return _LEET_WORD.sub(_without_digits, text) if _HIDES_LETTERS.search(text) else text


def _without_digits(match: re.Match[str]) -> str:
    word = match.group()
    ending = word[len(word.rstrip("!")) :]
    core = word.removesuffix(ending) if ending else word
    plain = _INNER.sub(lambda run: "".join(_LEET[sign] for sign in run.group()), core)
    if plain == core and core[:1] != "$":
        return word
    return _LEADING.sub(lambda sign: _LEET[sign.group()], plain) + ending
